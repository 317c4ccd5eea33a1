"""What a report is made of: sections with tables, and how a figure is written."""

from dataclasses import dataclass, field
from typing import Any

NOT_DEFINED = "–"
SCALES = {"esi": "ESI", "us-5-level": "US five-level", "ktas": "KTAS"}


@dataclass(frozen=True, slots=True)
class Table:
    """A head and rows of text; `words` are the columns that hold sentences, from 0."""

    head: list[str]
    rows: list[list[str]]
    words: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """A heading, sentences before the tables, the tables, the figures by name, and what must be known to read them."""

    title: str
    lead: str = ""
    tables: list[Table] = field(default_factory=list)
    figures: tuple[str, ...] = ()
    note: str = ""


def number(figure: Any, signed: bool = False) -> str:
    """`0.961 (0.902 to 0.990)`: a figure that is no share."""
    if figure["value"] is None or figure["low"] is None:
        return NOT_DEFINED
    form = "{:+.3f}" if signed else "{:.3f}"
    return "{} ({} to {})".format(*(form.format(figure[key]) for key in ("value", "low", "high")))


def points(figure: Any) -> str:
    """`+12.5 (+4 to +21)`: a difference of shares in points of per cent."""
    if figure["value"] is None or figure["low"] is None:
        return NOT_DEFINED
    value, low, high = (100 * figure[key] for key in ("value", "low", "high"))
    return f"{round(value, 1) + 0.0:+.1f} ({round(low) + 0:+d} to {round(high) + 0:+d})"


def said(name: str) -> str:
    """A baseline's name in words."""
    if name.startswith("constant:"):
        return f"always ESI-{name[-1]}"
    names = {"random": "chance (by the shares of gold)", "rules": "rules (ESI engine)", "human": "human (at triage)"}
    return names.get(name, name)
