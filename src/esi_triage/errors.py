"""The one exception that means "the input is wrong", as opposed to "the program is wrong"."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:  # pydantic takes a quarter of a second to load, and `esi --help` needs none of it
    from pydantic import BaseModel, ValidationError

_Validated = TypeVar("_Validated", bound="BaseModel")


class InputError(Exception):
    """Bad input, in one sentence that names file, field and value, and says what to do. The CLI exits with 2."""


def first_problem(error: "ValidationError", show_value: bool = True) -> str:
    """One problem of a pydantic validation error in words; an unknown key first, since it explains a missing one.

    Without `show_value` the value is left out: it may be text that must not be shown.
    """
    problem = min(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    field = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"unknown key '{field}'" + (f" (value {problem['input']!r})" if show_value else "")
    if problem["type"] == "missing":
        return f"key '{field}' is missing"
    said = problem["msg"].removeprefix("Value error, ")
    if not field:  # of the whole: what is said names its fields
        return said
    return f"{field} = {problem['input']!r}: {said}" if show_value else f"{field}: {said}"


def validated(
    model: type[_Validated], values: object, where: str | Path, known: Iterable[str] | None = None
) -> _Validated:
    """`values` as a `model`, or an InputError that names `where`, the field, the value and the known keys."""
    from pydantic import ValidationError

    try:
        return model.model_validate(values)
    except ValidationError as error:
        keys = ", ".join(known if known is not None else model.model_fields)
        raise InputError(f"{where}: {first_problem(error)}. Known keys: {keys}.") from None
