"""A gate: limits in a TOML file, held against metrics.json. For a pipeline that must stop where a model is not fit.

[at_least]
"exact.low" = 0.5
"margin_over_best_constant.low" = 0
levels_answered = 4

[at_most]
"no_parse.value" = 0.01
"""

from pathlib import Path
from typing import Any

from ..errors import InputError
from ..reading import read_toml

Limits = list[tuple[str, str, float]]
_SIDES = ("at_least", "at_most")


def read_gate(file: Path) -> Limits:
    """The limits of a gate file as (side, name, number). Raises InputError, naming file and key, for anything else."""
    tables = read_toml(file, "Give a TOML file of limits.")
    limits: Limits = []
    for side, table in tables.items():
        if side not in _SIDES or not isinstance(table, dict):
            raise InputError(f"{file}: {side!r} is no table of limits; a gate has [at_least] and [at_most].")
        for name, number in table.items():
            if isinstance(number, dict):
                raise InputError(f'{file}: [{side}] {name}: put a name with dots in quotes, e.g. "exact.low" = 0.5.')
            if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) <= 1e300:
                raise InputError(f"{file}: [{side}] {name} = {str(number)[:80]}; a limit is a number, and finite.")
            limits.append((side, name, float(number)))
    if not limits:
        raise InputError(f'{file}: it sets no limit; give [at_least] or [at_most] with e.g. "exact.low" = 0.5.')
    return limits


def broken(limits: Limits, measured: dict[str, Any], file: Path) -> list[str]:
    """One line for each limit that does not hold; none where all hold. A figure that is not defined holds no limit.

    Raises InputError for a name that metrics.json does not have, or that is no number.
    """
    lines = []
    for side, name, limit in limits:
        value = _figure(measured, name, file)
        words = side.replace("_", " ")
        if value is None:
            lines.append(f"{name} is not defined on these cases; it must be {words} {limit:g}")
        elif (value < limit) if side == "at_least" else (value > limit):
            lines.append(f"{name} = {value:.4g}; it must be {words} {limit:g}")
    return lines


def _figure(measured: dict[str, Any], name: str, file: Path) -> float | None:
    value: Any = measured
    for i, part in enumerate(parts := name.split(".")):
        if not isinstance(value, dict) or part not in value:
            known = ", ".join(sorted(value)) if isinstance(value, dict) else "nothing below it"
            raise InputError(f"{file}: {name}: there is no {'.'.join(parts[: i + 1])!r}; known here: {known}.")
        value = value[part]
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise InputError(f"{file}: {name} is no number; add .value, .low or .high, or name a figure below it.")
    return value
