from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from esi_triage.esi import Case
from esi_triage.evaluate.measurement import Evaluation
from esi_triage.evaluate.report.card_claims import card_results
from esi_triage.evaluate.report.predicted_shares import QUANTITIES, SharePrediction, predict_shares
from esi_triage.evaluate.scored import scored
from esi_triage.evaluate.statistics.intervals import proportion
from esi_triage.evaluate.statistics.metrics import metrics
from esi_triage.predict.model import Reply


def evaluation(name: str, pairs: Sequence[tuple[int, int | None]]) -> Evaluation:
    cases = [
        Case(case_id=f"{name}-{i}", source="made up", licence="open", narrative="a note", gold=gold)
        for i, (gold, _) in enumerate(pairs)
    ]
    replies = [Reply(level, "", strict=False) for _, level in pairs]
    return Evaluation(name, cases, replies, metrics(scored([gold for gold, _ in pairs], [level for _, level in pairs])))


@dataclass
class World:
    results: dict[str, Evaluation]
    rewards: dict[str, list[tuple[str, int]]]


@pytest.fixture(scope="module")
def world() -> World:
    right = [(1, 1)] * 10 + [(2, 2)] * 30 + [(3, 3)] * 34 + [(4, 4)] * 16 + [(5, 5)] * 10
    half = right[::2] + [(gold, min(gold + 1, 5)) for gold, _ in right[1::2]]
    trained = [*right[:90], (4, 2), (4, 3), (5, 4), (5, None)]
    results = {"v43": evaluation("v43", half), "v45c": evaluation("v45c", half), "v47": evaluation("v47", trained)}
    return World(results, {"v45c": [("v45c", 9000)], "v47": [("v46", 4500), ("v47", 4500)]})


@pytest.fixture(scope="module")
def predictions(world: World) -> dict[str, SharePrediction]:
    found = predict_shares(world.rewards, world.results, card_results(), "v43", 1.0)
    return {row.member: row for row in found}


def test_what_was_measured_is_counted_over_the_right_cases(predictions: dict[str, SharePrediction]) -> None:
    measured = predictions["v47"].measured
    assert measured["no_answer"] == proportion(1, 94)
    assert measured["hedge"] == proportion(2, 3)  # of three wrong answers two are wrong by one; silence is no answer
    assert measured["exact"] == proportion(90, 94)
    assert measured["esi_1"] == proportion(10, 94)


def test_the_card_stands_beside_it_where_it_gives_figures(predictions: dict[str, SharePrediction]) -> None:
    assert predictions["v45c"].card == {}
    assert predictions["v47"].card["hedge"] == proportion(12, 12)  # 24 exact and 36 within one of 36
    assert predictions["v47"].card["exact"] == proportion(24, 36)


def test_the_simulation_foresees_the_collapse_of_v45c_and_none_of_v47(
    predictions: dict[str, SharePrediction],
) -> None:
    assert predictions["v45c"].verdict == "error"  # with the measured warm start, exact in half of the cases
    assert predictions["v47"].verdict != "error"
    assert predictions["v45c"].simulated["esi_1"][0] > 2 * predictions["v47"].simulated["esi_1"][0]
    assert set(predictions["v45c"].simulated) == set(QUANTITIES)


def test_the_simulation_is_measured_at_the_temperature_of_the_evaluation() -> None:
    # notes say little here, so the likeliest level is hardly ever 1 or 5, though at temperature 1 each is drawn as
    # often as it occurs
    gold = [1] * 1 + [2] * 8 + [3] * 51 + [4] * 35 + [5] * 5
    start = evaluation("v43", [(each, 4 if 60 <= i < 66 else 3) for i, each in enumerate(gold)])  # exact in 57
    world = {"v43": start, "v46": evaluation("v46", [(each, 3) for each in gold])}
    (sharp,) = predict_shares({"v46": [("v46", 1)]}, world, card_results(), "v43", 0.1)
    (drawn,) = predict_shares({"v46": [("v46", 1)]}, world, card_results(), "v43", 1.0)
    at_extremes = [found.by_level[0][0] + found.by_level[4][0] for found in (sharp, drawn)]
    assert at_extremes[0] < 0.01
    assert at_extremes[1] == pytest.approx(0.98 * 0.06, abs=0.003)


def test_a_difference_is_marked_where_interval_and_band_have_nothing_in_common() -> None:
    def row(low: float, high: float) -> SharePrediction:
        measured: dict[str, Any] = {"exact": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 100}}
        return SharePrediction("x", "note", {"exact": ((low + high) / 2, low, high)}, measured, {}, [], [])

    assert not row(0.55, 0.7).differs("exact")
    assert row(0.65, 0.7).differs("exact")
    assert row(0.1, 0.39).differs("exact")
