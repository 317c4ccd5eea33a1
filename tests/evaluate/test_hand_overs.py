"""Hand-over, sets and risk against coverage, by hand."""

import pytest

from esi_triage.evaluate.breakdowns.hand_overs import hand_overs
from esi_triage.evaluate.report.figures import kept_figure
from esi_triage.evaluate.report.hand_over_section import hand_over_section
from esi_triage.evaluate.scored import scored
from esi_triage.predict.model import Probabilities, Reply


def reply(level: int | None, trust: float, inside: tuple[int, ...], *why: str) -> Reply:
    rest = (1 - trust) / 4
    one, two, three, four, five = (trust if k == level else rest for k in range(1, 6))
    p: Probabilities | None = (one, two, three, four, five) if level else None
    return Reply(level, "", False, p, level_set=inside, hand_over=why)


GOLD = [1, 2, 3, 3]
REPLIES = [
    reply(3, 0.5, (2, 3), "wide-set", "unread-text"),
    reply(2, 0.9, (2,)),
    reply(3, 0.8, (3,)),
    reply(4, 0.4, (3, 4), "wide-set"),
]
FOUND = hand_overs(scored(GOLD, [r.level for r in REPLIES]), REPLIES)


def test_reasons_and_what_is_kept() -> None:
    h = FOUND["hand_over"]
    assert h["handed_over"]["value"] == 0.5
    assert {code: share["value"] for code, share in h["by_reason"].items()} == {"wide-set": 0.5, "unread-text": 0.25}
    assert (h["kept"]["coverage"], h["kept"]["exact"]["value"], h["kept"]["missed_urgent"]["value"]) == (0.5, 1, 0)
    assert (h["handed"]["exact"]["value"], h["handed"]["missed_urgent"]["value"]) == (0, 0.5)
    assert h["kept"]["exact"]["n"] == 2


def test_sets_by_level() -> None:
    s = FOUND["set_coverage"]
    assert [s[name]["covered"]["value"] for name in ("all", "1", "2", "3", "4")] == [0.75, 0, 1, 1, None]
    assert (s["all"]["mean_size"], s["1"]["mean_size"], s["5"]["mean_size"]) == (1.5, 2, None)


def test_risk_against_coverage() -> None:
    curve = FOUND["kept_by_trust"]
    assert [
        (p["coverage"], p["exact"]["value"], p["missed_urgent"]["value"]) for p in (curve[0], curve[5], curve[-1])
    ] == [
        (1, 0.5, 0.25),
        (0.5, 1, 0),
        (0.25, 1, 0),
    ]
    assert kept_figure(curve).startswith(b"\x89PNG")


def test_no_answer_is_no_urgent_patient_found() -> None:
    silent = hand_overs(scored([1], [None]), [Reply(None, "", False, hand_over=("no-level",))])
    assert silent["hand_over"]["handed"]["missed_urgent"]["value"] == 1


def test_the_report_has_a_section_only_where_there_is_something_to_say() -> None:
    section = hand_over_section({"hand_overs": FOUND})
    assert section is not None
    told = [cell for table in section.tables for row in table.rows for cell in row]
    assert any("cannot narrow the level down" in cell for cell in told)
    assert hand_over_section({"hand_overs": hand_overs(scored([3], [3]), [Reply(3, "", False)])}) is None
    assert hand_over_section({}) is None


@pytest.mark.parametrize("name", ["hand_over", "set_coverage", "kept_by_trust"])
def test_a_model_without_them_has_no_such_table(name: str) -> None:
    assert name not in hand_overs(scored([3], [3]), [Reply(3, "", False)])
