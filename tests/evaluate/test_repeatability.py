"""Repeatability by hand."""

import pytest

from esi_triage.evaluate.breakdowns.repeatability import repeatability
from esi_triage.evaluate.scored import scored


def test_agreement_entropy_and_unanimity_by_hand() -> None:
    """Four cases asked three times: always 2; 2, 2, 3; 1, 2, 3; never an answer."""
    found = repeatability(scored([2, 2, 1, 4], [2, 2, 1, None]), [[2, 2, 2, None], [2, 3, 3, None]])
    assert found["agreement"]["value"] == pytest.approx((1 + 1 / 3 + 0 + 0) / 4)
    assert found["unanimous"]["value"] == 0.25
    assert found["entropy"]["value"] == pytest.approx((0 + 0.9182958 + 1.5849625 + 0) / 4)
    assert [row["value"] for row in found["exact"]] == [0.75, 0.5, 0.25]
    assert found["commonest_exact"]["value"] == 0.75
    for name in ("agreement", "entropy", "unanimous", "commonest_exact"):
        assert found[name]["low"] <= found[name]["value"] <= found[name]["high"]
        assert found[name]["n"] == 4


def test_always_the_same() -> None:
    found = repeatability(scored([1, 2, 3], [1, 2, 3]), [[1, 2, 3]] * 4)
    assert (found["agreement"]["value"], found["entropy"]["value"], found["k"]) == (1, 0, 5)


@pytest.mark.parametrize("again", [[], [[1]]])
def test_what_cannot_be_compared_is_refused(again: list[list[int | None]]) -> None:
    with pytest.raises(ValueError, match="two samples"):
        repeatability(scored([1, 2], [1, 2]), again)
