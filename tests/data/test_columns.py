"""Any hospital's table: the map, the cleaning, the guess. Every row is made up."""

import csv
import gzip
import json
import os
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import tomli_w

from esi_triage.data.build import build_mimic
from esi_triage.data.case_table import read_cases
from esi_triage.data.hospital.column_map import load_map
from esi_triage.data.hospital.guessed_map import guess_map
from esi_triage.data.hospital.headers import guess_columns
from esi_triage.data.hospital.hospital_cases import build_table
from esi_triage.errors import InputError
from esi_triage.esi import Case

PLAIN = {
    **{"Visit": "1", "MRN": "p1", "Reason": "Abd pain", "Age": "40", "Sex": "F", "Mode": "WALK IN", "Temp": "98.6"},
    **{"Pulse": "80", "Resp": "16", "Sat": "98", "Sys": "120", "Dia": "80", "Pain": "5", "ESI": "3"},
    **{"Discharge diagnosis": "MARKER", "Nurse": "MARKER"},
}
MAP: dict[str, Any] = {
    "source": "st-elsewhere",
    "columns": {
        **{"stay_id": "Visit", "subject_id": "MRN", "chief_complaint": "Reason", "age": "Age", "sex": "Sex"},
        **{"arrival": "Mode", "temperature": "Temp", "heart_rate": "Pulse", "resp_rate": "Resp", "spo2": "Sat"},
        **{"sbp": "Sys", "dbp": "Dia", "pain": "Pain", "gold": "ESI"},
    },
}


def table(folder: Path, *rows: dict[str, str], delimiter: str = ",", name: str = "visits.csv") -> Path:
    file = folder / name
    columns = list(dict.fromkeys(column for row in (PLAIN, *rows) for column in row))
    with gzip.open(file, "wt") if name.endswith(".gz") else file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, restval="", delimiter=delimiter)
        writer.writeheader()
        writer.writerows({**PLAIN, "Visit": str(i), **row} for i, row in enumerate(rows, start=1))
    return file


def map_file(folder: Path, **changes: Any) -> Path:
    """MAP with whole parts replaced; of `columns` only the given ones, None for one that is left out."""
    values = {**MAP, **changes}
    values["columns"] = {k: v for k, v in {**MAP["columns"], **changes.get("columns", {})}.items() if v is not None}
    file = folder / "map.toml"
    file.write_text(tomli_w.dumps(values), encoding="utf-8")
    return file


def built(folder: Path, file: Path, **changes: Any) -> tuple[list[Case], dict[str, Any], list[dict[str, Any]]]:
    output = folder / "cases.parquet"
    report = build_table(file, map_file(folder, **changes), output)
    cases, bad = read_cases(output)
    assert not bad
    quarantine = output.with_name("cases.parquet.quarantine.jsonl")
    lines = quarantine.read_text(encoding="utf-8").splitlines() if quarantine.exists() else []
    assert report["rows_in"] == report["cases"] + report["quarantined"]
    assert (report["cases"], report["quarantined"]) == (len(cases), len(lines))
    return cases, report, [json.loads(line) for line in lines]


def test_a_plain_row(tmp_path: Path) -> None:
    (case,), report, _ = built(tmp_path, table(tmp_path, {}))
    assert (case.case_id, case.source, case.licence) == ("st-elsewhere-1", "st-elsewhere", "credentialed")
    assert (case.subject_id, case.stay_id, case.gold, case.gold_source) == ("p1", "1", 3, "nurse")
    assert (case.age_years, case.sex, case.arrival, case.chief_complaint) == (40, "F", "walk-in", "Abd pain")
    assert [round(value or 0, 1) for _, value in case.vitals] == [37.0, 80, 16, 98, 120, 80, 5]
    assert "Abd pain" in case.narrative
    assert case.split is not None
    assert report["map"]["columns"]["stay_id"] == "Visit"
    assert len(report["files"]["table"]["sha256"]) == 64


def test_only_mapped_columns_are_read(tmp_path: Path) -> None:
    (case,), _, _ = built(tmp_path, table(tmp_path, {}))
    assert "MARKER" not in case.model_dump_json()


