"""The gold of the corpus against the engine: disagreements are listed with what they rest on."""

import pytest
from typer.testing import CliRunner

from esi_triage.cli.data import app
from esi_triage.data.corpus.engine_agreement import agreement
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.esi import Case


def case(gold: int | None, narrative: str) -> Case:
    return Case(
        case_id=f"{gold}",
        source="open",
        licence="open",
        narrative=narrative,
        gold=gold,
        scenario="refill: no resource needed",
        red_flags=("x",),
    )


REFILL = "40 y/o F needs a prescription refill, feels well. VSS."
ARREST = "60 y/o M pulseless, CPR in progress."


def test_a_disagreement_says_who_says_what_and_why() -> None:
    found = agreement([case(5, REFILL), case(3, ARREST), case(1, ARREST), case(None, ARREST)])
    assert (found.cases, found.decided, len(found.disagreements)) == (3, 3, 1)
    only = found.disagreements[0]
    assert (only.scenario, only.gold, only.engine, only.clue_told) == ("refill: no resource needed", 3, 1, True)
    assert any("CPR" in span or "pulseless" in span for span in only.evidence)
    assert found.rate == pytest.approx(2 / 3)
    assert found.by_scenario() == [("refill: no resource needed, 3 → 1", 1)]
    assert found.to_dict()["agreement"] == round(2 / 3, 4)


def test_what_the_engine_leaves_open_is_no_disagreement() -> None:
    found = agreement([case(2, "40 y/o F with abdominal pain.")])
    assert (found.cases, found.decided, found.disagreements) == (1, 0, [])


def test_catalogue_notes_agree_with_the_engine_that_made_them() -> None:
    """The round trip: findings to words to findings. What is lost on the way is a phrase that reads differently."""
    notes = [c for c in open_cases(3000, seed=4) if (c.scenario or "").startswith("catalogue-")]
    assert agreement(notes).rate > 0.9


def test_most_of_the_corpus_agrees() -> None:
    found = agreement(open_cases(600, seed=6))
    assert found.within_possible / found.cases > 0.7


def test_one_split_alone_is_counted() -> None:
    told = CliRunner().invoke(app, ["agree", "--n", "60", "--split", "held_out", "--top", "0"])
    held_out = sum(case.split == "held_out" for case in open_cases(60))
    assert 0 < held_out < 60
    assert f"{held_out} cases, the engine" in told.output
