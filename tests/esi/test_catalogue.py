"""The catalogue is well formed, broad, and says which rule each entry rests on."""

import pytest

from esi_triage.esi.catalogue import entries, expand
from esi_triage.esi.decide.conditions import holds, parse_condition

_RESOURCES = {"labs", "ecg", "xray", "ct", "ultrasound", "iv-fluids", "iv-medication", "consult", "procedure"}


def test_breadth() -> None:
    presentations = [entry for entry in entries().values() if entry.kind != "sign"]
    assert len(presentations) >= 250
    assert len({entry.system for entry in presentations}) >= 15


def test_every_entry_that_decides_names_its_rule() -> None:
    silent = [
        e.name for e in entries().values() if (e.immediate or e.high_risk or e.kind == "complaint") and not e.rule
    ]
    assert silent == []


def test_resources_are_the_handbook_kinds() -> None:
    for entry in entries().values():
        used = entry.resources | entry.may_need | {r for v in entry.variants for r in v.resources | v.may_need}
        assert used <= _RESOURCES, entry.name


def test_only_what_is_usual_can_be_skipped() -> None:
    for entry in entries().values():
        usual = entry.resources | {r for v in entry.variants for r in v.resources}
        assert entry.may_skip <= usual, entry.name


def test_phrases_expand() -> None:
    assert expand("chest (pain|tightness)") == ["chest pain", "chest tightness"]
    assert expand("x{1..3}") == ["x1", "x2", "x3"]
    assert expand("a (b|c (d|e)|)") == ["a b", "a c d", "a", "a c e"]


@pytest.mark.parametrize(
    ("line", "truth"),
    [
        ("fever", True),
        ("not fever", False),
        ("age >= 65", True),
        ("age < 3m", False),
        ("hr > 100", None),
        ("fever + hr > 100", None),
        ("rash + hr > 100", False),
        ("fever + unsaid", None),
        ("rash + unsaid", False),
    ],
)
def test_conditions_are_three_valued(line: str, truth: bool | None) -> None:
    assert holds(parse_condition(line), {"fever"}, {"age": 70.0, "hr": None}) is truth


def test_a_malformed_condition_is_an_error() -> None:
    with pytest.raises(ValueError, match="weight"):
        parse_condition("weight > 100")
    with pytest.raises(ValueError, match="cannot read"):
        parse_condition("Fever!")
