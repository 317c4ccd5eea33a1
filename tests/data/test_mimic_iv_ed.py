"""MIMIC-IV-ED: exact counts on the open demo, cleaning rule by rule, and nothing after triage in a narrative."""

import csv
import gzip
import json
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from esi_triage.data.build import build_mimic
from esi_triage.data.mimic_iv_ed import TABLES, BuildReport, mimic_cases
from esi_triage.data.table import read_cases
from esi_triage.errors import InputError

COLUMNS = {
    "edstays": [
        *("subject_id", "hadm_id", "stay_id", "intime", "outtime"),
        *("gender", "race", "arrival_transport", "disposition"),
    ],
    "triage": list(TABLES["triage"]),
    "vitalsign": [*TABLES["vitalsign"], "rhythm"],
    "diagnosis": [*TABLES["diagnosis"], "icd_title"],
    "medrecon": [*TABLES["medrecon"], "etcdescription"],
    "pyxis": [*TABLES["pyxis"], "med_rn"],
}
PLAIN = {
    **{"subject_id": "1", "stay_id": "11", "gender": "F", "arrival_transport": "AMBULANCE"},
    **{"temperature": "98.6", "heartrate": "80", "resprate": "16", "o2sat": "98", "sbp": "120", "dbp": "80"},
    **{"pain": "5", "acuity": "3", "chiefcomplaint": "Abd pain"},
}
# what may reach a narrative; everything else is known only later, or is nobody's business at triage
ALLOWED = {
    "edstays": {"subject_id", "stay_id", "gender", "arrival_transport"},
    "triage": set(TABLES["triage"]),
}


def release(folder: Path, *rows: dict[str, str], lacking: str = "", gz: bool = False) -> Path:
    """A made-up release with one triage row per argument; `lacking` names a table or table.column to leave out."""
    for table, columns in COLUMNS.items():
        if table == lacking:
            continue
        kept = [column for column in columns if f"{table}.{column}" != lacking]
        file = folder / "ed" / f"{table}.csv{'.gz' if gz else ''}"
        file.parent.mkdir(exist_ok=True)
        with gzip.open(file, "wt") if gz else file.open("w", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, kept, extrasaction="ignore", restval="")
            writer.writeheader()
            writer.writerows({**PLAIN, "stay_id": str(11 + i), **row} for i, row in enumerate(rows))
    return folder


def cases_of(folder: Path, *rows: dict[str, str]) -> tuple[list, BuildReport]:
    report = BuildReport()
    return list(mimic_cases(release(folder, *rows), report)), report