@pytest.mark.parametrize(
    ("typed", "changes", "expected"),
    [
        ({"Temp": "36.5"}, {}, {"temperature_c": 36.5}),
        ({"Temp": "36,5"}, {}, {"temperature_c": 36.5}),
        ({"Temp": "101.2 F"}, {}, {"temperature_c": 38.4}),
        ({"Temp": "38.4°C"}, {}, {"temperature_c": 38.4}),
        ({"Temp": "60"}, {}, {"temperature_c": None}),
        ({"Temp": "98.6"}, {"units": {"temperature": "C"}}, {"temperature_c": 37.0}),
        ({"Pulse": "900"}, {}, {"heart_rate": None}),
        ({"Pulse": "0"}, {}, {"heart_rate": None, "tags": ("zero:heart_rate",)}),
        ({"Pulse": "fast"}, {}, {"heart_rate": None}),
        ({"Pulse": "88 bpm"}, {}, {"heart_rate": 88}),
        ({"Sat": "98 %"}, {}, {"spo2": 98}),
        ({"Sat": "0.97"}, {"units": {"spo2": "fraction"}}, {"spo2": 97}),
        ({"Sat": "NULL"}, {}, {"spo2": None}),
        ({"Sys": "80", "Dia": "120"}, {}, {"sbp": None, "dbp": None}),
        (
            {"BP": "118 / 76 mmHg"},
            {"columns": {"sbp": None, "dbp": None, "blood_pressure": "BP"}},
            {"sbp": 118, "dbp": 76},
        ),
        ({"BP": "90"}, {"columns": {"sbp": None, "dbp": None, "blood_pressure": "BP"}}, {"sbp": 90, "dbp": None}),
        ({"Pain": "7/10"}, {}, {"pain": 7}),
        ({"Pain": "13"}, {}, {"pain": None, "pain_raw": "13"}),
        ({"Pain": "unable"}, {}, {"pain": None, "pain_raw": "unable", "tags": ("pain:unable",)}),
        ({"Age": "18"}, {"units": {"age": "months"}}, {"age_years": 1.5}),
        ({"Age": "300"}, {}, {"age_years": None}),
        ({"Sex": "female"}, {}, {"sex": "F"}),
        ({"Sex": "2"}, {"codes": {"sex": {"F": ["2"]}}}, {"sex": "F"}),
        ({"Sex": "M"}, {"codes": {"sex": {"F": ["2"]}}}, {"sex": "M"}),  # what is not given keeps its usual codes
        ({"Sex": "X"}, {}, {"sex": None}),
        ({"Mode": "ems"}, {}, {"arrival": "ambulance"}),
        ({"ESI": "ESI-2"}, {}, {"gold": 2}),
        ({"ESI": "4.0"}, {}, {"gold": 4}),
        ({"ESI": "A"}, {"codes": {"gold": {"1": ["A"]}}}, {"gold": 1}),
        ({"ESI": ""}, {}, {"gold": None, "gold_source": None}),
        ({"MRN": "77.0"}, {}, {"subject_id": "77"}),
        ({"Visit": "1001.0"}, {}, {"case_id": "st-elsewhere-1001"}),
        ({"Group": "test"}, {"columns": {"split": "Group"}}, {"split": "held_out"}),
        ({}, {"columns": {"subject_id": None}}, {"split": None}),  # without patients no split can be by patient
        ({}, {"columns": {"stay_id": None}}, {"case_id": "st-elsewhere-row-1", "stay_id": None}),
        ({}, {"licence": "open", "gold_source": "handbook"}, {"licence": "open", "gold_source": "handbook"}),
    ],
)
def test_cells(tmp_path: Path, typed: dict[str, str], changes: dict[str, Any], expected: dict[str, Any]) -> None:
    (case,), _, _ = built(tmp_path, table(tmp_path, typed), **changes)
    assert {name: getattr(case, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("born", "arrived", "forms", "years"),
    [
        ("1950-01-02", "2024-01-02 10:00", [], 74),
        ("02/01/1950", "2024-01-02T10:00:00+01:00", ["%d/%m/%Y"], 74),
        ("02.01.1950", "02.01.2024 10:00", ["%d.%m.%Y", "%d.%m.%Y %H:%M"], 74),
        ("2024-01-01", "2024-01-31", [], 0.0821),
        ("2025-01-01", "2024-01-31", [], None),
        ("02/01/1950", "2024-01-02", [], None),
        ("", "2024-01-02", [], None),
    ],
)
def test_age_from_dates(tmp_path: Path, born: str, arrived: str, forms: list[str], years: float | None) -> None:
    columns = {"age": None, "birth_date": "DOB", "arrival_time": "Arrived"}
    (case,), _, _ = built(
        tmp_path, table(tmp_path, {"DOB": born, "Arrived": arrived}), columns=columns, date_formats=forms
    )
    assert case.age_years == (pytest.approx(years, abs=0.01) if years is not None else None)


def test_a_note_is_the_narrative_and_a_blank_one_is_told_from_the_fields(tmp_path: Path) -> None:
    file = table(tmp_path, {"Note": "Says his belly hurts.\nPale."}, {"Note": " "})
    cases, report, _ = built(tmp_path, file, columns={"text": "Note"})
    assert cases[0].narrative == "Says his belly hurts.\nPale."
    assert "Abd pain" in cases[1].narrative
    assert report["rules"] == {"text_blank_told_from_fields": 1}


def test_every_rule_is_counted(tmp_path: Path) -> None:
    rows = [{"Temp": "36.6"}, {"Pulse": "900"}, {"Pulse": "0"}, {"Pulse": "fast"}, {"Sys": "80", "Dia": "120"}]
    rows += [{"Pain": "13"}, {"Pain": "ett"}, {"Age": "300"}, {"Age": "old"}, {"Sex": "X"}, {"Mode": "by mule"}, {}]
    _, report, _ = built(tmp_path, table(tmp_path, *rows), units={"temperature": "F"})
    assert report["rules"] == {
        **{"temperature_was_celsius": 1, "heart_rate_out_of_range": 1, "heart_rate_zero": 1},
        **{"vital_sign_not_a_number": 1, "dbp_not_below_sbp": 1, "pain_above_10": 1, "pain_in_words": 1},
        **{"age_out_of_range": 1, "age_not_a_number": 1, "sex_unknown_code": 1, "arrival_unknown_code": 1},
    }


def test_missing_values_never_drop_a_row(tmp_path: Path) -> None:
    nothing = dict.fromkeys((*PLAIN,), "") | {"Visit": "7"}
    (case,), report, _ = built(tmp_path, table(tmp_path, nothing))
    assert "not recorded" in case.narrative
    assert report["missing"]["heart_rate"] == report["missing"]["chief_complaint"] == 1


def test_bad_rows_are_quarantined_with_their_place_and_reason(tmp_path: Path) -> None:
    file = table(tmp_path, {}, {"Visit": "1"}, {"Visit": ""}, {"ESI": "6"}, {"ESI": "two"}, {"Reason": "x" * 2_000_000})
    with file.open("ab") as stream:
        stream.write(b"7,p1,caf\xe9," + b"," * 12 + b"\r\n8,p1\r\n9" + b",x" * 40 + b"\r\n")
    cases, report, quarantine = built(tmp_path, file)
    assert report["rows_in"] == 9
    assert [case.stay_id for case in cases] == ["1"]
    assert [(row["row"], row["reason"].split(":")[0].split(";")[0]) for row in quarantine] == [
        (2, "stay_id occurs twice"),
        (3, "stay_id is empty"),
        (4, "gold is none of the codes in [codes.gold]"),
        (5, "gold is none of the codes in [codes.gold]"),
        (6, "chief_complaint is longer than 20,000 characters"),
        (7, "the row holds bytes that are not UTF-8"),
        (8, "the row has fewer cells than the header"),
        (9, "the row has more cells than the header"),
    ]


@pytest.mark.parametrize(
    ("swap", "named"),
    [
        ({"sbp": "Dia", "dbp": "Sys"}, "sbp"),
        ({"heart_rate": "Resp", "resp_rate": "Pulse"}, "heart_rate"),
        ({"temperature": "Sys"}, "temperature"),
        ({"sex": "Mode"}, "sex"),
        ({"gold": "Temp"}, "gold"),
    ],
)
def test_a_wrong_column_is_an_error(tmp_path: Path, swap: dict[str, str], named: str) -> None:
    with pytest.raises(InputError, match=named):
        build_table(table(tmp_path, *[{}] * 60), map_file(tmp_path, columns=swap), tmp_path / "out.parquet")
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"columns": {"heart_rate": "pulze"}}, "Did you mean 'Pulse'"),
        ({"columns": {"hartrate": "Pulse"}}, "unknown key 'columns.hartrate'"),
        ({"colour": "red"}, "unknown key 'colour'"),
        ({"units": {"temperature": "K"}}, "units.temperature"),
        ({"codes": {"sex": {"F": ["1"], "M": ["1"]}}}, "'1' stands twice"),
        ({"columns": {"chief_complaint": None}}, "text or chief_complaint"),
        ({"columns": {"blood_pressure": "BP"}}, "not both"),
        ({"columns": {"age": None, "birth_date": "DOB"}}, "arrival_time"),
    ],
)
def test_a_wrong_map_is_an_error_with_the_fix(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match="map") as refused:
        build_table(table(tmp_path, {}), map_file(tmp_path, **changes), tmp_path / "out.parquet")
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.xlsx", b"PK", "read from .csv"),
        ("missing.csv", None, "missing.csv"),
        ("empty.csv", b"", "no header"),
        ("twice.csv", b"Visit,Visit\n1,2\n", "occurs twice"),
        ("a.parquet", b"no parquet", "cannot be read"),
        ("a.csv.gz", gzip.compress(os.urandom(100_000))[:5000], "cannot be read"),
        ("open.csv", b'Visit,Reason\n1,"open\n2,closed\n', "never closed"),
    ],
)
def test_unreadable_files_are_named(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    least = tmp_path / "map.toml"
    least.write_text('source = "x"\n[columns]\nstay_id = "Visit"\nchief_complaint = "Reason"\n', encoding="utf-8")
    with pytest.raises(InputError, match=said) as refused:
        build_table(file, least, tmp_path / "out.parquet")
    assert name in str(refused.value)
    assert not list(tmp_path.glob("out*"))


def test_a_truncated_gz_leaves_nothing(tmp_path: Path) -> None:
    file = table(tmp_path, *[{"Reason": f"pain {i}"} for i in range(5000)], name="visits.csv.gz")
    file.write_bytes(file.read_bytes()[:-500])
    with pytest.raises(InputError, match=r"visits\.csv\.gz"):
        build_table(file, map_file(tmp_path), tmp_path / "out.parquet")
    assert not list(tmp_path.glob("out*"))


def test_delimiters_gz_and_parquet_give_the_same_cases(tmp_path: Path) -> None:
    rows = [{"Reason": 'pain; "sharp",\nsince noon'}, {"Temp": "36.5"}, {"Pain": "unable"}]
    expected, _, _ = built(tmp_path, table(tmp_path, *rows))
    parquet = tmp_path / "visits.parquet"
    duckdb.connect().sql(f"SELECT * FROM read_csv('{tmp_path}/visits.csv', all_varchar = true)").write_parquet(
        str(parquet)
    )
    for file in (
        table(tmp_path, *rows, delimiter=";", name="semicolons.csv"),
        table(tmp_path, *rows, delimiter="\t", name="tabs.tsv"),
        table(tmp_path, *rows, name="visits.csv.gz"),
        parquet,
    ):
        assert built(tmp_path, file)[0] == expected, file
    assert expected[0].chief_complaint == rows[0]["Reason"]


def test_the_demo_by_a_guessed_map_is_the_demo_by_its_own_builder(demo: Path, tmp_path: Path) -> None:
    triage = demo / "ed" / "triage.csv.gz"
    (tmp_path / "map.toml").write_text(guess_map(triage), encoding="utf-8")
    build_table(triage, tmp_path / "map.toml", tmp_path / "mapped.parquet")
    build_mimic(demo, tmp_path / "demo.parquet", seed=0)
    same = ("subject_id", "stay_id", "split", "chief_complaint", "vitals", "pain_raw", "gold", "tags")
    mapped, own = (
        sorted((case for case in read_cases(tmp_path / name)[0]), key=lambda case: case.stay_id or "")
        for name in ("mapped.parquet", "demo.parquet")
    )
    assert len(mapped) == len(own) == 222
    for ours, theirs in zip(mapped, own, strict=True):
        assert {name: getattr(ours, name) for name in same} == {name: getattr(theirs, name) for name in same}


@pytest.mark.parametrize("name", ["VISITS.CSV", "visits.csv.GZ", "visits.Parquet"])
def test_an_ending_may_be_in_capitals(tmp_path: Path, name: str) -> None:
    plain = table(tmp_path, {}, name="visits.csv.gz" if name.endswith("GZ") else "visits.csv")
    if name.endswith("Parquet"):
        duckdb.connect().sql(f"SELECT * FROM read_csv('{plain}', all_varchar = true)").write_parquet(
            str(tmp_path / name)
        )
    else:
        plain.rename(tmp_path / name)
    assert len(built(tmp_path, tmp_path / name)[0]) == 1
    assert 'gold = "ESI"' in guess_map(tmp_path / name)


def test_columns_without_a_name_are_ignored(tmp_path: Path) -> None:
    file = table(tmp_path, {}, {})
    expected = built(tmp_path, file)[0]
    header, *rows = file.read_text(encoding="utf-8").splitlines()
    lines = ["," + header + ",,", *(f"MARKER,{row},MARKER," for row in rows)]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    cases, report, _ = built(tmp_path, file)
    assert (cases, report["quarantined"]) == (expected, 0)
    assert 'gold = "ESI"' in guess_map(file)
    with pytest.raises(InputError, match="there is no column ''"):
        built(tmp_path, file, columns={"pain": ""})


def test_a_parquet_file_with_types(tmp_path: Path) -> None:
    file = tmp_path / "typed.parquet"
    duckdb.connect().sql(
        "SELECT 1 AS visit, 17::BIGINT AS mrn, 'cough' AS reason, 38.5::DOUBLE AS temp, 2::TINYINT AS esi, "
        "DATE '2000-02-03' AS dob, TIMESTAMP '2020-02-03 10:11:12' AS arrived, NULL::INTEGER AS pulse"
    ).write_parquet(str(file))
    columns = dict.fromkeys(MAP["columns"]) | {"stay_id": "visit", "subject_id": "mrn", "chief_complaint": "reason"}
    columns |= {"temperature": "temp", "gold": "esi", "birth_date": "dob", "arrival_time": "arrived"}
    (case,), _, _ = built(tmp_path, file, columns=columns | {"heart_rate": "pulse"})
    assert (case.temperature_c, case.gold, case.heart_rate, case.subject_id) == (38.5, 2, None, "17")
    assert case.age_years == pytest.approx(20, abs=0.01)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            ["stay_id", "subject_id", "temperature", "heartrate", "resprate", "o2sat", "sbp", "dbp", "pain", "acuity"],
            {"temperature": "temperature", "spo2": "o2sat", "gold": "acuity", "sbp": "sbp"},
        ),
        (
            ["EncounterID", "PatientID", "ChiefComplaint"],
            {"stay_id": "EncounterID", "chief_complaint": "ChiefComplaint"},
        ),
        (["Triage_HR", "Triage_Pulse_Ox", "TRIAGE_BP_SYS"], {"heart_rate": "Triage_HR", "spo2": "Triage_Pulse_Ox"}),
        (["DOB", "Arrival Date/Time", "Gender"], {"birth_date": "DOB", "arrival_time": "Arrival Date/Time"}),
        (["Age", "DOB", "intime"], {"age": "Age"}),
        (["BP", "SBP", "DBP"], {"sbp": "SBP", "dbp": "DBP"}),
        (["Note", "Physician sex"], {"text": "Note", "sex": None}),
        (["Cmd Pain"], {"pain": "Cmd Pain"}),
        (["RN Triage Note", "MD Note"], {"text": "RN Triage Note"}),
        (["Discharge note", "Final diagnosis", "ED disposition", "Lab pain panel"], {}),
        (["Provider Note", "PhysicianNote", "MD triage note", "Progress_Notes", "ED course narrative"], {}),
        (["ED Note", "Provider HPI", "Plan (nursing note)", "Reason for consult", "Radiology narrative"], {}),
    ],
)
def test_columns_are_recognised_by_name(names: list[str], expected: dict[str, str]) -> None:
    found = guess_columns(names)
    assert {field: found.get(field) for field in expected} == expected
    assert expected or not found


