"""`esi triage`: one narrative."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..notice import NOTICE
from ..reading import given_narrative
from .output import TextOrJson, is_quiet, print_json
from .score import CalibrationFile, Fast, Seed

if TYPE_CHECKING:
    from ..esi import Findings
    from ..predict import Model, Reply


def triage(
    narrative: Annotated[str, typer.Argument(help="the triage narrative, in quotes; - reads standard input")],
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="guard, guard:MODEL, rules, a model that ships (esi models), a run folder, an adapter, a base, or "
            "constant:1 to constant:5 [default: guard]",
        ),
    ] = None,
    form: TextOrJson = "text",
    seed: Seed = None,
    fast: Fast = False,
    calibration: CalibrationFile = None,
) -> None:
    """Assign an ESI level to one narrative and show how it was reached.

    Text that is no triage note gets no level ("level": null in JSON), and the exit code is 0; where the model gave no
    reply, standard error ("error" in JSON) says why, and it is 1. Where there is a reason to hand over, a person
    decides, and the level is the best single answer: the one whose errors cost least, not always the most probable.

    Example: esi triage "54 y/o M, chest pain radiating to the left arm, sweating. BP 150/90, HR 104, SpO2 96 %"
    """
    from ..predict import ask, load_model, text_case

    text = given_narrative(narrative)
    loaded = load_model(model or "guard", seed, fast=fast, calibration=calibration)
    (reply,) = ask(loaded, [text_case(text)])
    if form == "json":
        print_json(_as_json(loaded, reply, text))
        raise typer.Exit(1 if reply.error else 0)
    if reply.error:
        typer.echo(f"{_meaning(reply)}  (model: {loaded.name})", err=True)
        raise typer.Exit(1)
    read_by_rules = reply.possible is not None and reply.level is not None
    for place, line in enumerate(_summary(loaded, reply, text if read_by_rules else None)):
        typer.secho(line, bold=place == 0)
    typer.echo(NOTICE)
    if is_quiet():
        return
    if read_by_rules:
        from ..esi import read
        from .explain import print_reading

        typer.echo(f"\n{_steps(reply, text)}\n")
        print_reading(text, read(text))
    elif reply.text not in reply.warnings:
        typer.echo(f"\n{reply.text}")


def _steps(reply: "Reply", note: str) -> str:
    """The answer's text. Where it is the rules' reading of `note` and another level was answered, it says so instead of
    ending in an answer that its steps do not lead to."""
    from ..esi import decide, read
    from ..predict.rules_model import decision_text

    findings = read(note)
    decision = decide(findings)
    if decision.level == reply.level or reply.text != decision_text(findings, decision, reply.level):
        return reply.text
    steps = reply.text.rpartition("\nANSWER:")[0].rstrip()
    return f"How the rules read the note (they come to ESI {decision.level}):\n\n{steps}"


def _meaning(reply: "Reply") -> str:
    from ..esi import Level

    if reply.level is not None:
        return Level(reply.level).meaning
    if reply.error:
        return f"no reply: {reply.error}"
    return reply.warnings[0] if reply.warnings else "no level could be read from the model's answer"


def _summary(model: "Model", reply: "Reply", note: str | None) -> list[str]:
    """The level with its meaning or why a person decides, what stays possible, and what must be known of the model.

    `note` is the narrative where the rules took part: what it does not record is told.
    """
    from ..page import probability_text
    from ..predict.guard.hand_over import in_words

    meaning = _meaning(reply)
    said = f"ESI {reply.level}: {meaning}" if reply.level else f"{meaning[0].upper()}{meaning[1:]}"
    if reply.level is None and reply.text in reply.warnings:  # no note: there is nothing to be likely
        lines = [said]
    elif reply.hand_over:
        lines = [f"A PERSON DECIDES: {'; '.join(in_words(reply.hand_over))}.", f"Best single answer: {said}"]
    else:
        lines = [said]
    lines[-1] += f"  (model: {model.name})"
    if reply.level_set is not None:
        lines.append(f"Nine in ten such notes have a level of these: {_levels(reply.level_set) or 'no level'}.")
    if reply.probabilities:
        chances = (f"ESI {level} {probability_text(p)}" for level, p in enumerate(reply.probabilities, 1))
        lines.append(f"Probabilities: {', '.join(chances)}.")
    if reply.level is not None and reply.possible is not None:
        others = _levels(level for level in reply.possible if level != reply.level)
        if reply.level in reply.possible:
            lines.append(f"The note leaves open: {others or 'no other level'}.")
        else:
            lines.append(f"The rules allow: {others or 'no level'} only.")
    if note is not None:
        from ..esi import read

        missing = ", ".join(_missing_signs(read(note)))
        lines.append(f"Vital signs that are not recorded: {missing}." if missing else "Every vital sign is recorded.")
    lines += [f"Warning: {said}." for said in reply.warnings if reply.level is not None]
    return lines + ([f"Note: {model.notice}."] if model.notice else [])


def _levels(levels: Iterable[int]) -> str:
    return ", ".join(f"ESI {level}" for level in levels)


def _missing_signs(findings: "Findings") -> list[str]:
    """The vital signs that the note does not give."""
    from ..esi import VITAL_SIGNS

    return [sign.label for sign in VITAL_SIGNS if getattr(findings.vitals, sign.name) is None]


def _as_json(model: "Model", reply: "Reply", narrative: str) -> dict[str, Any]:
    from ..answer import lines_of
    from ..esi import decide, read
    from ..predict.guard.hand_over import in_words

    codes, findings = reply.hand_over, read(narrative) if reply.possible is not None else None
    return {
        "level": reply.level,
        "meaning": _meaning(reply),
        "probabilities": reply.probabilities,
        "set": reply.level_set,
        "hand_over": [{"code": code, "says": said} for code, said in zip(codes, in_words(codes), strict=True)],
        "possible": reply.possible,
        "warnings": [*reply.warnings, *([model.notice] if model.notice else [])],
        "answer": reply.text,
        "steps": lines_of(reply.text),
        "decision": decide(findings).to_dict() if findings else None,
        "not_recorded": _missing_signs(findings) if findings else None,
        "strict": reply.strict,
        "truncated": reply.truncated,
        "error": reply.error,
        "model": model.name,
        "notice": NOTICE,
    }