@pytest.fixture(scope="module")
def built(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("demo") / "demo.parquet"
    build_mimic(demo, output, seed=0)
    return output


def test_the_demo_has_its_known_counts(built: Path) -> None:
    cases, bad = read_cases(built)
    assert not bad
    assert len(cases) == 222
    assert Counter(case.gold for case in cases) == {1: 18, 2: 97, 3: 90, 4: 2, None: 15}
    assert {case.licence for case in cases} == {"open"}
    assert len({case.case_id for case in cases}) == 222


def test_the_build_report_against_plain_sql(built: Path, demo: Path) -> None:
    sheet = json.loads(built.with_name("demo.dataset.json").read_text(encoding="utf-8"))
    triage = f"read_csv('{demo}/ed/triage.csv.gz', all_varchar=true)"

    def count(where: str) -> int:
        return duckdb.connect().execute(f"SELECT count(*) FROM {triage} WHERE {where}").fetchall()[0][0]

    assert sheet["rows_in"] == sheet["cases"] == count("true") == 222
    assert sheet["quarantined"] == 0
    assert {name: table["rows"] for name, table in sheet["files"].items()} == {
        **{"edstays": 222, "triage": 222, "vitalsign": 1038},
        **{"diagnosis": 545, "medrecon": 2764, "pyxis": 1082},
    }
    for level in "12345":
        assert sheet["levels"][level] == count(f"acuity::DOUBLE = {level}")
    assert sheet["levels"]["none"] == count("acuity IS NULL")
    assert sheet["missing"]["heart_rate"] == count("heartrate IS NULL")
    assert sheet["missing"]["temperature_c"] == count("temperature IS NULL")
    assert sheet["missing"]["dbp"] == count("dbp IS NULL OR dbp::DOUBLE > 200")
    assert sheet["rules"]["temperature_was_celsius"] == count("temperature::DOUBLE < 45")
    assert sheet["rules"]["pain_without_number"] == count(
        "pain IS NOT NULL AND lower(pain) != 'o' AND NOT coalesce(try_cast(pain AS DOUBLE) BETWEEN 0 AND 10, false)"
    )


def test_a_second_build_gives_the_same_bytes(built: Path, demo: Path, tmp_path: Path) -> None:
    build_mimic(demo, tmp_path / "again.parquet", seed=0)
    assert (tmp_path / "again.parquet").read_bytes() == built.read_bytes()


def test_no_patient_stands_on_two_sides(built: Path) -> None:
    cases, _ = read_cases(built)
    splits: dict[str | None, set] = {}
    for case in cases:
        splits.setdefault(case.subject_id, set()).add(case.split)
    assert all(len(sides) == 1 for sides in splits.values())
    assert len({case.subject_id for case in cases}) < len(cases)  # some have several visits, so this says something


@pytest.mark.parametrize("style_seed", range(6))
def test_nothing_after_triage_reaches_a_narrative(tmp_path: Path, style_seed: int) -> None:
    folder = release(tmp_path, {})
    for table, columns in COLUMNS.items():
        kept = ALLOWED.get(table, {"subject_id", "stay_id"})
        row = {c: PLAIN.get(c, "1") if c in kept else f"MARKER-{table}-{c}" for c in columns}
        with (folder / "ed" / f"{table}.csv").open("w", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            writer.writerow(row)
    (case,) = mimic_cases(folder, BuildReport(), seed=style_seed)
    assert "Abd pain" in case.narrative
    assert "MARKER" not in case.model_dump_json()


@pytest.mark.parametrize(
    ("typed", "column", "clean"),
    [
        ({"temperature": "98.6"}, "temperature_c", 37.0),
        ({"temperature": "36.5"}, "temperature_c", 36.5),  # Celsius in a Fahrenheit field
        ({"temperature": "60"}, "temperature_c", None),  # neither
        ({"temperature": "hot"}, "temperature_c", None),
        ({"heartrate": "900"}, "heart_rate", None),
        ({"heartrate": "300"}, "heart_rate", 300),
        ({"o2sat": "101"}, "spo2", None),
        ({"dbp": "879"}, "dbp", None),
        ({"sbp": "60", "dbp": "120"}, "sbp", None),  # swapped: neither can be trusted
        ({"sbp": "60", "dbp": "120"}, "dbp", None),
        ({"pain": "8"}, "pain", 8),
        ({"pain": "7-8"}, "pain", 7.5),
        ({"pain": "o"}, "pain", 0),
        ({"pain": "13"}, "pain", None),  # never clipped to 10
        ({"pain": "unable"}, "pain", None),
        ({"pain": "unable"}, "pain_raw", "unable"),
        ({"pain": "10-13"}, "pain", None),
        ({"acuity": "0"}, "gold", None),
        ({"acuity": "6"}, "gold", None),
        ({"acuity": "two"}, "gold", None),
        ({"acuity": "2.0"}, "gold", 2),
        ({"gender": "?"}, "sex", None),
        ({"arrival_transport": "UNKNOWN"}, "arrival", None),
        ({"arrival_transport": "WALK IN"}, "arrival", "walk-in"),
        ({"chiefcomplaint": ""}, "chief_complaint", None),
    ],
)
def test_cleaning(tmp_path: Path, typed: dict[str, str], column: str, clean: object) -> None:
    (case,), _ = cases_of(tmp_path, typed)
    assert getattr(case, column) == clean


def test_missing_is_said_and_no_row_is_dropped(tmp_path: Path) -> None:
    nothing = dict.fromkeys((*TABLES["triage"][2:], "gender", "arrival_transport"), "")
    (case,), report = cases_of(tmp_path, nothing)
    assert "not recorded" in case.narrative
    assert "None" not in case.narrative
    assert case.gold is None
    assert report.cases == 1


def test_rows_in_are_rows_out_and_quarantined(tmp_path: Path) -> None:
    cases, report = cases_of(tmp_path, {}, {"stay_id": "11"}, {"stay_id": ""}, {"stay_id": "14"})
    assert len(cases) + len(report.quarantined) == report.rows["triage"] == 4
    assert [(row.row, row.reason.split(";")[0]) for row in report.quarantined] == [
        (2, "stay_id occurs twice in triage"),
        (3, "stay_id or subject_id is empty"),
    ]


def test_only_the_demo_is_open(tmp_path: Path) -> None:
    (case,), _ = cases_of(tmp_path, {})
    assert case.licence == "credentialed"


@pytest.mark.parametrize("lacking", ["triage", "pyxis", "triage.acuity", "edstays.gender"])
def test_what_is_missing_is_named_and_nothing_is_written(tmp_path: Path, lacking: str) -> None:
    folder = release(tmp_path, {}, lacking=lacking)
    with pytest.raises(InputError, match=lacking.split(".")[-1]):
        build_mimic(folder, tmp_path / "out" / "cases.parquet", seed=0)
    assert not list((tmp_path / "out").glob("*"))


def test_a_truncated_file_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    folder = release(tmp_path, *[{}] * 2000, gz=True)
    file = folder / "ed" / "triage.csv.gz"
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(InputError, match=r"triage\.csv\.gz"):
        build_mimic(folder, tmp_path / "out" / "cases.parquet", seed=0)
    assert not list((tmp_path / "out").glob("*"))


def test_gz_and_plain_give_the_same_cases(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    plain = list(mimic_cases(release(tmp_path / "a", {}, {"pain": "ett"}), BuildReport()))
    zipped = list(mimic_cases(release(tmp_path / "b", {}, {"pain": "ett"}, gz=True), BuildReport()))
    assert plain == zipped
