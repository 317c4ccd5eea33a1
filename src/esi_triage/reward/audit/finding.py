"""What a check says: numbers always, findings where there is something to say."""

from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal, NamedTuple

from ...reading import read_toml

Severity = Literal["note", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("note", "warning", "error")
WORDS = read_toml(resources.files("esi_triage.reward.audit") / "words.toml")
TITLES: dict[str, str] = WORDS["titles"]  # by the code of the check, which findings and JSON keep
LESSONS: dict[str, str] = WORDS["lessons"]


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One thing a reward design invites.

    Severity goes by principle. error: GRPO's mean update, followed from the warm start, ends in one level or in no
    answer. warning: an incentive that longer training can mine. note: the rest.
    """

    check: str
    severity: Severity
    message: str
    numbers: dict[str, Any]
    lesson: str


class Checked(NamedTuple):
    """What one check measured (plain values for JSON), and its findings."""

    measured: dict[str, Any]
    findings: list[AuditFinding]


def signed(value: float) -> str:
    """A reward for people: two decimals with its sign, and no negative zero."""
    return f"{round(value, 2) + 0.0:+.2f}"


def short_percent(share: float) -> str:
    """A share for people: whole per cents, with a decimal under ten."""
    return f"{100 * share:.0f} %" if share >= 0.0995 or share == 0 else f"{100 * share:.1f} %"


def listed(words: list[str], most: int = 4) -> str:
    """Words joined for a sentence; the rest is counted."""
    shown = words if len(words) <= most else [*words[: most - 1], f"{len(words) - most + 1} more"]
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1]


def called(cells: list[list[str]]) -> str:
    """Cells of the table, by the names of gold and answer, for a sentence."""
    return listed([f"{gold} called {answer}" for gold, answer in cells])
