"""What the rules' findings have meant: fitted, kept in a file, and answered from it."""

from pathlib import Path

import numpy as np
import pytest

from esi_triage.data.corpus.nurse_notes import nurse_notes
from esi_triage.data.sampling import trainable
from esi_triage.errors import InputError
from esi_triage.esi import decide, read
from esi_triage.train.reader.findings_weights import FILE, fit_findings, marks_of, open_findings, train_findings
from esi_triage.train.reader.settings import load_reader_experiment

NOTES = trainable(nurse_notes())[:200]


def test_the_marks_say_what_the_rules_made_of_a_note() -> None:
    findings = read("54 M chest pain, no fever, SpO2 97 %")
    marks = marks_of(findings, decision := decide(findings))
    assert {f"level {decision.level}", "fever absent"} <= marks
    assert {mark for mark in marks if mark.startswith("possible ")} == {f"possible {n}" for n in decision.possible}
    assert sum(mark.startswith("point ") for mark in marks) == len(decision.steps)


def test_a_finding_weighs_by_the_levels_of_the_notes_that_have_it() -> None:
    marked = [{"fever present"}, {"fever absent"}, {"rash present"}] * 10
    weights = fit_findings(["note"] * 30, [2, 4, 5] * 10, marked)
    assert list(weights.marks) == ["fever absent", "fever present", "rash present"]
    findings = read("fever")
    level = 1 + int(np.argmax(weights.probabilities("note", findings, decide(findings))))
    assert "fever present" in marks_of(findings, decide(findings))
    assert level == 2


def test_the_file_answers_as_what_was_fitted_and_names_damage(tmp_path: Path) -> None:
    experiment = load_reader_experiment()
    data = experiment.data.model_copy(update={"notes": 200, "vignettes": 0})
    facts = train_findings(experiment.model_copy(update={"data": data}), tmp_path)
    opened = open_findings(tmp_path)
    assert (facts["notes"], facts["marks"]) == (200, len(opened.marks))
    readings = [(note.narrative, read(note.narrative)) for note in NOTES]
    marked = [marks_of(findings, decide(findings)) for _, findings in readings]
    fitted = fit_findings([text for text, _ in readings], [note.gold or 0 for note in NOTES], marked)
    for text, findings in readings[:30]:
        said, kept = (each.probabilities(text, findings, decide(findings)) for each in (fitted, opened))
        assert kept == pytest.approx(said, abs=0.02), "half precision"
    (tmp_path / FILE).write_bytes(b"no tensors")
    with pytest.raises(InputError, match="missing or damaged"):
        open_findings(tmp_path)
