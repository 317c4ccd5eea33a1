"""Urgency in context: words that look dangerous and are not beside those that count; danger in plain words."""

import pytest

from esi_triage.esi import Findings, assess, decide, findings_from, read
from esi_triage.esi.catalogue import entries, rules

_NORMAL = "HR 78, RR 16, BP 128/76, SpO2 98 %, T 36.8."

_PAIRS = (
    # the mind: an everyday state, or a soft word beside a clear head
    ("88 F from LTC, A&Ox1 as per usual, skin tear on the shin.", "88 F from home, A&Ox1, was clear at breakfast."),
    ("79 M nursing home, oriented x2 at his norm, here for a catheter change.", "79 M lives alone, oriented x2 today."),
    ("46 F sleepy after the night shift, A&Ox4, ankle sprain.", "46 F sleepy and slow to answer, headache since noon."),
    # things and parts that are grey or pale
    ("50 M grey dust on his boots, splinter in the thumb.", "50 M grey and clammy, feels faint."),
    ("34 F pale pink scar on the knee, wants it checked.", "64 F pale and sweaty, feels faint."),
    ("29 M wart with a pale ring, itches.", "59 M pale and clammy since lunch, nauseated."),
    # the police
    ("28 M hurt his wrist during arrest, PD with him.", "58 M in cardiac arrest, CPR in progress."),
    # fits that are none
    ("44 M cough, coughing fits at night.", "44 M had a fit this morning, his first."),
    ("37 M fit and well, wants a mole looked at.", "37 M two fits today, still drowsy."),
    # sight
    ("51 F ankle sprain, her doctor can't see her until Friday.", "51 F cannot see out of the left eye since noon."),
    # words of a wish that is none
    ("33 M cut his forearm on a tin lid while opening it, 3 cm.", "33 M cut his wrists, wants to die."),
    # burns
    ("26 F carpet burn on the elbow.", "26 F burned her face with hot oil."),
    # never, and none since
    ("40 F knee sprain. Never had seizures.", "40 F knee sprain after a seizure today, first ever."),
    ("38 M ankle sprain, no breathing trouble.", "38 M hives and breathing trouble."),
    # the airway
    (
        "48 M toothache, floor of the mouth soft, swallows well.",
        "48 M toothache, floor of the mouth swollen, drooling.",
    ),
    ("60 M with his CPAP for sleep apnea, ear wax.", "60 M apneic on arrival."),
    # a hip that was pinned is not crushed
    ("74 F hip pinned in 2021, wants a new walker.", "74 F pinned against a wall by a car, chest hurts."),
)


@pytest.mark.parametrize(("harmless", "danger"), _PAIRS)
def test_the_context_decides(harmless: str, danger: str) -> None:
    assert assess(f"{harmless} {_NORMAL}").level >= 3, assess(f"{harmless} {_NORMAL}").steps
    assert assess(danger).level <= 2, assess(danger).steps


@pytest.mark.parametrize(
    "note",
    [
        # poison: the count tells, not how the patient feels
        "19 F took 24 paracetamol yesterday evening, feels fine now",
        "4 M chewed grandma's heart pill",
        "66 F 40 units of novolog by mistake",
        # a wish to die that is not named so
        "47 M has been stockpiling his sleeping pills, no way out of his debts",
        "58 M nothing left to live for, loaded gun at home",
        # head and eye
        "61 M cant get his words out since breakfast",
        "45 F headache came on at once during sex",
        "73 F jaw aches when chewing, headache, sore scalp",
        "5 mo F, fever, bulging fontanelle",
        "70 M shingles on the nose, eye pain",
        # heart and vessels
        "59 M defibrillator kicked him twice this morning",
        "41 M dropped mid sentence, no warning, back in seconds",
        "68 M belly pain through to the back, known aneurysm",
        # lungs and allergy
        "31 F ate walnuts, hives and vomiting",
        "52 F asthma, short of breath, no relief from her inhaler",
        # trunk and limbs
        "30 M broken bottle, 3 cm hole in the flank",
        "36 M arm caught in a press, swollen tight, numb",
        "44 F red leg, hurts far more than it looks",
        "77 F lump in the groin, won't go back in, vomiting",
        # nobody can wake him
        "71 M wife cant rouse him, snoring",
        # the newborn's mother
        "24 F delivered at home an hour ago",
    ],
)
def test_danger_in_plain_words(note: str) -> None:
    assert assess(note).level <= 2, assess(note).steps


