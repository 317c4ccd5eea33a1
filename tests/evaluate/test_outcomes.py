"""Outcomes after triage: AUROC and AUPRC against scikit-learn, pairing, and who of the sick is called not urgent."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from esi_triage.evaluate.breakdowns.outcome_figures import GOLD, expected_levels, outcome_figures
from esi_triage.evaluate.scored import scored
from esi_triage.evaluate.statistics.discrimination import ranked, urgency_of
from esi_triage.predict.model import Reply

RNG = np.random.default_rng(4)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(1, 5), st.booleans()), min_size=2, max_size=60))
def test_ranking_is_scikit_learn_s(rows):
    levels, outcome = [float(level) for level, _ in rows], np.array([came for _, came in rows])
    urgency = urgency_of(levels, outcome)
    low = np.array([level >= 3 for level in levels])
    (found,) = ranked([urgency], [low], outcome, np.arange(len(rows)), 3, 0)
    if 0 < outcome.sum() < len(rows):
        assert found.value[0] == pytest.approx(roc_auc_score(outcome, urgency))
        assert found.value[1] == pytest.approx(average_precision_score(outcome, urgency))
        assert found.value[2] == pytest.approx(low[outcome].mean())
    else:
        assert np.isnan(found.value[0])


def test_the_bootstrap_is_that_of_whole_clusters_drawn_one_by_one():
    n = 300
    outcome, clusters = RNG.random(n) < 0.3, RNG.integers(0, 25, n)
    urgency = RNG.normal(size=n) + outcome
    (found,) = ranked([urgency], [urgency < 0], outcome, clusters, 1500, 0)
    slow = []
    for _ in range(1500):
        drawn = np.concatenate([np.flatnonzero(clusters == c) for c in RNG.integers(0, 25, 25)])
        slow.append(roc_auc_score(outcome[drawn], urgency[drawn]))
    assert np.std(found.drawn[:, 0]) == pytest.approx(np.std(slow), rel=0.15)


def _visits(n: int = 3000, silent: float = 0.0) -> tuple[list[int], list[int | None], list[bool | None]]:
    """Visits whose level and whose outcome both come from how ill they are; the model sees it better than the nurse."""
    ill = RNG.normal(size=n)
    came: list[bool | None] = (ill + RNG.normal(size=n) > 2.2).tolist()

    def levels(noise: float) -> list[int]:
        return np.clip(np.round(3 - 1.1 * (ill + noise * RNG.normal(size=n))), 1, 5).astype(int).tolist()

    nurse, model = levels(1.0), levels(0.2)
    return nurse, [None if RNG.random() < silent else level for level in model], came


def test_does_the_model_rank_what_came_better_than_the_nurse():
    nurse, model, came = _visits()
    found = outcome_figures(scored(nurse, model), {"critical": came}, {"model": (model, model)})["critical"]
    assert (found["n"], found["events"], found["missing"]) == (3000, sum(filter(None, came)), 0)
    less = found["rows"]["model"]["differences"]
    assert less["auroc"]["low"] > 0
    assert less["auroc"]["value"] == pytest.approx(
        found["rows"]["model"]["auroc"]["value"] - found["rows"][GOLD]["auroc"]["value"]
    )
    same = outcome_figures(scored(nurse, nurse), {"critical": came}, {"nurse": (nurse, nurse)})["critical"]
    assert same["rows"]["nurse"]["differences"]["auroc"] == {"value": 0, "low": 0, "high": 0, "n": 3000}


def test_no_answer_never_pays():
    nurse, model, came = _visits(silent=0.3)
    spoken = [level or 3 for level in model]
    rows = {"silent": (model, model), "spoken": (spoken, spoken)}
    found = outcome_figures(scored(nurse, model), {"critical": came}, rows)["critical"]["rows"]
    for name in ("auroc", "auprc"):
        assert found["silent"][name]["value"] < found["spoken"][name]["value"]
    assert found["silent"]["placed_3_to_5"]["value"] >= found["spoken"]["placed_3_to_5"]["value"]


def test_cases_without_a_recorded_outcome_are_counted_not_taken_for_0():
    found = outcome_figures(scored([1, 2, 3, 4], [1, 2, 3, 4]), {"died": [True, None, False, None]}, {})["died"]
    assert (found["n"], found["events"], found["missing"]) == (2, 1, 2)
    never = outcome_figures(scored([1, 2], [1, 2]), {"died": [False, False]}, {})["died"]
    assert never["rows"][GOLD]["auroc"]["value"] is None
    unknown = outcome_figures(scored([1, 2], [1, 2]), {"died": [None, None]}, {"m": ([1, 2], [1, 2])})["died"]
    assert (unknown["n"], unknown["events"], unknown["missing"]) == (0, 0, 2)
    assert unknown["rows"]["m"]["differences"]["auroc"] == {"value": None, "low": None, "high": None, "n": 0}


def test_probabilities_rank_by_the_expected_level():
    replies = [Reply(3, "", False, (0.0, 0.4, 0.6, 0.0, 0.0)), Reply(2, "", False), Reply(None, "", False)]
    assert expected_levels(replies) == [pytest.approx(2.6), 2, None]
