"""Recommended designs: they follow the costs, pass their audit, and cost less than v46 where costs are what counts."""

import numpy as np
import pytest

from esi_triage.evaluate.statistics.costs import load_costs
from esi_triage.reward.policy import read_prior, warm_start
from esi_triage.reward.recommendation import (
    recommend,
    recommendation_as_json,
    recommendation_as_text,
    trainer_settings,
)

MIMIC = read_prior("mimic-iv-ed", 5)


@pytest.mark.parametrize("skill", [0.6, 0.8])
def test_for_our_costs_the_design_has_no_error_and_is_no_dearer_than_v46(skill: float) -> None:
    found = recommend(MIMIC, load_costs(), warm_start(MIMIC, skill))
    assert not found[0].audit.reaches("error")
    assert found[-1].design.name == "v46"
    assert found[0].cost <= min(one.cost for one in found)
    text = recommendation_as_text(found)
    assert "Cheapest by these costs: recommended" in text
    assert "v46" in text
    assert recommendation_as_json(found)["trainer"] == trainer_settings(found[0])


def test_what_costs_more_pays_less_and_the_exact_answer_most() -> None:
    costs = load_costs()
    table = np.array(recommend(MIMIC, costs, warm_start(MIMIC))[0].design.table)
    for gold in range(5):
        for one in range(5):
            for other in range(5):
                assert (costs[gold, one] < costs[gold, other]) == (table[gold, one] > table[gold, other])


def test_seven_levels_have_names_of_their_own_and_no_triage() -> None:
    distance = np.abs(np.subtract.outer(np.arange(7), np.arange(7))).astype(float)
    costs = np.column_stack([distance, np.full(7, 7.0)])
    prior = np.full(7, 1 / 7)
    found = recommend(prior, costs, warm_start(prior), tuple("ABCDEFG"), "neither")
    text = recommendation_as_text(found)
    assert "finds A" in text
    assert "ESI" not in text
    assert found[0].exact > 0.5
