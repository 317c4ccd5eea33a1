"""The small language of the catalogue's conditions: `"fever + neck-stiffness"`, `"age >= 65 + not alert"`.

A condition is a conjunction. A term is the name of a finding, `not` a name, or a comparison of a measure with a number.
Truth is three-valued: a comparison with a measure that was not recorded is null, neither true nor false. So is the term
`unsaid`, for a danger that hangs on what the note does not tell: `"unsaid + not well-said"`.
"""

import operator
import re
from collections.abc import Callable, Mapping, Set
from typing import NamedTuple

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MEASURES = ("age", "temp", "hr", "rr", "spo2", "sbp", "dbp", "pain", "gcs", "glucose", "shock_index")
"""Names on the left of a comparison. Age is in years, or in months written `3m`; temp in °C; glucose in mg/dL;
shock_index is heart rate over systolic pressure."""


class Term(NamedTuple):
    """One part of a condition."""

    name: str
    negated: bool = False
    operator: str | None = None
    number: float = 0.0


Condition = tuple[Term, ...]


def parse_condition(line: str) -> Condition:
    """Read one line of the language. Raises ValueError where a term is malformed."""
    return tuple(_parse_term(part.strip()) for part in line.split(" + "))


def _parse_term(text: str) -> Term:
    comparison = re.fullmatch(r"(\w+)\s*(<=|>=|<|>)\s*([\d.]+)(m?)", text)
    if comparison:
        name, sign, number, months = comparison.groups()
        if name not in MEASURES:
            raise ValueError(f"unknown measure {name!r} in condition {text!r}; expected one of {', '.join(MEASURES)}")
        return Term(name, False, sign, float(number) / 12 if months else float(number))
    if not re.fullmatch(r"(not )?[a-z0-9-]+", text):
        raise ValueError(f"cannot read the condition {text!r}")
    return Term(text.removeprefix("not "), text.startswith("not "))


def holds(condition: Condition, present: Set[str], measures: Mapping[str, float | None]) -> bool | None:
    """True, False, or null where it hangs on a measure that was not recorded."""
    answer: bool | None = True
    for term in condition:
        truth = _term_holds(term, present, measures)
        if truth is False:
            return False
        if truth is None:
            answer = None
    return answer


def _term_holds(term: Term, present: Set[str], measures: Mapping[str, float | None]) -> bool | None:
    if term.name == "unsaid":
        return None
    if term.operator is None:
        return term.name == "always" or ((term.name in present) != term.negated)
    value = measures.get(term.name)
    return None if value is None else _OPERATORS[term.operator](value, term.number)