def test_a_guessed_text_is_to_be_checked(tmp_path: Path) -> None:
    text = guess_map(table(tmp_path, {"Nursing Note": "cough", "Provider Note": "admitted"}))
    assert 'text = "Nursing Note"  # CHECK: written at triage?' in text
    assert "known only after triage: Discharge diagnosis, Provider Note" in text


def test_a_guessed_map_builds_the_table(tmp_path: Path) -> None:
    rows = [{"Temp": str(36 + i / 10), "ESI": str(1 + i % 5), "Mode": "EMS" if i % 2 else "Walk-in"} for i in range(10)]
    file = table(tmp_path, *rows)
    text = guess_map(file)
    (tmp_path / "map.toml").write_text(text, encoding="utf-8")
    guessed = load_map(tmp_path / "map.toml")
    assert guessed.mapped() == MAP["columns"]
    assert guessed.units.temperature == "C"
    assert guessed.licence == "credentialed"
    report = build_table(file, tmp_path / "map.toml", tmp_path / "cases.parquet")
    assert (report["cases"], report["levels"]["5"], report["rules"]) == (10, 2, {})
    assert "known only after triage: Discharge diagnosis" in text
    assert "MARKER" not in text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"Temp": "98.6"}, 'temperature = "F"'),
        ({"Temp": "37.2"}, 'temperature = "C"'),
        ({"Temp": "0986"}, 'temperature = "0.1 F"'),
        ({"Sat": "0.98"}, 'spo2 = "fraction"'),
        ({"Pulse": "9000"}, "CHECK: only 0%"),
        ({"Sex": "9"}, 'PLACE THESE, or they count as not recorded: ["9"]'),
        ({"ESI": "red"}, 'PLACE THESE, or their rows go to quarantine: ["red"]'),
    ],
)
def test_the_guess_reads_units_and_codes_from_the_values(tmp_path: Path, typed: dict[str, str], said: str) -> None:
    assert said in guess_map(table(tmp_path, *[typed] * 20))


