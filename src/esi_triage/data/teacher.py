"""Training targets written by a teacher model behind an OpenAI-compatible endpoint, kept only where they pass.

The teacher is told the level and asked for the reasoning. What it writes must pass every check that our own reference
answers pass; where it does not, the reference answer is taken. Credentialed rows go to this machine's own address only.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from ..answer import load_prompt, messages, parse, verify
from ..endpoint import Endpoint, EndpointError, Pace, complete, open_client
from ..errors import InputError
from ..esi import Case, Decision, triage
from ..files import whole
from ..progress import bar
from .credentialed import is_loopback, refuse_remote
from .rationale import reference_answer

LONGEST = 150  # words
_TOLD = "(The level assigned by the triage nurse is ESI {gold}. Write the full format, and reach this level.)"


@dataclass(frozen=True, slots=True)
class Target:
    """A training target and whether the teacher wrote it; `why_not` says what its text failed."""

    text: str
    taught: bool
    why_not: str | None = None


def failing(text: str, case: Case, engine: Decision) -> str | None:
    """What keeps a text from being a training target for this case, or null: format, level, length, consistency."""
    answer = parse(text)
    if not answer.strict:
        return "not the format"
    if answer.level != case.gold:
        return f"level {answer.level}, not {case.gold}"
    if len(text.split()) >= LONGEST:
        return f"{LONGEST} words or more"
    found = verify(case.narrative, answer, engine)
    if found.unsupported:
        return f"numbers that the note lacks: {', '.join(found.unsupported)}"
    if found.follows != "agree":
        return "the level does not follow from the steps"
    wrong = [name for name, verdict in found.steps.items() if verdict == "disagree"]
    return f"the engine disagrees at {', '.join(wrong)}" if wrong else None


def targets(cases: Sequence[Case], teacher: Endpoint | None = None) -> Iterator[Target]:
    """One target a labelled case, in order: our reference answer, or the teacher's text where it passes.

    Raises InputError before anything is sent where a row is credentialed and the teacher is not on this machine, and
    where nothing at its address answers as an OpenAI-compatible endpoint does.
    """
    if teacher is None:
        yield from (Target(reference_answer(case, triage(case.narrative)), False) for case in cases)
        return
    refuse_remote([case.licence for case in cases], teacher.url)
    pace = Pace(teacher.rate)
    with open_client(teacher, proxies=not is_loopback(teacher.url)) as client:
        for case in cases:
            yield _taught(case, teacher, client, pace)


def _taught(case: Case, teacher: Endpoint, client: httpx.Client, pace: Pace) -> Target:
    engine = triage(case.narrative)
    chat = messages(f"{case.narrative}\n\n{_TOLD.format(gold=case.gold)}", load_prompt())
    try:
        text = complete(client, teacher, chat, pace).text.strip()
        why_not = failing(text, case, engine)
    except EndpointError as failure:
        text, why_not = "", str(failure)
    return Target(text, True) if why_not is None else Target(reference_answer(case, engine), False, why_not)


def write_targets(cases: Sequence[Case], teacher: Endpoint | None, output: Path) -> tuple[int, int]:
    """Write case_id, target, taught and why_not of each labelled case as JSON lines; returns how many, how many taught.

    An experiment trains on them with `data.targets`.
    """
    labelled = [case for case in cases if case.gold is not None]
    taught = 0
    with (
        whole(output) as temporary,
        temporary.open("w", encoding="utf-8") as stream,
        bar("targets", len(labelled), "case") as shown,
    ):
        for case, target in zip(labelled, targets(labelled, teacher), strict=True):
            row = {"case_id": case.case_id, "target": target.text, "taught": target.taught, "why_not": target.why_not}
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
            taught += target.taught
            shown.update()
    return len(labelled), taught


def read_targets(file: Path) -> dict[str, str]:
    """Targets by case_id. Raises InputError for a file or a line that is none."""
    if not file.is_file():
        raise InputError(f"{file}: there is no such file; write it with `esi data targets`.")
    found: dict[str, str] = {}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
            found[row["case_id"]] = row["target"]
        except (ValueError, KeyError, TypeError):
            raise InputError(
                f"{file}: line {number} has no case_id and target; write it with `esi data targets`."
            ) from None
    return found
