"""Calibration: the temperature is found again, sets hold what they say level by level, no file fits another model."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from esi_triage.cli.main import app
from esi_triage.errors import InputError
from esi_triage.esi import Case
from esi_triage.predict.calibration import (
    Calibration,
    calibrated_model,
    fit_calibration,
    read_calibration,
    write_calibration,
)
from esi_triage.predict.guard.conformal import cases_needed, conformal_limits, level_set
from esi_triage.predict.guard.known_words import packed, unknown_share, unpacked, word_bits
from esi_triage.predict.model import Model, Reply, ask, one_by_one

SHARES = (0.06, 0.30, 0.45, 0.15, 0.04)


def drawn(n: int, temperature: float, seed: int) -> tuple[list[Case], list[Reply]]:
    """Cases whose true probabilities are known, and a model that is over- or underconfident by `temperature`."""
    dice = np.random.default_rng(seed)
    logits = np.log(SHARES) + dice.normal(0, 1.5, (n, 5))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    told = true**temperature / (true**temperature).sum(axis=1, keepdims=True)
    gold = [int(dice.choice(5, p=row)) + 1 for row in true]
    cases = [
        Case(case_id=str(i), source="made", licence="open", narrative=f"note {i} of {seed}", gold=level)
        for i, level in enumerate(gold)
    ]
    return cases, [Reply(int(row.argmax()) + 1, "", False, tuple(row.tolist())) for row in told]


def fitted(tmp_path: Path, cases: Sequence[Case], replies: Sequence[Reply], rules: Any = None) -> Calibration:
    file = tmp_path / "tuning.jsonl"
    file.write_text("x")
    return fit_calibration("made", "a" * 64, file, cases, replies, rules or [Reply(None, "", False)] * len(cases))


def saying(replies: Sequence[Reply]) -> Model:
    return Model("made", lambda cases: (batch for batch in [list(enumerate(replies))]))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_is_found_again(tmp_path: Path, temperature: float) -> None:
    made = fitted(tmp_path, *drawn(1500, temperature, 1))
    assert made.alone.temperature == pytest.approx(temperature, rel=0.15)
    assert made.alone.brier_after <= made.alone.brier_before + 1e-4


def test_sets_hold_each_level_as_often_as_they_say_on_cases_that_they_have_not_seen(tmp_path: Path) -> None:
    made = fitted(tmp_path, *drawn(2000, 2.0, 2))
    cases, replies = drawn(3000, 2.0, 3)
    for coverage in (0.90, 0.95):
        found = ask(calibrated_model(saying(replies), made, coverage), cases)
        for level in range(1, 6):
            inside = [
                level in (reply.level_set or ()) for case, reply in zip(cases, found, strict=True) if case.gold == level
            ]
            assert np.mean(inside) >= coverage - 0.05, (coverage, level)
    assert ask(saying(replies), cases)[0].level_set is None


@pytest.mark.parametrize(("coverage", "needed"), [(0.90, 9), (0.95, 19), (0.99, 99)])
def test_a_level_with_too_few_cases_is_in_every_set(coverage: float, needed: int) -> None:
    assert cases_needed(coverage) == needed
    for n, has_limit in ((needed, True), (needed - 1, False)):
        limits = conformal_limits(np.full((n, 5), 0.2), np.ones(n, dtype=np.int64), coverage)
        assert (limits[0] is not None) == has_limit
        assert limits[1] is None
    assert 5 in level_set((1.0, 0.0, 0.0, 0.0, 0.0), (0.1, 0.1, 0.1, 0.1, None))


def test_the_limit_is_the_order_statistic_by_hand() -> None:
    """Ten cases of ESI 2 with 1 - p of 0.1 to 1.0: at 90 % the tenth of (10 + 1) * 0.9 = 9.9, the largest."""
    p = np.zeros((10, 5))
    p[:, 1] = 1 - np.arange(1, 11) / 10
    assert conformal_limits(p, np.full(10, 2), 0.90)[1] == pytest.approx(1.0)
    p = np.vstack([p, p])  # 20 cases: the 19th of (20 + 1) * 0.9 = 18.9
    assert conformal_limits(p, np.full(20, 2), 0.90)[1] == pytest.approx(1.0)
    assert conformal_limits(p[:19], np.full(19, 2), 0.90)[1] == pytest.approx(0.9)


@given(
    st.lists(st.floats(0.001, 1), min_size=5, max_size=5), st.lists(st.none() | st.floats(0, 1), min_size=5, max_size=5)
)
def test_a_set_is_contiguous_and_holds_the_likeliest(odds: list[float], limits: list[float | None]) -> None:
    p = np.array(odds) / sum(odds)
    found = level_set(p.tolist(), tuple(limits))
    assert found == tuple(range(found[0], found[-1] + 1))
    assert int(p.argmax()) + 1 in found


def test_a_file_is_read_back_and_is_refused_by_another_model(tmp_path: Path) -> None:
    made = fitted(tmp_path, *drawn(200, 1.0, 4))
    file = tmp_path / "calibration.json"
    write_calibration(made, file)
    assert read_calibration(file, "a" * 64, "made") == made
    with pytest.raises(InputError, match=r"calibration of made .*not of other .*esi calibrate --model other"):
        read_calibration(file, "b" * 64, "other")
    write_calibration(made.model_copy(update={"findings_sha256": "c" * 64}), file)
    with pytest.raises(InputError, match=r"other weights of the rules' findings .*esi calibrate --model made"):
        read_calibration(file, "a" * 64, "made")
    file.write_text("{}")
    with pytest.raises(InputError, match="key 'model' is missing"):
        read_calibration(file, "a" * 64, "made")
    with pytest.raises(InputError, match="cannot be read"):
        read_calibration(tmp_path / "none.json", "a" * 64, "made")


@pytest.mark.parametrize("n", [0, 29])
def test_too_few_cases_are_refused(tmp_path: Path, n: int) -> None:
    with pytest.raises(InputError, match=rf"{n} cases have a gold level"):
        fitted(tmp_path, *drawn(n, 1.0, 5))


def test_what_the_rules_say_is_weighed(tmp_path: Path) -> None:
    """Rules that are always right gain so much that the calibrated level is theirs."""
    cases, replies = drawn(300, 1.0, 6)
    rules = [Reply(case.gold, "", False, possible=(case.gold or 0,)) for case in cases]
    made = fitted(tmp_path, cases, replies, rules)
    assert made.with_rules.brier_after < 0.05 < made.alone.brier_after
    assert (made.alone.rules_level, made.alone.rules_exclude) == (0, 0)


def test_words_are_known_or_not_and_cannot_be_read_back() -> None:
    bits = unpacked(packed(word_bits(["Chest pain, sweating"])))
    assert unknown_share("CHEST PAIN 54", bits) == 0
    assert unknown_share("dolor torácico", bits) == 1
    assert unknown_share("12 34", bits) == 0
    with pytest.raises(ValueError, match="damaged"):
        unpacked("AAAA")


def cli(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    if done.exception:
        raise done.exception
    return done.output


def table(file: Path, rows: list[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_calibrate_writes_a_file_that_only_its_model_takes(tmp_path: Path) -> None:
    notes = [
        {"case_id": str(i), "narrative": f"{40 + i} y/o, cough", "gold": i % 5 + 1, "split": split}
        for i, split in enumerate(["tuning"] * 60 + ["train"] * 10 + ["held_out"] * 5)
    ]
    source, output = table(tmp_path / "t.jsonl", notes), tmp_path / "calibration.json"
    said = cli("calibrate", "--model", "constant:3", "--cases", source, "-o", output)
    assert "60 cases of t.jsonl (15 rows left out)" in said
    assert "ESI 1: 12 cases, fewer than the 19 that a set at 95% needs" in said
    assert "nothing handed over" in said
    scored = tmp_path / "out.jsonl"
    cli("score", "--model", "constant:3", "--calibration", output, "--input", source, "--output", scored)
    assert json.loads(scored.read_text().splitlines()[0])["set"] == [1, 2, 3, 4, 5]
    with pytest.raises(InputError, match="calibration of constant:3"):
        cli("score", "--model", "constant:2", "--calibration", output, "--input", source, "--output", scored)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"gold": None}, "no row has a gold level and the split 'tuning'"),
        ({"split": "train"}, "no row has a gold level and the split 'tuning'"),
    ],
)
def test_a_table_that_cannot_calibrate_is_named(tmp_path: Path, change: dict[str, Any], says: str) -> None:
    row = {"case_id": "1", "narrative": "cough", "gold": 3, "split": "tuning"} | change
    with pytest.raises(InputError, match=says):
        cli(
            "calibrate",
            "--model",
            "constant:3",
            "--cases",
            table(tmp_path / "t.jsonl", [row]),
            "-o",
            tmp_path / "c.json",
        )


def test_a_model_without_probabilities_cannot_be_calibrated(tmp_path: Path) -> None:
    cases, _ = drawn(60, 1.0, 7)
    with pytest.raises(InputError, match="0 cases have a gold level and probabilities"):
        fitted(tmp_path, cases, ask(one_by_one("mute", lambda _: Reply(3, "", False)), cases))
