"""Any text is answered: never a crash, and what cannot be right is reported."""

import subprocess
import sys
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from esi_triage.esi import assess, read

_ODD = (
    "",
    "   \n\t ",
    "\x00\x01\x07\x1b[31m\ufeff",
    "头痛三天，伴呕吐",
    "Dolor en el pecho desde esta mañana, sudoroso.",
    "ألم في الصدر",
    "İİİ ßßß ŉŉŉ chest pain",  # letters whose lower case is longer
    "🚑🚑🚑",
    "12345 67890 / / / 1/2 3/4",
    "?" * 500,
    "BP BP BP HR HR RR SpO2 T pain",
)


@pytest.mark.parametrize("text", _ODD)
def test_odd_text_is_answered(text: str) -> None:
    decision = assess(text)
    assert decision.level in decision.possible


def test_a_megabyte_is_answered_and_said_to_be_cut() -> None:
    decision = assess("chest pain " * 100_000)
    assert decision.level in (1, 2, 3, 4, 5)
    assert "characters were read" in decision.warnings[0]


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=400))
def test_any_text_is_answered(text: str) -> None:
    decision = assess(text)
    assert decision.level in decision.possible


@pytest.mark.parametrize(
    ("text", "missing", "word"),
    [
        ("rash. HR 900", "heart_rate", "HR 900"),
        ("rash. BP 60/120", "sbp", "BP 60/120"),
        ("rash. SpO2 140 %", "spo2", "SpO2 140"),
        ("rash. T 312", "temperature_c", "T 155"),
        ("rash. RR 200", "resp_rate", "RR 200"),
        ("toothache 15/10", "pain", "pain 15"),
    ],
)
def test_impossible_readings_are_reported_and_not_recorded(text: str, missing: str, word: str) -> None:
    findings = read(text)
    assert getattr(findings.vitals, missing) is None
    assert any(word in warning and "not recorded" in warning for warning in findings.warnings)


def test_the_next_reading_stands_where_the_first_is_impossible() -> None:
    assert read("HR 900. HR 96 on recheck.").vitals.heart_rate == 96


def test_text_outside_the_catalogue_is_said_to_be_so() -> None:
    decision = assess("lorem ipsum dolor")
    assert decision.level == 3
    assert decision.step("C").answer == "undetermined"
    assert any("catalogue" in warning for warning in decision.warnings)


def test_a_run_of_letters_costs_no_more_memory_than_it_is_long() -> None:
    """As an error of some word it would be made into 26 strings of its length for each of its letters."""
    tracemalloc.start()
    read("a" * 5000)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_importing_loads_no_language_library() -> None:
    code = "import sys, esi_triage.esi; print('spacy' in sys.modules, 'negspacy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
