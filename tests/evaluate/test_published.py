"""Published results come out of their published counts: MIETIC's 36 expert cases."""

from typing import Any

import pytest

from esi_triage.evaluate.scored import scored
from esi_triage.evaluate.statistics.intervals import proportion
from esi_triage.evaluate.statistics.metrics import metrics
from esi_triage.evaluate.statistics.paired_tests import mcnemar, needed

MIETIC = [1] * 14 + [2] * 11 + [3] * 5 + [4] * 4 + [5] * 2
GPT5 = [[12, 2, 0, 0, 0], [1, 10, 0, 0, 0], [0, 1, 4, 0, 0], [0, 0, 0, 4, 0], [0, 0, 0, 0, 2]]
GPT41 = [[12, 2, 0, 0, 0], [0, 11, 0, 0, 0], [0, 2, 3, 0, 0], [0, 0, 0, 4, 0], [0, 0, 0, 1, 1]]


def cases(table: list[list[int]]) -> tuple[list[int], list[int | None]]:
    """Gold and predicted from a confusion matrix, rows gold."""
    cells = [(g, p) for g, row in enumerate(table, 1) for p, n in enumerate(row, 1) for _ in range(n)]
    return [g for g, _ in cells], [p for _, p in cells]


@pytest.mark.parametrize(
    ("table", "exact", "qwk", "macro_f1", "under", "over"),
    [(GPT5, 32, 0.961, 0.922, 2, 2), (GPT41, 31, 0.948, 0.815, 2, 3)],
    ids=["GPT-5", "GPT-4.1"],
)
def test_gpt_on_mietic(table: list[list[int]], exact: int, qwk: float, macro_f1: float, under: int, over: int) -> None:
    gold, predicted = cases(table)
    found = metrics(scored(gold, predicted))
    assert gold == MIETIC
    assert found["exact"]["value"] == exact / 36
    assert found["within_one"]["value"] == 1
    assert found["qwk"]["value"] == pytest.approx(qwk, abs=5e-4)
    assert found["macro_f1"]["value"] == pytest.approx(macro_f1, abs=5e-4)
    assert found["under_triage"]["value"] == under / 36
    assert found["over_triage"]["value"] == over / 36


@pytest.mark.parametrize(
    ("k", "percent"),
    [
        (27, (75.0, 58.9, 86.2)),
        (28, (77.8, 61.9, 88.3)),
        (30, (83.3, 68.1, 92.1)),
        (31, (86.1, 71.3, 93.9)),
        (32, (88.9, 74.7, 95.6)),
        (34, (94.4, 81.9, 98.5)),
        (36, (100.0, 90.4, 100.0)),
    ],
)
def test_wilson_of_the_published_counts(k: int, percent: tuple[float, float, float]) -> None:
    found: Any = proportion(k, 36)
    assert tuple(round(100 * found[key], 1) for key in ("value", "low", "high")) == percent


@pytest.mark.parametrize(
    ("level", "exact", "within_one", "under", "over"),
    [(1, 14, 25, 0, 22), (2, 11, 30, 14, 11), (3, 5, 20, 25, 6)],
)
def test_constants_on_mietic(level: int, exact: int, within_one: int, under: int, over: int) -> None:
    """The mistake of a table without trivial rows: always ESI-2 is within one on 83 % of these cases."""
    found = metrics(scored(MIETIC, [level] * 36))
    counts = {name: round(found[name]["value"] * 36) for name in ("exact", "within_one", "under_triage", "over_triage")}
    assert counts == {"exact": exact, "within_one": within_one, "under_triage": under, "over_triage": over}
    assert found["qwk"]["value"] == pytest.approx(0)


def test_always_two_on_real_visits_is_nearly_always_within_one() -> None:
    """12, 45, 42.5 and 0.5 % of visits: 45 % exact, 99.5 % within one, 87.5 % on the one-sided range."""
    gold = [1] * 120 + [2] * 450 + [3] * 425 + [4] * 5
    found = metrics(scored(gold, [2] * 1000))
    assert (found["exact"]["value"], found["within_one"]["value"]) == (0.45, 0.995)
    assert found["exact_or_one_over"]["value"] == 0.875


def test_thirty_six_cases_cannot_rank_neighbours() -> None:
    """The mistake of ranking on one-case gaps: even without a reversal six of 36 cases must differ."""
    assert (mcnemar(6, 0), mcnemar(5, 0)) == (0.03125, 0.0625)
    assert (needed(6), needed(5)) == (6, None)
    best, card = proportion(32, 36), proportion(27, 36)
    assert (card["high"] or 0) > (best["low"] or 0)