def test_missing_codes_become_null_and_are_counted(tmp_path: Path) -> None:
    file = table(tmp_path, {"Pain": "-8", "Pulse": "-9"}, {"Pain": "-8.0"}, {"Pain": "7", "Mode": "-9"})
    missing = {"pain": ["-8"], "heart_rate": ["-9"], "arrival": ["-9"]}
    cases, report, _ = built(tmp_path, file, missing=missing)
    assert [(case.pain, case.pain_raw) for case in cases] == [(None, None), (None, None), (7, "7")]
    assert (cases[0].heart_rate, cases[2].arrival) == (None, None)
    assert report["rules"] == {"pain_missing_code": 2, "heart_rate_missing_code": 1, "arrival_missing_code": 1}
    assert "-8" not in "".join(case.narrative for case in cases)
    assert "not recorded" in cases[0].narrative


@pytest.mark.parametrize(
    ("typed", "unit", "celsius"),
    [("0986", "0.1 F", 37.0), ("1012", "0.1 F", 38.4), ("385", "0.1 C", 38.5), ("9999", "0.1 F", None)],
)
def test_tenths_of_a_degree(tmp_path: Path, typed: str, unit: str, celsius: float | None) -> None:
    (case,), report, _ = built(tmp_path, table(tmp_path, {"Temp": typed}), units={"temperature": unit})
    assert case.temperature_c == celsius
    assert report["rules"] == ({} if celsius else {"temperature_c_out_of_range": 1})


