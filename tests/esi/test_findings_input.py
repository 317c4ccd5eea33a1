"""Findings from outside: what is right is decided as if it had been read, what is wrong is named with its place."""

from typing import Any

import pytest

from esi_triage.esi import decide, findings_from, findings_schema


def test_findings_are_decided_as_if_they_had_been_read() -> None:
    given = {"age_years": 54, "sex": "M", "vitals": {"heart_rate": 90}, "findings": [{"name": "chest-pain"}]}
    decision = decide(findings_from(given))
    assert decision.level == 2
    assert "chest pain at 54" in decision.step("B").reason


def test_an_absent_finding_does_not_count() -> None:
    assert decide(findings_from({"age_years": 54, "findings": [{"name": "chest-pain", "status": "absent"}]})).level > 2


def test_text_that_was_not_understood_leaves_more_possible() -> None:
    given: dict[str, Any] = {"age_years": 30, "findings": [{"name": "sore-throat"}]}
    more = decide(findings_from(given | {"unread": ["odd noises since noon"]}))
    assert more.possible > decide(findings_from(given)).possible


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"findings": [{"name": "chest-pian"}]},
            r"findings\[0\].name: unknown finding 'chest-pian'; did you mean chest-pain",
        ),
        ({"vitals": {"heart_rate": 900}}, r"vitals.heart_rate: 900 /min is impossible"),
        ({"vitals": {"sbp": 80, "dbp": 90}}, r"vitals.dbp: 90 is not below"),
        ({"vitals": {"pulse": 90}}, r"vitals.pulse: "),
        ({"age_years": -1}, r"age_years: "),
        (
            {"sex": "M", "findings": [{"name": "cough"}, {"name": "pregnant"}]},
            r"findings\[1\].name: 'pregnant' contradicts",
        ),
        (
            {"findings": [{"name": "cough"}, {"name": "cough", "status": "absent"}]},
            r"findings\[1\].name: 'cough' stands in",
        ),
        ({"findings": [{"name": "cough", "status": "gone"}]}, r"findings\[0\].status: "),
        ([], r"the JSON: "),
    ],
)
def test_what_cannot_be_is_named_with_its_place(given: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        findings_from(given)


def test_the_schema_names_every_finding() -> None:
    names = findings_schema()["$defs"]["FindingInput"]["properties"]["name"]["enum"]
    assert "chest-pain" in names
    assert "idioms" not in names
