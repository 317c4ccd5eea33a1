"""The bonus for steps: what earns it, what does not, and what the audit says of a design that can be gamed."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from esi_triage.answer import Reasoning, parse, write
from esi_triage.cli.main import app
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.data.targets import reference_answer
from esi_triage.errors import InputError
from esi_triage.esi import assess
from esi_triage.reward import audit, load_design, reward_functions, score
from esi_triage.reward.audit.bonuses import HONEST
from esi_triage.reward.policy import read_prior
from esi_triage.reward.score.confirmed_steps import confirmed_share, consistent_share
from esi_triage.train.experiment import load_experiment

VERIFIED = load_design("verified")
NOTE = "40 y/o F; c/o feels feverish; poor intake, alert. BP 135/84, HR 83, RR 14, SpO2 100 %, T 39.1 °C."
GOOD = {
    "chief_complaint": "feels feverish",
    "vital_signs": "BP 135/84, HR 83, RR 14, SpO2 100 %, T 39.1 °C",
    "red_flags": "none",
    "step_a": "no",
    "step_b": "no",
    "step_c": "two or more: labs, IV fluids",
    "step_d": "within limits",
}
COPY = NOTE.replace(";", ",")


def answered(level: int = 3, **lines: str) -> str:
    return write(Reasoning(**GOOD | lines), level)


@pytest.mark.parametrize(
    ("text", "confirmed", "consistent"),
    [
        (answered(), 1.0, 1.0),
        (answered(vital_signs="T 102.4 °F, HR 83, RR 14, SpO2 100 %, BP 135/84"), 1.0, 1.0),  # other units
        (answered(vital_signs="HR 83, T 39.1 °C"), 2 / 6, 1.0),  # two of six readings
        (answered(vital_signs="normal"), 0.0, 1.0),
        (answered(chief_complaint="x"), 0.0, 1.0),
        (answered(chief_complaint=COPY, red_flags=COPY), 0.0, 1.0),
        (answered(vital_signs="HR 97, T 39.1 °C"), 0.0, 0.0),  # not in the note
        (answered(step_a="yes, fever"), 0.0, 0.0),  # the engine says no, and it leads to 1
        (answered(step_b="no, label-only"), 0.0, 1.0),
        (answered(step_a="not reached"), 0.5, 1.0),
        (answered(level=4), 0.0, 0.0),  # two resources lead to 3
        ("ANSWER: ESI 3", 0.0, 0.0),
        ("", 0.0, 0.0),
    ],
)
def test_what_is_confirmed_and_what_is_only_not_contradicted(text: str, confirmed: float, consistent: float) -> None:
    decision = assess(NOTE)
    assert [decision.step(point).answer for point in ("A", "B", "C")] == ["no", "no", "undetermined"]
    assert confirmed_share(NOTE, parse(text)) == pytest.approx(confirmed)
    assert consistent_share(NOTE, parse(text)) == consistent


def test_most_reference_answers_are_confirmed_and_none_is_contradicted() -> None:
    cases = list(open_cases(100, seed=3, core=True))
    texts = [parse(reference_answer(case, assess(case.narrative))) for case in cases]
    shares = [confirmed_share(case.narrative, text) for case, text in zip(cases, texts, strict=True)]
    assert np.mean([share > 0.99 for share in shares]) > 0.6
    assert all(consistent_share(case.narrative, text) for case, text in zip(cases, texts, strict=True))


@pytest.mark.parametrize(("gold", "paid", "steps"), [(3, "exact", 0.6), (2, "exact", 0.0), (2, "parsed", 0.6)])
def test_the_bonus_is_paid_as_the_design_says(gold: int, paid: str, steps: float) -> None:
    design = VERIFIED.model_copy(update={"steps_paid": paid})
    assert score(parse(answered()), gold, design, 100, NOTE).steps == pytest.approx(steps)
    assert score(parse("nothing"), gold, design.model_copy(update={"steps_paid": "always"}), 100, NOTE).steps == 0


def test_trl_gets_a_fourth_function_and_asks_for_the_notes() -> None:
    functions = reward_functions(VERIFIED)
    assert [getattr(function, "__name__", "") for function in functions] == ["answer", "format", "length", "steps"]
    given = {"completions": [answered(), answered(level=4)], "completion_ids": [[0] * 90] * 2, "gold": [3, 3]}
    parts = [function(**given, narrative=[NOTE, NOTE]) for function in functions]
    assert parts[3] == pytest.approx([0.6, 0.0])
    assert sum(part[0] for part in parts) == pytest.approx(score(parse(answered()), 3, VERIFIED, 90, NOTE).total)
    with pytest.raises(InputError, match="needs a column 'narrative'"):
        functions[3](**given)
    with pytest.raises(ValueError, match="give the narrative"):
        score(parse(answered()), 3, VERIFIED, 90)


@pytest.mark.parametrize(
    ("means", "paid", "gamed"),
    [
        ("confirmed", "exact", ""),
        ("confirmed", "parsed", ""),
        ("consistent", "exact", "4 of 4 answers that extract or reason nothing earn the bonus for steps where"),
        ("consistent", "parsed", "2 of 4 answers that extract or reason nothing earn the bonus for steps even with"),
    ],
)
def test_the_audit_says_how_steps_are_gamed(means: str, paid: str, gamed: str) -> None:
    design = VERIFIED.model_copy(update={"steps_means": means, "steps_paid": paid})
    found = audit(design, read_prior("mimic-iv-ed", 5))
    steps = found.measured["bonuses"]["steps"]
    assert steps.pop(HONEST)["exact"] == pytest.approx(0.6)
    assert (max(pay["exact"] for pay in steps.values()) > 0) == (means == "consistent")
    assert gamed in " ".join(finding.message for finding in found.findings)
    assert ("reason nothing" in " ".join(finding.message for finding in found.findings)) == bool(gamed)


def test_a_bonus_that_outbids_the_level_is_warned_of() -> None:
    dear = VERIFIED.model_copy(update={"steps_bonus": 1.5, "steps_paid": "parsed"})
    found = audit(dear, read_prior("mimic-iv-ed", 5))
    assert any(f.severity == "warning" and "outbid exactness" in f.message for f in found.findings)
    assert audit(VERIFIED, read_prior("mimic-iv-ed", 5)).verdict == "note"


def test_steps_are_those_of_five_levels(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('name = "mine"\ntable = [[1, 0], [0, 1]]\nno_parse = -1\nsteps_bonus = 0.5\n')
    with pytest.raises(InputError, match="steps are those of ESI"):
        load_design(str(file))


def test_scoring_on_the_command_line_asks_for_the_note(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text(NOTE)
    (tmp_path / "answer.txt").write_text(answered())
    command = ["reward", "score", "verified", "--gold", "3", "--text", str(tmp_path / "answer.txt")]
    told = CliRunner().invoke(app, [*command, "--note", str(tmp_path / "note.txt")])
    assert json.loads(told.stdout)["steps"] == pytest.approx(0.6)
    assert "steps" not in json.loads(CliRunner().invoke(app, ["reward", "score", "v46", *command[3:]]).stdout)
    assert isinstance(CliRunner().invoke(app, command).exception, InputError)


def test_its_experiment_differs_from_audited_s_in_the_reward_only() -> None:
    ours, theirs = (load_experiment(name).model_dump() for name in ("verified", "audited"))
    assert {key for key in ours if ours[key] != theirs[key]} == {"name", "about", "reward", "seed"}
    assert np.array_equal(VERIFIED.rewards, load_design("audited").rewards)
