"""MIETIC 1.0.0 by its loader contract. Every row here is made up; only the header is the release's."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from esi_triage.data.case_table import read_cases
from esi_triage.data.mietic.bands import QUESTIONS, level_answered, polarity_of, resources_of
from esi_triage.data.mietic.mietic_cases import ALLOWED, CORPUS, VALIDATE, build_mietic
from esi_triage.errors import InputError
from esi_triage.esi import Case

FIRST = "锘縮ubject_id"  # as in the release: a byte order mark that was read as GBK, with the s
HEADER = [
    *(FIRST, "stay_id", "hadm_id", "intime", "outtime", "gender", "race", "age", "arrival_transport", "disposition"),
    *("temperature", "heartrate", "resprate", "o2sat", "sbp", "dbp", "pain", "acuity", "chiefcomplaint"),
    *("invasive_ventilation", "invasive_ventilation_beyond_1h", "non_invasive_ventilation"),
    *("transfer2surgeryin1h", "transfer_to_surgery_beyond_1h", "transfer_to_icu_in_1h", "transfer_to_icu_beyond_1h"),
    *("transfer_within_1h", "transfer_beyond_1h", "expired_within_1h", "expired_beyond_1h"),
    *("tier1_med_usage_1h", "tier1_med_usage_beyond_1h", "tier2_med_usage", "tier3_med_usage", "tier4_med_usage"),
    *("psychotropic_med_within_120min", "transfusion_within_1h", "transfusion_beyond_1h", "red_cell_order_more_than_1"),
    *("intraosseous_line_placed", "critical_procedure", "lab_event_count", "microbio_event_count", "exam_count"),
    *("intravenous_fluids", "intravenous", "intramuscular", "nebulized_medications", "oral_medications"),
    *("consults_count", "procedure_count", "resources_used", "tiragecase"),
    *("Expert 1 Opinion", "Expert 2 Opinion", "Expert 3 Opinion", "Final Decision"),
]
ROW = {
    **{"stay_id": "9001", "gender": "F", "age": "63.8", "arrival_transport": "WALK IN", "temperature": "98.6"},
    **{"heartrate": "80", "resprate": "16", "o2sat": "98", "sbp": "120", "dbp": "80", "pain": "uta", "acuity": "2"},
    **{"chiefcomplaint": "Chest pain", "Final Decision": "RETAIN"},
}
QUESTION = {
    "1": "Read the case and assess if they require immediate life-saving interventions.",
    "2": "Determine if the patient meets ESI Level 2 criteria.",
    "3-5": "Please predict the number of resources likely required for the patient.",
}
LEVELS = [1] * 14 + [2] * 11 + [3] * 5 + [4] * 4 + [5] * 2


def story(i: int) -> str:
    return (
        f"Invented patient number {i}, who keeps {i + 3} bees and walks with a cane,\nsays the chest feels tight since "
        f"breakfast. Heart rate {60 + i} bpm, BP {110 + i}/70, SpO2 97%. Case {i * 7} of the made-up series."
    )


def release(folder: Path, validate: list[dict[str, str]], corpus: list[tuple[str, str, str]]) -> Path:
    for name, header, rows in (
        (VALIDATE, HEADER, [[{**ROW, **row}.get(column, "") for column in HEADER] for row in validate]),
        (CORPUS, ["instruction", "input", "output"], corpus),
    ):
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([header, *rows])
    return folder


def validated(i: int, **row: str) -> dict[str, str]:
    return {FIRST: f"1{i:03}", "stay_id": f"9{i:03}", "tiragecase": story(i), **row}


def built(folder: Path, **choices: Any) -> tuple[list[Case], dict, list[dict]]:
    report = build_mietic(folder, folder / "out.parquet", **choices)
    cases, bad = read_cases(folder / "out.parquet")
    assert not bad
    quarantine = folder / "out.parquet.quarantine.jsonl"
    lines = quarantine.read_text(encoding="utf-8").splitlines() if quarantine.exists() else []
    assert report["rows_in"] == report["cases"] + report["quarantined"]
    assert (report["cases"], report["quarantined"]) == (len(cases), len(lines))
    return cases, report, [json.loads(line) for line in lines]


def test_the_header_is_the_contract() -> None:
    assert len(HEADER) == len(set(HEADER)) == 57


def test_a_whole_release_has_the_known_counts(tmp_path: Path) -> None:
    validate = [validated(i, acuity=str(level)) for i, level in enumerate(LEVELS)]
    validate += [validated(i, **{"Final Decision": " remove "}) for i in range(36, 50)]
    asked = [QUESTION["1"]] * 3001 + [QUESTION["2"]] * 3001 + [QUESTION["3-5"]] * 3627
    corpus = [(question, f"Made-up note {i}, bed {i * 7}, with cough.", "Yes.") for i, question in enumerate(asked)]
    cases, report, quarantine = built(release(tmp_path, validate, corpus))
    assert report["known_counts"].startswith("the counts of MIETIC 1.0.0")
    assert Counter(case.gold for case in cases if case.split == "held_out") == {1: 14, 2: 11, 3: 5, 4: 4, 5: 2}
    assert sum(case.split == "train" for case in cases) == 9629
    assert len(quarantine) == 14
    assert all("did not retain" in row["reason"] for row in quarantine)


def test_another_count_is_said(tmp_path: Path) -> None:
    _, report, _ = built(release(tmp_path, [validated(1)], [(QUESTION["1"], story(500), "Yes.")]))
    assert "ESI-1 0 instead of 14" in report["known_counts"]
    assert "band 1 1 instead of 3,001" in report["known_counts"]


def test_a_retained_row(tmp_path: Path) -> None:
    (case,), _, _ = built(release(tmp_path, [validated(7)], []))
    assert (case.case_id, case.subject_id, case.stay_id) == ("mietic-validate-9007", "1007", "9007")
    assert (case.gold, case.gold_source, case.licence, case.split) == (
        2,
        "expert-confirmed",
        "credentialed",
        "held_out",
    )
    assert case.narrative == story(7)
    assert (case.age_years, case.sex, case.arrival, case.chief_complaint) == (63.8, "F", "walk-in", "Chest pain")
    assert (case.temperature_c, case.heart_rate, case.pain, case.pain_raw) == (37.0, 80, None, "uta")


def test_nothing_that_came_later_is_kept(tmp_path: Path) -> None:
    allowed = {column for _, column in ALLOWED if column} | {FIRST, "Final Decision"}
    markers = {column: f"MARKER {column}" for column in HEADER if column not in allowed}
    assert len(markers) == 41
    cases, _, _ = built(
        release(tmp_path, [validated(1, **markers)], [(f"{QUESTION['2']} MARKER", story(300), "Yes. MARKER output")])
    )
    assert len(cases) == 2
    assert "MARKER" not in "".join(case.model_dump_json() for case in cases)
    assert not any(part in case.narrative for case in cases for part in QUESTIONS.values())


def test_corpus_rows_keep_bands_apart_from_nurse_labels(tmp_path: Path) -> None:
    rows = [
        (QUESTION["1"], story(100), "No, there is no need for immediate life-saving interventions."),
        (QUESTION["2"], story(200), "The patient meets the criteria: high risk."),
        (QUESTION["3-5"], story(300), "The patient will need 1 resource."),
    ]
    cases, report, _ = built(release(tmp_path, [validated(1)], rows))
    corpus = [case for case in cases if case.source == "mietic"]
    assert [case.tags for case in corpus] == [
        ("band:1", "answer:no"),
        ("band:2", "answer:yes", "band-level:2"),
        ("band:3-5", "resources:1", "band-level:4"),
    ]
    assert {(case.gold, case.gold_source, case.split) for case in corpus} == {(None, None, "train")}
    assert {case.licence for case in cases} == {"credentialed"}
    assert report["rules"]["band_1"] == 1
    assert (corpus[0].heart_rate, corpus[0].sbp, corpus[0].dbp, corpus[0].spo2) == (160, 210, 70, 97)  # as narrated


def test_bands_become_gold_only_when_asked(tmp_path: Path) -> None:
    rows = [(QUESTION["1"], story(100), "Perhaps."), (QUESTION["2"], story(200), "Yes.")]
    cases, _, _ = built(release(tmp_path, [validated(1)], rows), gold_from_bands=True)
    corpus = [case for case in cases if case.source == "mietic"]
    assert [(case.gold, case.gold_source) for case in corpus] == [(None, None), (2, "band")]


@pytest.mark.parametrize("decision", ["RETAIN", "REMOVE"])
def test_what_resembles_a_validated_row_is_not_trained_on(tmp_path: Path, decision: str) -> None:
    retold = story(7).replace("67 bpm", "72 bpm").replace("\n", " ")
    rows = [(QUESTION["1"], retold, "Yes."), (QUESTION["1"], "A short note on another matter altogether here.", "Yes.")]
    cases, _, quarantine = built(release(tmp_path, [validated(7, **{"Final Decision": decision})], rows))
    assert [case.case_id for case in cases if case.source == "mietic"] == ["mietic-2"]
    (line,) = [row for row in quarantine if row["case_id"] == "mietic-1"]
    assert "resembles mietic-validate-9007" in line["reason"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"acuity": "0"}, "gold"),
        ({"acuity": "two"}, "gold"),
        ({"stay_id": ""}, "stay_id is empty"),
        ({"Final Decision": ""}, "did not retain"),
        ({"tiragecase": "word " * 5000}, "longer than"),
    ],
)
def test_bad_rows_are_quarantined_with_the_reason(tmp_path: Path, row: dict[str, str], reason: str) -> None:
    _, report, quarantine = built(release(tmp_path, [validated(1), validated(2, **row)], []))
    assert report["cases"] == 1
    assert reason in quarantine[0]["reason"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("Say hello.", story(100), "Yes."), "none of the three questions"),
        ((QUESTION["1"], "  ", "Yes."), "input is empty"),
        ((QUESTION["1"], "word " * 5000, "Yes."), "longer than"),
    ],
)
def test_bad_corpus_rows_are_quarantined(tmp_path: Path, row: tuple[str, str, str], reason: str) -> None:
    cases, _, quarantine = built(release(tmp_path, [validated(1)], [row, (QUESTION["1"], story(200), "Yes.")]))
    assert [case.case_id for case in cases] == ["mietic-validate-9001", "mietic-2"]
    assert reason in quarantine[0]["reason"]


def test_files_that_are_not_the_release_are_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=CORPUS):
        build_mietic(tmp_path, tmp_path / "out.parquet")
    release(tmp_path, [validated(1)], [])
    text = (tmp_path / VALIDATE).read_text(encoding="utf-8")
    (tmp_path / VALIDATE).write_text(text.replace("tiragecase", "triagecase"), encoding="utf-8")
    with pytest.raises(InputError, match="tiragecase"):
        build_mietic(tmp_path, tmp_path / "out.parquet")
    (tmp_path / VALIDATE).write_text(text.replace("race,", "", 1), encoding="utf-8")
    with pytest.raises(InputError, match="56 columns"):
        build_mietic(tmp_path, tmp_path / "out.parquet")
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize(
    ("output", "polarity"),
    [
        ("Yes, the patient requires intubation.", "yes"),
        ("**Answer: Yes**", "yes"),
        ("No. Stable vital signs.", "no"),
        ("The patient requires immediate life-saving interventions.", "yes"),
        ("The patient meets ESI Level 2 criteria due to a high-risk situation.", "yes"),
        ("The patient does not require immediate life-saving interventions.", "no"),
        ("The patient doesn't meet ESI Level 2 criteria.", "no"),
        ("No immediate life-saving interventions are needed.", "no"),
        ("There are no immediate life-saving interventions required at this time.", "no"),
        ("Immediate life-saving interventions are not necessary.", "no"),
        ("The patient does not need a ventilator but requires vasopressors.", "unclear"),
        ("Stable.", "unclear"),
        ("", "unclear"),
    ],
)
def test_polarity(output: str, polarity: str) -> None:
    assert polarity_of(output) == polarity
    assert level_answered("1", output) == (1 if polarity == "yes" else None)
    assert level_answered("2", output) == (2 if polarity == "yes" else None)


@pytest.mark.parametrize(
    ("output", "resources", "level"),
    [
        ("The patient will need no resources.", 0, 5),
        ("Zero resources.", 0, 5),
        ("0 resources", 0, 5),
        ("10 resources", 2, 3),  # not the 0 in it
        ("1 resource: an X-ray.", 1, 4),
        ("One resource is likely.", 1, 4),
        ("The number of resources required is 1.", 1, 4),
        ("Resources: 3", 2, 3),
        ("two or more resources", 2, 3),
        ("2-3 resources", 2, 3),
        ("at least two different resources", 2, 3),
        ("Multiple resources", 2, 3),
        ("1-2 resources", None, None),
        ("one or more resources", None, None),
        ("at least one resource", None, None),
        ("1 resource. Later: 3 resources.", None, None),
        ("A CT and labs.", None, None),
    ],
)
def test_resources(output: str, resources: int | None, level: int | None) -> None:
    assert resources_of(output) == resources
    assert level_answered("3-5", output) == level
