"""Point C by class of complaint: how many kinds of resource a note calls for (handbook v5, chapter 5)."""

import pytest

from esi_triage.esi import assess, read

_VITALS = "HR 76, RR 16, BP 124/78, SpO2 99 %, T 36.8."

_CLASSES: dict[str, tuple[tuple[str, int], ...]] = {
    "a prescription is no resource": (
        ("58 M, losartan ran out on Friday, no symptoms.", 5),
        ("41 F, levothyroxine left at home, visiting her sister.", 5),
        ("30 M left his inhaler on the plane, breathing easily.", 5),
        ("36 M, methadone clinic is closed, missed today's dose, no vomiting.", 5),
    ),
    "a paper is no resource": (
        ("27 M needs clearance for work, cold last week, well now.", 5),
        ("15 F, coach wants a note after her flu, fine now.", 5),
        ("33 M in custody, fit for custody form, no complaints.", 5),
    ),
    "taking out stitches is none, what has gone wrong with the wound is one": (
        ("24 F, sutures in the shin, day 10, line dry.", 5),
        ("48 M, staples ready to come out, scalp clean.", 5),
        ("24 F, sutures in the shin due out, middle came apart.", 4),
        ("24 F, sutures in the shin due out, bead of pus at one end.", 4),
    ),
    "toothache is none, an injection or a bleeding socket one, fever with swelling two": (
        ("39 M broken filling, sensitive to cold, dentist on Monday.", 5),
        ("39 M lost a crown last night, eats on the other side.", 5),
        ("39 M toothache, asks for a nerve block.", 4),
        ("39 M, molar pulled this morning, socket oozing.", 4),
        ("39 M on warfarin, molar pulled this morning, socket oozing.", 3),
        ("39 M toothache, jaw swollen, T 38.6.", 3),
    ),
    "an injection is one": (
        ("44 F, her usual migraine, no vomiting, asks for the toradol shot.", 4),
        ("51 M gout again, wants the steroid injection.", 4),
        ("29 F hives on the arms, asks for a shot.", 4),
        ("47 M, depot was due last week, no voices.", 4),
    ),
    "immunisation is none, rabies prophylaxis is": (
        ("20 M here for tetanus booster.", 5),
        ("20 M here for rabies shot, day 7.", 4),
    ),
    "urine is one, however it is told": (
        ("26 F burns when she goes, no fever, no back pain.", 4),
        ("26 F stings passing water, peeing every half hour.", 4),
    ),
    "pus under the skin is one": (
        ("35 M, bump on the back, squishy with a yellow head.", 4),
        ("35 M, boil check, packing out, pink base.", 5),
    ),
    "eyes and ears": (
        ("50 F sticky right eye since morning, sees well.", 5),
        ("22 F contact lens wearer, told at the clinic that it is keratitis.", 3),
        ("70 M brown plug in the ear, no pain.", 4),
    ),
    "cough that wastes is two": (
        ("40 M cough for two months, drenched sheets.", 3),
        ("40 M cough for two months, trousers falling off.", 3),
    ),
    "a wound is one, with a limb that cannot be used two": (
        ("31 F, flap on the thumb from a tin lid, feels the tip.", 4),
        ("31 F, thigh cut open on a fence, cannot bear weight.", 3),
        ("31 F, gaping shin, cannot bear weight.", 3),
        ("52 M, hand sliced by the mower.", 3),
        ("28 F, dog bite on the calf, two deep holes.", 3),
        ("4 yo boy, cut on the chin, will not hold still for us.", 3),
    ),
    "a bent limb is more than a film": (("66 F fell, shoulder squared off, fingers move.", 3),),
    "a racing heart of the young is a tracing": (("23 F, heart racing for ten minutes, gone now.", 4),),
    "what is asked for is all, but what is lost counts besides": (
        ("60 F, here for blood draw, gallstones known, well.", 4),
        ("60 F, clinic wants a lithium level, well.", 4),
        ("60 F, clinic wants a lithium level, barely drinking, dizzy when standing.", 3),
        ("19 M wants a note, vomiting since yesterday, cannot keep down water, T 38.9.", 3),
    ),
}


@pytest.mark.parametrize(
    ("note", "level"), [case for cases in _CLASSES.values() for case in cases], ids=lambda value: str(value)[:60]
)
def test_level_by_resources(note: str, level: int) -> None:
    decision = assess(f"{note} {_VITALS}" if "T 3" not in note else f"{note} HR 92, RR 16, BP 124/78.")
    assert decision.level == level, [step.reason for step in decision.steps]


@pytest.mark.parametrize(
    ("note", "not_meant"),
    [
        ("68 F leg wound weepy under the strips.", "low-mood"),
        ("17 F bruised shin, prom on Saturday.", "labour"),
        ("66 M lives near St James, rash on the arm.", "sore-throat"),
        ("57 F lids puffy since the bee sting.", "fluid-weight"),
        ("12 F cut on the hand, her uncle saw it.", "saw"),
        ("38 M, his filling fell out at lunch.", "fall"),
        ("45 M, offer of a flat fell through.", "fall"),
        ("61 F belly soft, pressure one thirty over eighty.", "abdominal-pain"),
        ("29 M, house burned down last year, sore elbow.", "burn"),
        ("50 M lives in a shelter, itchy scalp.", "social"),
    ],
)
def test_a_word_that_means_something_else_brings_no_resources(note: str, not_meant: str) -> None:
    found = read(note).get(not_meant)
    assert found is None or found.status not in ("present", "possible")


def test_a_bar_ends_a_sentence() -> None:
    note = "44M / NO FEVER / SORE THROAT SINCE MONDAY / HR 80"
    statuses = {item.name: item.status for item in read(note).items}
    assert statuses["fever"] == "absent"
    assert statuses["sore-throat"] == "present"


def test_no_pain_is_not_no_complaint() -> None:
    assert assess(f"71 M foley blocked since noon, no pain. {_VITALS}").level == 4