EVALUATION: dict[str, Any] = {
    "groups": {"race": "Race", "hospital": "Site"},
    "outcomes": {"died": "Died", "critical_care": {"column": "Unit", "true": ["ICU"], "false": ["ward", "home"]}},
    "missing": {"race": ["-9"]},
}


def test_groups_and_outcomes_lie_beside_the_table_and_never_in_a_case(tmp_path: Path) -> None:
    marked = {"Race": "MARKER-RACE", "Site": "MARKER-SITE", "Died": "1", "Unit": "ICU"}
    file = table(
        tmp_path,
        *(marked, {"ESI": "nonsense", **marked}, {"Race": "-9", "Died": "0", "Unit": "MARKER-UNIT"}),
        {"Race": "A", "Site": "N", "Unit": "home"},
    )
    cases, report, _ = built(tmp_path, file, **EVALUATION)
    assert "MARKER" not in "".join(case.model_dump_json() for case in cases)
    assert "MARKER" not in (tmp_path / "cases.parquet.quarantine.jsonl").read_text(encoding="utf-8")
    groups, outcomes = (pq.read_table(tmp_path / f"cases.{kind}.parquet") for kind in ("groups", "outcomes"))
    ids = [case.case_id for case in cases]
    assert groups.to_pydict() == {
        **{"case_id": ids, "race": ["MARKER-RACE", None, "A"], "hospital": ["MARKER-SITE", None, "N"]}
    }
    assert outcomes.to_pydict() == {
        **{"case_id": ids, "died": [True, False, None], "critical_care": [True, None, False]}
    }
    assert outcomes.schema.field("died").type == pa.bool_()
    assert report["outcomes"]["died"] == {"true": 1, "false": 1, "missing": 1}


