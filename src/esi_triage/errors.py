"""The one exception that means "the input is wrong", as opposed to "the program is wrong"."""

from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)


class InputError(Exception):
    """Bad input, in one sentence that names file, field and value, and says what to do. The CLI exits with 2."""


def first_problem(error: ValidationError) -> str:
    """One problem of a pydantic validation error in words; an unknown key first, since it explains a missing one."""
    problem = min(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    field = ".".join(str(part) for part in problem["loc"]) or "(whole)"
    if problem["type"] == "extra_forbidden":
        return f"unknown key '{field}' (value {problem['input']!r})"
    if problem["type"] == "missing":
        return f"key '{field}' is missing"
    return f"{field} = {problem['input']!r}: {problem['msg']}"


def validated(model: type[Model], values: object, where: str | Path, known: Iterable[str] | None = None) -> Model:
    """`values` as a `model`, or an InputError that names `where`, the field, the value and the known keys."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        keys = ", ".join(known if known is not None else model.model_fields)
        raise InputError(f"{where}: {first_problem(error)}. Known keys: {keys}.") from None