@pytest.mark.parametrize(
    ("note", "months"),
    [
        ("Mrs T 84 slipped on the mat, wrist sore", 84 * 12),
        ("Granny is here too. Grandpa 77 has a cough", 77 * 12),
        ("11 wk boy, 6.2 kg, spits up", 11 * 7 / 30.4375),
        ("12 m 2 wks F, 9.4 kg, spots", 12),
        ("4 wks and 5 days, 4.1 kg, spits up", 4 * 7 / 30.4375),
        ("cough, 19 months, 11.3 kg, eats", 19),
        ("girl, 9 days, 3.0 kg, felt hot", 9 / 30.4375),
        ("fifty eight male, two missed doses", 58 * 12),
        ("15 y, Duchenne, thick secretions", 15 * 12),
        ("no steroids in 6 y, 56M, wheezy", 56 * 12),
        ("Brother of Noor, 4, who has a rash", 4 * 12),
        # how long it has lasted is no age
        ("L eye pain 3 wks, worse", None),
        ("cough six weeks, trousers loose", None),
        ("arthritis for 22 years, knee sore", None),
        ("COUGH 2 MO / thinner", None),
    ],
)
def test_ages_as_they_are_typed(note: str, months: float | None) -> None:
    found = read(note).age_months
    assert found == (None if months is None else pytest.approx(months, rel=0.02))


def test_a_letter_after_a_title_is_no_vital_sign() -> None:
    vitals = read("Mr T 90 and Mrs P 68 came in, she drove").vitals
    assert (vitals.temperature_c, vitals.heart_rate) == (None, None)


def test_a_slash_between_spaces_ends_what_a_word_reaches() -> None:
    listed = read("66F / PENICILLIN ALLERGY / CHEST PAIN SINCE NOON / NO COUGH / VOMITED TWICE")
    assert {item.name for item in listed.with_status("present")} >= {"chest-pain", "vomiting"}
    assert read("BP 120 / 80").vitals.sbp == 120


@pytest.mark.parametrize("typed", ["cannot", "can't", "cant", "couldn't", "couldnt"])
def test_cannot_in_every_spelling(typed: str) -> None:
    assert assess(f"66 M {typed} lift his left arm since noon").level == 2


def _well(*names: str, **values: float) -> Findings:
    vitals = {"heart_rate": 76, "resp_rate": 14, "spo2": 98, "sbp": 124} | values
    named = [{"name": name} for name in names]
    return findings_from({"age_years": 40, "sex": "M", "vitals": vitals, "findings": named})


def test_one_soft_reason_is_considered_where_the_patient_is_seen_to_be_well() -> None:
    left = decide(_well("altered", "at-ease"))
    assert left.level > 2
    assert 2 in left.possible
    assert left.step("B").answer == "undetermined"
    assert decide(_well("altered")).level == 2  # nobody says that he looks well
    assert decide(_well("altered", "at-ease", heart_rate=118)).level == 2  # a sign beyond its limit
    assert decide(_well("altered", "rigors", "sick-looking", "at-ease")).level <= 2  # more than one reason
    assert decide(_well("suicidal", "at-ease")).level == 2  # firm, however he looks


def test_a_vital_sign_must_have_been_taken_to_be_normal() -> None:
    assert decide(findings_from({"findings": [{"name": "altered"}, {"name": "at-ease"}]})).level == 2


def test_the_policy_names_entries_and_systems_that_there_are() -> None:
    policy = rules("policy")["high_risk"]
    assert set(policy["firm"]) <= set(entries())
    assert set(policy["firm_systems"]) <= {entry.system for entry in entries().values()}
    assert {*policy["no_longer_well"], *policy["doubtful_where"]} <= set(entries())


def test_unless_takes_a_finding_back() -> None:
    drowsy = {"age_years": 46, "findings": [{"name": "drowsy-word"}]}
    clear = {"age_years": 46, "findings": [{"name": "drowsy-word"}, {"name": "mind-clear"}]}
    assert decide(findings_from(drowsy)).step("B").answer == "yes"
    assert decide(findings_from(clear)).step("B").answer == "no"