def test_an_older_build_leaves_no_outcomes_behind(tmp_path: Path) -> None:
    built(tmp_path, table(tmp_path, {"Died": "1"}), outcomes={"died": "Died"})
    built(tmp_path, table(tmp_path, {"Died": "1"}))
    assert not (tmp_path / "cases.outcomes.parquet").exists()


def test_group_and_scale_are_columns_of_a_case(tmp_path: Path) -> None:
    (case,), _, _ = built(tmp_path, table(tmp_path, {"HY": "2020-17"}), columns={"group": "HY"}, scale="us-5-level")
    assert (case.group, case.scale) == ("2020-17", "us-5-level")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"outcomes": {"died": "Sex"}}, "outcomes.died and columns.sex are one column"),
        (
            {"columns": {"chief_complaint": None}, "complaint_flags": {"prefix": "Die"}, "outcomes": {"died": "Died"}},
            "outcomes.died: column 'Died' begins with complaint_flags.prefix 'Die'",
        ),
        (
            {"columns": {"chief_complaint": None}, "complaint_flags": {"prefix": "Nu"}, "groups": {"race": "Nurse"}},
            "groups.race: column 'Nurse' begins with complaint_flags.prefix 'Nu'",
        ),
        (
            {"columns": {"chief_complaint": None}, "complaint_flags": {"prefix": "ES"}},
            "columns.gold: column 'ESI' begins with complaint_flags.prefix 'ES'",
        ),
        ({"outcomes": {"died": "Dieed"}}, "outcomes.died of the map"),
        ({"groups": {"race": "Rase"}}, "groups.race of the map"),
        ({"missing": {"race": ["-9"]}}, "missing.race: no column, group or outcome of that name is mapped"),
        ({"outcomes": {"died": {"column": "Nurse", "true": ["1"], "false": ["1"]}}}, "for true and for false"),
        ({"outcomes": {"died": "Nurse"}}, "60 of 60 cells of column 'Nurse' are no"),
    ],
)
def test_a_wrong_evaluation_section_is_an_error(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as refused:
        build_table(table(tmp_path, *[{}] * 60), map_file(tmp_path, **changes), tmp_path / "out.parquet")
    assert said in str(refused.value)
    assert "st-elsewhere" not in str(refused.value)
    assert not list(tmp_path.glob("out*"))


def test_the_guess_puts_outcomes_and_groups_where_only_evaluation_reads_them(tmp_path: Path) -> None:
    rows = [
        {"RACE": "W", "Payer": "2", "ICU admission": str(i % 2), "Died in ED": "alive" if i else "dead"}
        for i in range(4)
    ]
    text = guess_map(table(tmp_path, *rows))
    (tmp_path / "map.toml").write_text(text, encoding="utf-8")
    guessed = load_map(tmp_path / "map.toml")
    assert guessed.groups == {"race": "RACE", "insurance": "Payer"}
    assert {name: outcome.column for name, outcome in guessed.outcomes.items()} == {"critical_care": "ICU admission"}
    assert '# death = {column = "Died in ED", true = [], false = []}  # PLACE THESE: ["alive", "dead"]' in text


def test_a_pain_score_is_taken_before_a_pain_flag(tmp_path: Path) -> None:
    file = table(tmp_path, *[{"Pain": str(i % 2), "NRS_pain": str(i)} for i in range(10)])
    assert 'pain = "NRS_pain"' in guess_map(file)


@pytest.mark.parametrize(
    ("born", "formats"),
    [
        (["31/12/1950", "01/02/2000"], '["%d/%m/%Y"]\n'),
        (["12/31/1950", "01/02/2000"], '["%m/%d/%Y"]\n'),
        (["01/02/2000"], "day and month could be the other way round"),
        (["31. Dec 1950"], "some dates fit no usual form"),
    ],
)
def test_the_guess_reads_dates(tmp_path: Path, born: list[str], formats: str) -> None:
    file = tmp_path / "dates.csv"
    file.write_text("dob,arrival time,reason\n" + "".join(f"{b},2020-01-01 10:00,x\n" for b in born), encoding="utf-8")
    text = guess_map(file)
    assert formats in text
    (tmp_path / "map.toml").write_text(text, encoding="utf-8")
    load_map(tmp_path / "map.toml")
