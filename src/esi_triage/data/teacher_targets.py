"""Training targets written by a teacher model behind an OpenAI-compatible endpoint, kept only where they pass.

The teacher is told the level and asked for the reasoning. What it writes must pass every check that our own reference
answers pass; where it does not, the reference answer is taken. Credentialed rows go to this machine's own address only.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..answer import load_prompt, messages, parse, verify
from ..atomic_files import whole
from ..chat_endpoint import Endpoint, EndpointError, complete_all
from ..errors import InputError
from ..esi import Case, Decision, assess
from ..progress import bar
from ..resume_cache import close, opened
from .case_table import read_rows
from .credentialed import is_loopback, refuse_remote
from .targets import reference_answer

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


def targets(cases: Sequence[Case], teacher: Endpoint | None = None, output: Path | None = None) -> Iterator[Target]:
    """One target a labelled case, in order: our reference answer, or the teacher's text where it passes.

    With `output` the teacher's texts are kept beside it as they come, and those of a run that was cut short are taken
    up. Raises InputError before anything is sent where a row is credentialed and the teacher is not on this machine,
    and where nothing at its address answers as an OpenAI-compatible endpoint does.
    """
    if teacher is None:
        yield from (Target(reference_answer(case, assess(case.narrative)), False) for case in cases)
        return
    refuse_remote([case.licence for case in cases], teacher.url)
    answers = _answers(cases, teacher, output)
    yield from (_target(case, answer) for case, answer in zip(cases, answers, strict=True))
    if output is not None:
        close(output, answers)


@dataclass(frozen=True, slots=True)
class _TeacherAnswer:
    """What the teacher wrote, or why nothing came."""

    text: str
    error: str | None = None


def _answers(cases: Sequence[Case], teacher: Endpoint, output: Path | None) -> list[_TeacherAnswer]:
    questions = [
        case.model_copy(update={"narrative": f"{case.narrative}\n\n{_TOLD.format(gold=case.gold)}"}) for case in cases
    ]
    with bar(f"{teacher.model} writes", len(cases), "case") as shown:
        if output is None:
            return _asked(questions, teacher, {}, lambda _: None, shown.update)
        with opened(output, _identity(teacher), _TeacherAnswer) as cache:
            known = {place: answer for place, case in enumerate(questions) if (answer := cache.get(case))}
            shown.update(len(known))
            return _asked(questions, teacher, known, cache.keep, shown.update)


def _asked(
    questions: Sequence[Case],
    teacher: Endpoint,
    known: Mapping[int, _TeacherAnswer],
    keep: Callable[[list[tuple[Case, _TeacherAnswer]]], object],
    advance: Callable[[int], object],
) -> list[_TeacherAnswer]:
    """The teacher's answers in order; those that are not `known` are asked, and kept one by one."""
    answers = dict(known)
    asked = [place for place in range(len(questions)) if place not in known]
    prompt = load_prompt()
    chats = [messages(questions[place].narrative, prompt) for place in asked]
    for i, found in complete_all(teacher, chats, proxies=not is_loopback(teacher.url)):
        failed = isinstance(found, EndpointError)
        answer = _TeacherAnswer("", str(found)) if failed else _TeacherAnswer(found.text.strip())
        answers[asked[i]] = answer
        keep([(questions[asked[i]], answer)])
        advance(1)
    return [answers[place] for place in range(len(questions))]


def _identity(teacher: Endpoint) -> str:
    """All that decides what the teacher writes on a question."""
    settings = [teacher.url, teacher.model, load_prompt().sha256, dict(teacher.parameters)]
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()


def _target(case: Case, answer: _TeacherAnswer) -> Target:
    engine = assess(case.narrative)
    why_not = answer.error or failing(answer.text, case, engine)
    return Target(answer.text, True) if why_not is None else Target(reference_answer(case, engine), False, why_not)


def write_targets(cases: Sequence[Case], teacher: Endpoint | None, output: Path) -> tuple[int, int]:
    """Write case_id, target, taught and why_not of each labelled case as JSON lines; returns how many, how many taught.

    An experiment trains on them with `data.targets`. A run that was killed goes on where it was.
    """
    labelled = [case for case in cases if case.gold is not None]
    taught = 0
    private = any(case.licence != "open" for case in labelled)
    with whole(output, private) as temporary, temporary.open("w", encoding="utf-8") as stream:
        for case, target in zip(labelled, targets(labelled, teacher, output), strict=True):
            row = {"case_id": case.case_id, "target": target.text, "taught": target.taught, "why_not": target.why_not}
            stream.write(json.dumps(row, ensure_ascii=False) + "\n")
            taught += target.taught
    return len(labelled), taught


def read_targets(file: Path) -> dict[str, str]:
    """Targets by case_id. Raises InputError for a file or a line that is none."""
    if not file.is_file():
        raise InputError(f"{file}: there is no such file; write it with `esi data targets`.")
    found: dict[str, str] = {}
    for number, row in enumerate(read_rows(file), start=1):
        case_id, target = (row.get("case_id"), row.get("target")) if isinstance(row, dict) else (None, None)
        if not isinstance(case_id, str) or not isinstance(target, str):
            raise InputError(f"{file}: line {number} has no case_id and target; write it with `esi data targets`.")
        if case_id in found:
            raise InputError(f"{file}: line {number}: case_id {case_id[:80]!r} occurs a second time; keep one.")
        found[case_id] = target
    return found
