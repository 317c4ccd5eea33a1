"""Dangerous words in harmless context, in several wordings each: they may not make a level 1 or 2."""

import pytest

from esi_triage.esi import assess, read
from esi_triage.esi.read import context

_VITALS = "HR 76, RR 14, BP 130/80, SpO2 99 %, T 36.8."

_HARMLESS = (
    # words that stand for something else
    "45 M gout flare, first MTP joint red and swollen, no fever.",
    "52 M with podagra, MTP joint of the great toe sore since Monday.",
    "72 F receiving blood thinners, small bruise on forearm.",
    "80 M takes a blood thinner, here for a tetanus shot.",
    "72 F receiving blood pressure medication, needs refill.",
    "66 M getting blood pressure tablets from us, ran out.",
    "28 M under arrest, small cut on the wrist.",
    # numbers belong to the noun that they stand by
    "65 M took his heart tablets this morning, rash on arm.",
    "40 F, took her antibiotic pills today, sore throat.",
    # what has ended
    "67 M nosebleed was spurting, now stopped an hour ago.",
    "60 M chest pain free. Here for dressing change.",
    "58 F has been chest pain free since last week, wants stitches out.",
    "30 F no longer suicidal per psychiatrist, here for med refill.",
    "34 M, psychiatry says he is no longer suicidal, needs a refill.",
    "44 F free of chest pain for a month, here for a wound check.",
    "50 M, stroke ruled out last month, here for suture removal.",
    # history, and other people
    "59 M, stroke in 2015 without deficit, ankle sprain today.",
    "59 M, CVA 2015, ankle sprain today.",
    "33 F, intubated in 2019, here with an ingrown toenail.",
    "24 M, overdose years ago, now an itchy rash on the arm.",
    "19 M with a runny nose, his cousin had a seizure yesterday.",
    "27 F, mother died of a brain bleed, wants a work note.",
    "31 M, brother had anaphylaxis, he has a mosquito bite.",
    "47 F, family history of stroke, toothache for two days.",
)


@pytest.mark.parametrize("note", _HARMLESS)
def test_a_dangerous_word_in_harmless_context_is_no_level_1_or_2(note: str) -> None:
    decision = assess(f"{note} {_VITALS}")
    assert decision.level >= 3, decision.steps


@pytest.mark.parametrize(
    ("note", "least"),
    [
        ("34 M intubated by EMS.", 1),
        ("60 M chest pain, sweating, not resolved. BP 150/90.", 2),
        ("30 F suicidal with a plan, brought by police.", 2),
        ("82 F slurred speech and right arm weak since breakfast.", 2),
        ("19 F took 40 tylenol tablets an hour ago.", 2),
        ("79 M on warfarin, hit his head on the door.", 2),
    ],
)
def test_the_same_words_meant_now_count(note: str, least: int) -> None:
    assert assess(note).level <= least


@pytest.mark.parametrize("sport", ["football", "basketball", "volleyball", "handball", "netball"])
def test_sports_are_one_class(sport: str) -> None:
    assert assess(f"22 M ankle pain after {sport}").level == assess("22 M ankle pain after football").level


@pytest.mark.parametrize(
    ("note", "sex"),
    [
        ("80 yo, daughter says he hit his head", "M"),
        ("80 yo, wife reports that he fell", "M"),
        ("his son drove her here, she fell", "F"),
        ("Her father drove this 14 year old in", "F"),
        ("mom states she has had a fever", "F"),
        ("daughter and wife at bedside", None),
    ],
)
def test_relatives_do_not_set_the_sex(note: str, sex: str | None) -> None:
    assert read(note).sex == sex


@pytest.mark.parametrize(
    ("note", "years"),
    [
        ("boy 3 yrs 2 mo, 15 kg", 3),
        ("girl, 4 y 9 mo, 17 kg", 4),
        ("45M, 3 mo of cough", 45),
        ("cough, T 101 F, 33M", 33),
        ("he's fifty one, cough", 51),
        ("F late 30s, back pain", 30),
        ("At 71 she still mows the lawn", 71),
        ("vomiting, T 101 F", None),
    ],
)
def test_ages(note: str, years: int | None) -> None:
    months = read(note).age_months
    assert (None if months is None else int(months / 12)) == years


def test_triggers_that_cancel_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="'no longer' is a trigger and a pseudo-trigger"):
        context._refuse_cancelled(  # pyright: ignore[reportPrivateUsage]
            {f"{name} {kind}": set() for name in context.contexts() for kind in ("pseudo", "before", "after", "stop")}
            | {"no before": {"no longer"}, "no pseudo": {"no longer"}}
        )


@pytest.mark.parametrize(
    "note",
    [
        "CP (-), knee pain",
        "chest pain (-). Knee pain",
        "CP- SOB- knee pain",
        "fever+ cough+ CP-",
        "CP neg, SOB neg",
        "nil CP",
    ],
)
def test_a_sign_for_no_stands_for_no(note: str) -> None:
    assert {finding.status for finding in read(note).items if finding.name == "chest-pain"} == {"absent"}


@pytest.mark.parametrize(
    "note", ["chest pain- started at 6", "chest pain trop neg", "covid neg, chest pain", "chest pain, (-) d-dimer"]
)
def test_a_sign_for_no_speaks_of_the_word_by_it_alone(note: str) -> None:
    assert {finding.status for finding in read(note).items if finding.name == "chest-pain"} == {"present"}


def test_numbers_with_a_decimal_point_are_read() -> None:
    """As spreadsheets write them, and as the service writes those that it is given in fields."""
    vitals = read("54 y/o M, cough. HR 142.5, RR 34.0, BP 90.0/60.0").vitals
    assert (vitals.heart_rate, vitals.resp_rate, vitals.sbp, vitals.dbp) == (142.5, 34, 90, 60)
    assert read("45 y/o F, phosphate P 2.5, cough").vitals.heart_rate is None
