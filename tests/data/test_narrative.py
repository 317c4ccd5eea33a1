"""Narratives: every wording tells the same facts, invents none, and is read back by the engine."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esi_triage.data.narrative import STYLES, Note, pain_text, render, render_rows, vitals_text
from esi_triage.esi import VITALS_BY_NAME, Vitals
from esi_triage.esi.read.measures import read_measures
from esi_triage.esi.read.person import read_age_months

WOMAN = Note(
    chief_complaint="chest pain",
    age_years=67,
    sex="F",
    arrival="ambulance",
    vitals=Vitals(temperature_c=38.4, heart_rate=118, resp_rate=24, spo2=91, sbp=88, dbp=60, pain=8),
    clue="pale and sweating",
    history="COPD",
)
WORDINGS = range(2000)
variants = st.integers(0, 2**64 - 1)


def whole(name: str) -> st.SearchStrategy[int | None]:
    sign = VITALS_BY_NAME[name]
    return st.none() | st.integers(int(sign.low), int(sign.high))


@st.composite
def vitals(draw: st.DrawFn) -> Vitals:
    sbp = draw(whole("sbp"))
    return Vitals(
        temperature_c=draw(st.none() | st.integers(250, 450).map(lambda tenths: tenths / 10)),
        heart_rate=draw(whole("heart_rate")),
        resp_rate=draw(whole("resp_rate")),
        spo2=draw(whole("spo2")),
        sbp=sbp,
        dbp=draw(st.integers(10, min(200, sbp - 1))) if sbp is not None and draw(st.booleans()) else None,
        pain=draw(st.none() | st.integers(0, 10)),
    )


@pytest.mark.parametrize(
    ("style", "text"),
    [
        (
            "prose",
            "A 67-year-old woman arrived by ambulance with chest pain. Pale and sweating. History of COPD. "
            "BP 88/60, HR 118, RR 24, SpO2 91 %, T 38.4 °C. Pain 8/10.",
        ),
        (
            "telegraphic",
            "67 y/o F; c/o chest pain; pale and sweating; PMH COPD; arrived by ambulance. "
            "BP 88/60, HR 118, RR 24, SpO2 91 %, T 38.4 °C, pain 8/10.",
        ),
        (
            "handoff",
            "Hand-off: 67-year-old woman brought in by ambulance. Complaint: chest pain. Pale and sweating. "
            "Known for COPD. Vitals: BP 88/60, HR 118, RR 24, SpO2 91 %, T 38.4 °C, pain 8/10.",
        ),
    ],
)
def test_the_first_wording_never_changes(style: str, text: str) -> None:
    assert render(WOMAN, style) == render(WOMAN, style, variant=0) == text  # corpora and models depend on it


@pytest.mark.parametrize("style", STYLES)
def test_wordings_are_many_and_tell_all(style: str) -> None:
    texts = {render(WOMAN, style, variant) for variant in WORDINGS}
    assert len(texts) >= 50
    for text in texts:
        for fact in ("67", "chest pain", "sweating", "COPD", "88/60", "118", "24", "91 %"):
            assert fact in text, (fact, text)
        assert re.search(r"38\.4 °C|101\.1 °F", text)
        assert "8/10" in text or "8 out of 10" in text
        assert "  " not in text
        assert ".." not in text
        assert text.endswith(".")


@pytest.mark.parametrize(("style", "wordings"), [("prose", 96), ("telegraphic", 432), ("handoff", 54)])
def test_every_combination_of_wordings_is_reached(style: str, wordings: int) -> None:
    texts = [render(WOMAN, style, variant) for variant in range(wordings)]
    assert len(set(texts)) == wordings
    assert [render(WOMAN, style, 10**9 * wordings + variant) for variant in range(wordings)] == texts


@given(st.lists(st.tuples(vitals(), st.sampled_from(["F", "M", None]), st.sampled_from(STYLES), variants), min_size=1))
def test_a_table_is_told_as_its_notes_are(rows: list) -> None:
    notes = [
        Note(chief_complaint="{rash} 5 %", clue="élan vital", age_years=40, sex=sex, vitals=signs)
        for signs, sex, _, _ in rows
    ]
    columns = {
        name: [getattr(note, name) for note in notes] for name in ("chief_complaint", "clue", "age_years", "sex")
    }
    columns |= {name: [getattr(note.vitals, name) for note in notes] for name in Vitals.model_fields}
    drawn = [(style, variant) for _, _, style, variant in rows]
    assert list(render_rows(columns, drawn)) == [
        render(note, style, variant) for note, (style, variant) in zip(notes, drawn, strict=True)
    ]


@pytest.mark.parametrize("style", STYLES)
def test_nothing_is_told_of_an_empty_note(style: str) -> None:
    for variant in WORDINGS:
        text = render(Note(), style, variant).lower()
        assert "vital signs not recorded" in text
        assert re.search(r"pain(?: score)? not recorded", text)
        assert re.search(r"complaint:? not recorded|situation: not recorded", text)
        assert not re.search(r"\d|none|by |on foot", text)


@given(vitals(), st.sampled_from(STYLES), variants)
def test_every_sign_is_read_back_or_said_to_be_missing(signs: Vitals, style: str, variant: int) -> None:
    text = render(Note(chief_complaint="rash", age_years=40, sex="F", vitals=signs), style, variant)
    assert read_measures(text).vitals() == signs, text
    assert ("not recorded" in text) == any(value is None for value in signs.model_dump().values())


@given(
    st.sampled_from(["F", "M", None]),
    st.sampled_from([0.02, 0.5, 3, 8, 11, 18, 67, 80, 102]),
    st.sampled_from(STYLES),
    variants,
)
def test_the_age_is_read_back(sex, age: float, style: str, variant: int) -> None:
    read = read_age_months(render(Note(chief_complaint="rash", age_years=age, sex=sex), style, variant))
    assert read is not None
    assert read[0] / 12 == pytest.approx(age, abs=0.01)


@given(st.sampled_from(STYLES), variants)
def test_an_age_that_is_only_known_to_be_over_89_is_told_so(style: str, variant: int) -> None:
    text = render(Note(chief_complaint="rash", sex="F", age_years=93, over_age=89), style, variant)
    assert "over 89 y" in text
    assert "93" not in text


@given(st.sampled_from(STYLES), variants)
def test_a_word_in_the_pain_field_is_quoted(style: str, variant: int) -> None:
    assert '"unable"' in render(Note(pain_raw="unable"), style, variant)


def test_an_unknown_style_is_refused() -> None:
    with pytest.raises(ValueError, match="haiku"):
        render(WOMAN, "haiku")


def test_vitals_and_pain_as_in_the_answer() -> None:
    assert vitals_text(Vitals(sbp=88)) == (
        "BP 88 (diastolic not recorded), HR not recorded, RR not recorded, SpO2 not recorded, T not recorded"
    )
    assert vitals_text(Vitals()) == "vital signs not recorded"
    assert pain_text(Vitals(pain=7.5), "7-8") == "pain 7.5/10"
    assert pain_text(Vitals(), "ett") == 'pain "ett"'
    assert pain_text(Vitals(), None) == "pain not recorded"
