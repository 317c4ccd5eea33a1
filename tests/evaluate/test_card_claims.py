"""The card's claims: each verdict on results made to show it, and to show its opposite."""

import pytest

from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.esi import Case
from esi_triage.evaluate.measurement import Evaluation
from esi_triage.evaluate.report.card_claims import card_results, check_claims
from esi_triage.evaluate.scored import scored
from esi_triage.evaluate.statistics.metrics import metrics
from esi_triage.predict.model import Reply

CASES = list(open_cases(400))
GOLD = [case.gold for case in CASES if case.gold is not None]


def result(name: str, predicted: list[int | None], cases: list[Case] = CASES) -> Evaluation:
    return Evaluation(name, cases, [Reply(level, "", False) for level in predicted], metrics(scored(GOLD, predicted)))


def off(share: float, level: int | None = None) -> list[int | None]:
    """The gold, but for the first `share` of cases: one level off, or `level`."""
    wrong = int(share * len(GOLD))
    return [(g % 5 + 1 if level is None else level) if i < wrong else g for i, g in enumerate(GOLD)]


def verdicts(**results: list[int | None]) -> list[str]:
    return [claim.verdict for claim in check_claims({name: result(name, p) for name, p in results.items()})]


def test_the_card_s_own_table_is_its_counts() -> None:
    card = card_results()
    assert card["v46"]["exact"]["value"] == pytest.approx(0.778, abs=1e-3)
    assert card["v47"]["within_one"]["value"] == 1.0
    assert card["v48"]["no_parse"]["value"] == 0.25
    assert card["v43"]["about"]
    assert "exact" not in card["v45c"]


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [(0.4, 0.2, "seen here too"), (0.3, 0.3, "not seen here"), (0.2, 0.4, "the opposite was seen here")],
)
def test_better_than_the_warm_start(before: float, after: float, verdict: str) -> None:
    assert verdicts(v43=off(before), v46=off(after)) == [verdict]


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.8, "seen here too"), (0.3, "seen here in part"), (0.0, "not seen here")]
)
def test_collapse_to_the_most_urgent(share: float, verdict: str) -> None:
    wrong = int(share * len(GOLD))
    pulled: list[int | None] = [1 if i < wrong else g for i, g in enumerate(GOLD)]
    assert verdicts(v43=list(GOLD), v45c=pulled) == [verdict]


def test_hedging_is_nearer_and_less_exact() -> None:
    far: list[int | None] = [(1 if g > 3 else 5) if i % 3 == 0 else g for i, g in enumerate(GOLD)]
    near: list[int | None] = [3 if g in (2, 4) else g for g in GOLD]
    hedged: list[int | None] = [g + 1 if g < 5 and i % 2 else g for i, g in enumerate(GOLD)]
    assert verdicts(v46=far, v47=near)[1] == "seen here too"
    assert verdicts(v46=list(GOLD), v47=hedged) == ["seen here too", "not seen here"]


def test_four_hospitals_are_four_votes_not_four_hundred() -> None:
    """Every hospital agrees with each claim, and four that do are no proof."""
    cases = [case.model_copy(update={"group": f"hospital {i % 4}"}) for i, case in enumerate(CASES)]
    far = [1 if g > 3 else 5 for g in GOLD]
    members: dict[str, list[int | None]] = {
        name: [*far[:wrong], *GOLD[wrong:]] for name, wrong in (("v43", 200), ("v46", 100))
    }
    members["v47"] = [g - 1 if g > 1 else 2 for g in GOLD]
    assert verdicts(**members) == ["seen here too"] * 3
    found = check_claims({name: result(name, answers, cases) for name, answers in members.items()})
    assert [claim.verdict for claim in found] == ["not seen here"] * 3
    assert all(claim.measured.endswith("exact McNemar p = 0.12 (by patient or group)") for claim in found)


def test_silence() -> None:
    silent: list[int | None] = [None if i % 4 == 0 else g for i, g in enumerate(GOLD)]
    assert verdicts(v43=list(GOLD), v48=silent) == ["seen here too", "seen here too"]
    assert verdicts(v43=list(GOLD), v48=list(GOLD)) == ["not seen here", "not seen here"]
