"""MIMIC-IV-ED: exact counts on the open demo, cleaning rule by rule, and nothing after triage in a narrative."""

import csv
import gzip
import hashlib
import json
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from killed_builds import killed_build

from esi_triage.data.build import SAMPLED, build_mimic
from esi_triage.data.case_table import read_cases
from esi_triage.data.splits import split_of
from esi_triage.data.targets import reference_answer
from esi_triage.errors import InputError
from esi_triage.esi import Case, assess

# every column of the release (mimic-code, mimic-iv-ed/buildmimic/postgres/create.sql), and of hosp/patients
COLUMNS = {
    "edstays": "subject_id,hadm_id,stay_id,intime,outtime,gender,race,arrival_transport,disposition",
    "triage": "subject_id,stay_id,temperature,heartrate,resprate,o2sat,sbp,dbp,pain,acuity,chiefcomplaint",
    "vitalsign": "subject_id,stay_id,charttime,temperature,heartrate,resprate,o2sat,sbp,dbp,rhythm,pain",
    "diagnosis": "subject_id,stay_id,seq_num,icd_code,icd_version,icd_title",
    "medrecon": "subject_id,stay_id,charttime,name,gsn,ndc,etc_rn,etccode,etcdescription",
    "pyxis": "subject_id,stay_id,charttime,med_rn,name,gsn_rn,gsn",
    "patients": "subject_id,gender,anchor_age,anchor_year,anchor_year_group,dod",
}
# what may be read; everything else is known only later, or is nobody's business at triage
ALLOWED = {
    "edstays": {"subject_id", "stay_id", "intime", "gender", "arrival_transport"},
    "triage": set(COLUMNS["triage"].split(",")),
    "patients": {"subject_id", "anchor_age", "anchor_year"},
}
PLAIN = {
    **{"subject_id": "1", "stay_id": "11", "gender": "F", "arrival_transport": "AMBULANCE"},
    **{"temperature": "98.6", "heartrate": "80", "resprate": "16", "o2sat": "98", "sbp": "120", "dbp": "80"},
    **{"pain": "5", "acuity": "3", "chiefcomplaint": "Abd pain", "intime": "2150-03-01 12:00:00"},
    **{"anchor_age": "60", "anchor_year": "2147"},
}
NOTHING = dict.fromkeys((*COLUMNS["triage"].split(",")[2:], "gender", "arrival_transport"), "")


class Built(NamedTuple):
    cases: list[Case]
    sheet: dict[str, Any]
    quarantine: list[dict[str, Any]]


def write_table(file: Path, columns: str, rows: list[dict[str, str]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(file, "wt", newline="") if file.suffix == ".gz" else file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, columns.split(","), extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(rows)


def release(folder: Path, *rows: dict[str, str], lacking: str = "", end: str = ".csv", ages: bool = False) -> Path:
    """A made-up release with one triage row per argument; `lacking` names a table to leave out."""
    filled = [{**PLAIN, "stay_id": str(11 + i), **row} for i, row in enumerate(rows)]
    for table, columns in COLUMNS.items():
        if table == "patients" and ages:
            write_table(folder / "hosp" / f"patients{end}", columns, filled)
        elif table not in (lacking, "patients"):
            write_table(folder / "ed" / f"{table}{end}", columns, filled)
    return folder


def built_from(folder: Path, seed: int = 0) -> Built:
    output = folder / "out" / "cases.parquet"
    sheet = build_mimic(folder, output, seed)
    cases, bad = read_cases(output)
    assert not bad
    file = output.with_name("cases.parquet.quarantine.jsonl")
    quarantine = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    assert sheet["rows_in"] == sheet["cases"] + sheet["quarantined"] == len(cases) + len(quarantine)
    return Built(cases, sheet, quarantine)


def one(folder: Path, row: dict[str, str], ages: bool = False) -> Case:
    (case,) = built_from(release(folder, row, ages=ages)).cases
    return case


# ---- the open demo


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


def test_every_number_of_the_build_report_against_plain_sql(built: Path, demo: Path) -> None:
    sheet = json.loads(built.with_name("demo.dataset.json").read_text(encoding="utf-8"))
    database = duckdb.connect()

    def count(where: str, table: str = "triage") -> int:
        source = f"read_csv('{demo}/ed/{table}.csv.gz', all_varchar=true)"
        return database.execute(f"SELECT count(*) FROM {source} WHERE {where}").fetchall()[0][0]

    def outside(column: str, low: float, high: float) -> int:
        return count(f"{column}::DOUBLE <> 0 AND ({column}::DOUBLE < {low} OR {column}::DOUBLE > {high})")

    rows = {table: count("true", table) for table in COLUMNS if table != "patients"}
    levels = {level: count(f"acuity::DOUBLE = {level}") for level in "12345"}
    word = "pain IS NOT NULL AND try_cast(pain AS DOUBLE) IS NULL AND lower(pain) <> 'o'"
    # (98.6 °F is 37 °C; no typed temperature of the demo lies between 45 and 77)
    temperature = "temperature::DOUBLE"
    missing = {
        "chief_complaint": count("chiefcomplaint IS NULL"),
        "age_years": rows["triage"],
        "sex": count("gender IS NULL", "edstays"),
        "arrival": count("arrival_transport = 'UNKNOWN' OR arrival_transport IS NULL", "edstays"),
        "temperature_c": count("temperature IS NULL"),
        "heart_rate": count("heartrate IS NULL"),
        "resp_rate": count("resprate IS NULL"),
        "spo2": count("o2sat IS NULL"),
        "sbp": count("sbp IS NULL"),
        "dbp": count("dbp IS NULL OR dbp::DOUBLE > 200"),
        "pain": count(f"pain IS NULL OR try_cast(pain AS DOUBLE) > 10 OR ({word})"),
    }
    labelled = sum(levels.values())
    stays = database.execute(f"SELECT subject_id FROM read_csv('{demo}/ed/triage.csv.gz', all_varchar=true)").fetchall()
    sides = Counter(split_of(subject) for (subject,) in stays)
    sample = [case for case in read_cases(built)[0][:: rows["triage"] // SAMPLED] if case.gold]
    answers = [reference_answer(case, assess(case.narrative)) for case in sample]
    judged = sum("label-only" in answer for answer in answers)
    expected = {
        "rows_in": count("true"),
        "cases": count("true"),
        "quarantined": 0,
        "levels": levels | {"none": count("acuity IS NULL")},
        "class_prior": {level: round(n / labelled, 4) for level, n in levels.items()},
        "splits": {side: sides[side] for side in ("train", "tuning", "held_out")} | {"none": 0},
        "targets": {"sampled": len(sample), "judged": judged, "judged_share": round(judged / len(sample), 4)},
        "missing": missing,
        "missing_share": {name: round(n / rows["triage"], 4) for name, n in missing.items()},
        "rules": {
            "age_out_of_range": 0,  # the demo comes without ages
            "age_over_89": 0,
            "dbp_not_below_sbp": count("dbp::DOUBLE >= sbp::DOUBLE AND dbp::DOUBLE <= 200"),
            "dbp_out_of_range": outside("dbp", 10, 200),
            "heart_rate_out_of_range": outside("heartrate", 15, 300),
            "heart_rate_zero": count("heartrate::DOUBLE = 0"),
            "pain_above_10": count("try_cast(pain AS DOUBLE) > 10"),
            "pain_in_words": count(word),
            "pain_letter_o": count("lower(pain) = 'o'"),
            "pain_span": count("pain SIMILAR TO '[0-9]+ *- *[0-9]+'"),
            "pain_word_known": count("lower(pain) IN ('unable', 'ua', 'uta', 'critical', 'ett')"),
            "resp_rate_out_of_range": outside("resprate", 3, 80),
            "resp_rate_zero": count("resprate::DOUBLE = 0"),
            "sbp_out_of_range": outside("sbp", 30, 300),
            "sbp_zero": count("sbp::DOUBLE = 0"),
            "spo2_out_of_range": outside("o2sat", 30, 100),
            "stay_not_in_edstays": count(
                f"stay_id NOT IN (SELECT stay_id FROM read_csv('{demo}/ed/edstays.csv.gz', all_varchar=true))"
            ),
            "temperature_out_of_range": count(f"{temperature} < 25 OR {temperature} > 113"),
            "temperature_was_celsius": count(f"{temperature} BETWEEN 25 AND 45"),
            "vital_sign_not_a_number": count(
                " OR ".join(
                    f"({c} IS NOT NULL AND try_cast({c} AS DOUBLE) IS NULL)"
                    for c in ("temperature", "heartrate", "resprate", "o2sat", "sbp", "dbp")
                )
            ),
        },
    }
    assert {name: sheet[name] for name in expected} == expected
    assert {name: table["rows"] for name, table in sheet["files"].items()} == rows
    assert rows == {"edstays": 222, "triage": 222, "vitalsign": 1038, "diagnosis": 545, "medrecon": 2764, "pyxis": 1082}
    for name, table in sheet["files"].items():
        content = gzip.decompress((demo / "ed" / f"{name}.csv.gz").read_bytes())
        assert table == {"rows": rows[name], "unreadable": 0, "sha256": hashlib.sha256(content).hexdigest()}
    assert sheet["sha256"] == hashlib.sha256(built.read_bytes()).hexdigest()
    assert sheet["rules"].keys() == sheet["rule_reasons"].keys()
    assert sheet["known_counts"] == "all six tables have the row counts of MIMIC-IV-ED demo v2.2"
    words = {"source", "licence", "seed", "files", "known_counts", "rule_reasons", "made_with", "sha256"}
    assert sheet.keys() == expected.keys() | words  # a new number needs its check here


def test_a_second_build_gives_the_same_bytes(built: Path, demo: Path, tmp_path: Path) -> None:
    build_mimic(demo, tmp_path / "demo.parquet", seed=0)
    for name in ("demo.parquet", "demo.dataset.json"):
        assert (tmp_path / name).read_bytes() == built.with_name(name).read_bytes()


def test_no_patient_stands_on_two_sides(built: Path) -> None:
    cases, _ = read_cases(built)
    splits: dict[str | None, set] = {}
    for case in cases:
        splits.setdefault(case.subject_id, set()).add(case.split)
    assert all(len(sides) == 1 for sides in splits.values())
    assert len({case.subject_id for case in cases}) < len(cases)  # some have several visits, so this says something


# ---- what a model may see


def test_nothing_after_triage_reaches_a_case(tmp_path: Path) -> None:
    for table, columns in COLUMNS.items():
        kept = ALLOWED.get(table, set()) | {"subject_id", "stay_id"}
        row = {c: PLAIN[c] if c in kept else f"MARKER-{table}-{c}" for c in columns.split(",")}
        rows = [{**row, "stay_id": str(11 + i)} for i in range(100)]  # enough for all styles and most wordings
        write_table(tmp_path / ("hosp" if table == "patients" else "ed") / f"{table}.csv", columns, rows)
    cases = built_from(tmp_path).cases
    assert len({case.narrative for case in cases}) > 20
    for case in cases:
        assert "Abd pain" in case.narrative
        assert "63" in case.narrative  # years old
        assert "MARKER" not in case.model_dump_json()


def test_missing_is_said_and_no_row_is_dropped(tmp_path: Path) -> None:
    made = built_from(release(tmp_path, *[NOTHING] * 40))
    assert len(made.cases) == 40
    for case in made.cases:
        assert "vital signs not recorded" in case.narrative.lower()
        assert (
            "complaint not recorded" in case.narrative
            or "omplaint: not recorded" in case.narrative
            or ("Situation: not recorded" in case.narrative)
        )
        assert "None" not in case.narrative
        assert case.gold is None
        assert case.gold_source is None


# ---- cleaning


@pytest.mark.parametrize(
    ("typed", "column", "clean"),
    [
        ({"temperature": "98.6"}, "temperature_c", 37.0),
        ({"temperature": "36.5"}, "temperature_c", 36.5),  # Celsius in a Fahrenheit field
        ({"temperature": "77"}, "temperature_c", 25.0),
        ({"temperature": "60"}, "temperature_c", None),  # neither
        ({"temperature": "hot"}, "temperature_c", None),
        ({"temperature": "nan"}, "temperature_c", None),
        ({"heartrate": "900"}, "heart_rate", None),
        ({"heartrate": "300"}, "heart_rate", 300),
        ({"heartrate": "inf"}, "heart_rate", None),
        ({"heartrate": " 80 "}, "heart_rate", 80),
        ({"o2sat": "101"}, "spo2", None),
        ({"dbp": "879"}, "dbp", None),
        ({"dbp": "879"}, "sbp", 120),
        ({"sbp": "60", "dbp": "120"}, "sbp", None),  # swapped: neither can be trusted
        ({"sbp": "60", "dbp": "120"}, "dbp", None),
        ({"heartrate": "0"}, "heart_rate", None),
        ({"heartrate": "0"}, "tags", ("zero:heart_rate",)),
        ({"resprate": "0.0"}, "tags", ("zero:resp_rate",)),
        ({"sbp": "0"}, "tags", ("zero:sbp",)),
        ({"o2sat": "0"}, "tags", ()),
        ({"pain": "8"}, "pain", 8),
        ({"pain": "8.5"}, "pain", 8.5),
        ({"pain": "8/10"}, "pain", 8),
        ({"pain": "8/20"}, "pain", None),
        ({"pain": "7-8"}, "pain", 7.5),
        ({"pain": "o"}, "pain", 0),
        ({"pain": "13"}, "pain", None),  # never clipped to 10
        ({"pain": "-1"}, "pain", None),
        ({"pain": "10-13"}, "pain", None),
        ({"pain": "unable"}, "pain", None),
        ({"pain": "unable"}, "pain_raw", "unable"),
        ({"pain": "unable"}, "tags", ("pain:unable",)),
        ({"pain": "UTA."}, "tags", ("pain:unable",)),
        ({"pain": "ett"}, "tags", ("pain:intubated",)),
        ({"pain": "Critical"}, "tags", ("pain:critical",)),
        ({"pain": "it hurts"}, "tags", ()),
        ({"pain": "it\nhurts "}, "pain_raw", "it hurts"),  # on one line
        ({"pain": "it hurts"}, "pain_raw", "it hurts"),
        ({"acuity": ""}, "gold", None),
        ({"acuity": "2.0"}, "gold", 2),
        ({"gender": "?"}, "sex", None),
        ({"gender": "m"}, "sex", "M"),
        ({"arrival_transport": "UNKNOWN"}, "arrival", None),
        ({"arrival_transport": "WALK IN"}, "arrival", "walk-in"),
        ({"chiefcomplaint": " "}, "chief_complaint", None),
        ({"chiefcomplaint": "s/p Fall,\n ANSWER: ___"}, "chief_complaint", "s/p Fall, ANSWER: ___"),  # on one line
    ],
)
def test_cleaning(tmp_path: Path, typed: dict[str, str], column: str, clean: object) -> None:
    assert getattr(one(tmp_path, typed), column) == clean


@pytest.mark.parametrize(
    ("typed", "age", "told"),
    [
        ({"anchor_age": "60", "anchor_year": "2150"}, 60, "60"),
        ({"anchor_age": "60", "anchor_year": "2147"}, 63, "63"),
        ({"anchor_age": "60", "anchor_year": "2151"}, 59, "59"),
        ({"anchor_age": "91", "anchor_year": "2150"}, 91, "over 89"),
        ({"anchor_age": "91", "anchor_year": "2145"}, 96, "over 89"),
        ({"anchor_age": "91", "anchor_year": "2152"}, 89, "over 87"),  # over 89 two years later
        ({"anchor_age": "88", "anchor_year": "2140"}, 98, "98"),
        ({"anchor_age": "60", "anchor_year": "2300"}, None, "woman"),
        ({"anchor_age": "?"}, None, "woman"),
        ({"intime": "yesterday"}, None, "woman"),
    ],
)
def test_age(tmp_path: Path, typed: dict[str, str], age: float | None, told: str) -> None:
    made = built_from(release(tmp_path, *[typed] * 12, ages=True))
    for case in made.cases:
        assert case.age_years == age
        assert told in case.narrative or (told == "woman" and "F" in case.narrative)
        assert "91" not in case.narrative
        assert ("over" in case.narrative) == any(tag.startswith("age:over-") for tag in case.tags)


def test_ages_are_found_beside_the_release_or_where_they_are_said_to_be(tmp_path: Path) -> None:
    folder = release(tmp_path / "a", {}, ages=True)
    elsewhere = tmp_path / "elsewhere.csv"
    (folder / "hosp" / "patients.csv").rename(elsewhere)
    assert built_from(folder).cases[0].age_years is None
    build_mimic(folder / "ed", tmp_path / "b.parquet", seed=0, patients=elsewhere)
    assert read_cases(tmp_path / "b.parquet")[0][0].age_years == 63
    with pytest.raises(InputError, match=r"nowhere\.csv"):
        build_mimic(folder, tmp_path / "c.parquet", seed=0, patients=tmp_path / "nowhere.csv")


def test_rules_are_counted_over_the_rows_that_are_kept(tmp_path: Path) -> None:
    made = built_from(release(tmp_path, {"pain": "13"}, {"pain": "13", "acuity": "6"}, {"pain": "13"}, {"dbp": "x"}))
    assert {name: n for name, n in made.sheet["rules"].items() if n} == {
        **{"pain_above_10": 2, "vital_sign_not_a_number": 1},
    }
    assert made.sheet["missing"]["pain"] == 2


def test_a_different_seed_gives_other_words_for_the_same_facts(tmp_path: Path) -> None:
    folder = release(tmp_path, *[{"pain": str(i % 11)} for i in range(60)])
    one_way, other = (built_from(folder, seed).cases for seed in (0, 1))
    assert sum(a.narrative != b.narrative for a, b in zip(one_way, other, strict=True)) > 40
    assert [a.model_copy(update={"narrative": "-"}) for a in one_way] == [
        b.model_copy(update={"narrative": "-"}) for b in other
    ]


# ---- bad input


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"stay_id": "11"}, "stay_id occurs twice in triage; the first row is kept"),
        ({"stay_id": ""}, "stay_id or subject_id is empty"),
        ({"subject_id": " "}, "stay_id or subject_id is empty"),
        ({"acuity": "0"}, "acuity is no ESI level from 1 to 5"),
        ({"acuity": "6"}, "acuity is no ESI level from 1 to 5"),
        ({"acuity": "two"}, "acuity is no ESI level from 1 to 5"),
        ({"acuity": "2.5"}, "acuity is no ESI level from 1 to 5"),
        (
            {"chiefcomplaint": "x" * 2_000_000},
            "chiefcomplaint is longer than the 255 characters that its column holds: 2000000",
        ),
        ({"pain": "y" * 300}, "pain is longer than 255 characters: 300"),
        ({"chiefcomplaint": "x" * 5_000_000}, "line 3 is longer than 4,000,000 bytes"),
    ],
)
def test_a_row_that_cannot_be_used_is_quarantined_with_its_reason(
    tmp_path: Path, row: dict[str, str], reason: str
) -> None:
    made = built_from(release(tmp_path, {}, row, {}))
    assert [case.stay_id for case in made.cases] == ["11", "13"]
    assert [(bad["row"], bad["reason"]) for bad in made.quarantine] == [(2, reason)]


def test_the_first_good_row_of_a_stay_is_kept(tmp_path: Path) -> None:
    made = built_from(release(tmp_path, {"acuity": "9"}, {"stay_id": "11", "acuity": "2"}))
    assert [case.gold for case in made.cases] == [2]


def test_a_patient_must_be_the_same_in_both_tables(tmp_path: Path) -> None:
    folder = release(tmp_path, {}, {})
    write_table(folder / "ed/edstays.csv", COLUMNS["edstays"], [PLAIN, {**PLAIN, "stay_id": "12", "subject_id": "7"}])
    made = built_from(folder)
    assert [(bad["row"], bad["reason"]) for bad in made.quarantine] == [(2, "subject_id is another one in edstays")]


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"1,12,98.6,80,16,98,120,80,5,3,caf\xe9\xff", "line 3 is not UTF-8"),
        (b"1,12,98.6", "line 3 has too few fields"),
        (b"1,12,98.6,80,16,98,120,80,5,3,Fall,Fall", "line 3 has too many fields"),
    ],
)
def test_a_line_that_cannot_be_read_is_quarantined_and_its_neighbours_kept(
    tmp_path: Path, broken: bytes, reason: str
) -> None:
    folder = release(tmp_path, {}, {}, {"acuity": "7"}, {})
    file = folder / "ed" / "triage.csv"
    lines = file.read_bytes().split(b"\r\n")
    file.write_bytes(b"\r\n".join([*lines[:2], broken, *lines[3:]]))
    made = built_from(folder)
    assert [case.stay_id for case in made.cases] == ["11", "14"]
    assert [(bad["row"], bad["reason"][: len(reason)]) for bad in made.quarantine] == [
        (2, reason),
        (3, "acuity is no ESI level from 1 to 5"[: len(reason)]),
    ]
    assert made.sheet["files"]["triage"]["unreadable"] == 1


def swap(first: str, second: str) -> Callable[[str], str]:
    return lambda text: text.replace(first, "~", 1).replace(second, first, 1).replace("~", second, 1)


@pytest.mark.parametrize(
    ("table", "harm", "named"),
    [
        ("triage", lambda text: text.replace(",", ";"), r"';': write it with commas"),
        ("triage", lambda text: text.replace(",", "\t"), r"write it with commas"),
        ("triage", lambda text: text.replace("acuity", "esi", 1), r"column 'acuity' is missing"),
        ("edstays", lambda text: text.replace("gender", "sex", 1), r"column 'gender' is missing"),
        ("pyxis", lambda text: "", r"column 'stay_id' is missing"),
        ("triage", lambda text: text.replace("heartrate", "dbp", 1), r"column 'heartrate' is missing"),
        ("diagnosis", lambda text: text.replace("seq_num", "stay_id", 1), r"column 'stay_id' occurs twice"),
        ("triage", lambda text: text.replace("Abd pain", '"Abd pain', 1), r"line 2 cannot be read .*quotation marks"),
        ("triage", swap("sbp", "dbp"), r"in 60 of 60 rows dbp is above sbp\. The columns sbp and dbp look swapped"),
        ("triage", swap("heartrate", "resprate"), r"columns heartrate and resprate look swapped"),
        ("triage", swap("heartrate", "sbp"), r"columns heartrate and sbp look swapped"),
        ("triage", swap("temperature", "o2sat"), r"columns temperature and o2sat look swapped"),
        ("triage", swap("temperature", "resprate"), r"columns .* look swapped"),
        ("triage", swap("o2sat", "sbp"), r"columns .* look swapped"),
        ("triage", swap("pain", "acuity"), r"columns acuity and pain look swapped"),
        ("triage", swap("subject_id", "stay_id"), r"columns subject_id and stay_id look swapped"),
        ("edstays", swap("gender", "race"), r"columns gender and another column look swapped"),
    ],
)
def test_a_table_that_is_wrong_as_a_whole_is_named_with_the_fix_and_nothing_is_written(
    tmp_path: Path, table: str, harm: Callable[[str], str], named: str
) -> None:
    folder = release(tmp_path, *[{"pain": "8", "race": "WHITE"}] * 60)
    file = folder / "ed" / f"{table}.csv"
    file.write_text(harm(file.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(InputError, match=named) as raised:
        build_mimic(folder, tmp_path / "out" / "cases.parquet", seed=0)
    assert f"{table}.csv" in str(raised.value)
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.parametrize("lacking", ["triage", "pyxis"])
def test_a_missing_table_is_named(tmp_path: Path, lacking: str) -> None:
    with pytest.raises(InputError, match=f"table '{lacking}' is missing"):
        build_mimic(release(tmp_path, {}, lacking=lacking), tmp_path / "cases.parquet", seed=0)


@pytest.mark.parametrize("table", ["triage", "medrecon"])
@pytest.mark.parametrize("lost", [1, 8, 200, 10**6])
def test_a_truncated_file_is_named_and_the_old_table_stays(tmp_path: Path, table: str, lost: int) -> None:
    folder = release(tmp_path, *[{"pain": str(i % 11), "race": str(i)} for i in range(2000)], end=".csv.gz")
    output = tmp_path / "out" / "cases.parquet"
    build_mimic(folder, output, seed=0)
    before = {file.name: file.read_bytes() for file in output.parent.iterdir()}
    file = folder / "ed" / f"{table}.csv.gz"
    content = file.read_bytes()
    file.write_bytes(content[: max(20, len(content) - lost)])
    with pytest.raises(InputError, match=rf"{table}\.csv\.gz"):
        build_mimic(folder, output, seed=1)
    assert {file.name: file.read_bytes() for file in output.parent.iterdir()} == before


def test_gz_and_plain_give_the_same_cases(tmp_path: Path) -> None:
    plain = built_from(release(tmp_path / "a", {}, {"pain": "ett"}, ages=True))
    zipped = built_from(release(tmp_path / "b", {}, {"pain": "ett"}, ages=True, end=".csv.gz"))
    assert plain == zipped


def test_json_lines_hold_the_same_cases(tmp_path: Path) -> None:
    folder = release(tmp_path, {}, NOTHING, {"chiefcomplaint": "fièvre"})
    build_mimic(folder, tmp_path / "out" / "cases.jsonl", seed=0)
    assert read_cases(tmp_path / "out" / "cases.jsonl") == (built_from(folder).cases, [])


def test_a_part_of_a_release_is_called_so(tmp_path: Path) -> None:
    sheet = built_from(release(tmp_path, {}, {})).sheet
    assert sheet["known_counts"].startswith("triage has 2 rows, neither 425,087 (MIMIC-IV-ED v2.2) nor 222")


def test_only_the_demo_without_ages_is_open(demo: Path, tmp_path: Path) -> None:
    assert one(tmp_path, {}).licence == "credentialed"
    write_table(tmp_path / "patients.csv", COLUMNS["patients"], [PLAIN])
    sheet = build_mimic(demo, tmp_path / "aged.parquet", seed=0, patients=tmp_path / "patients.csv")
    assert sheet["licence"] == "credentialed"


# ---- killed builds


def files_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of more than one part, with a row for the quarantine, and two undisturbed builds of it."""
    rows = [{"pain": str(i % 11), "subject_id": str(i // 2)} for i in range(25_000)]
    folder = release(tmp_path_factory.mktemp("large"), {"acuity": "6"}, *rows)
    assert killed_build(folder, folder / "old", seed=0) == 0
    assert killed_build(folder, folder / "new", seed=1) == 0
    return folder


@pytest.mark.parametrize("older", [True, False], ids=["over an older table", "first build"])
def test_a_killed_build_leaves_the_old_table_or_none_and_the_next_one_is_the_same(
    large: Path, tmp_path: Path, older: bool
) -> None:
    old, new = files_of(large / "old"), files_of(large / "new")
    assert len(old) == 3
    for what, nth in [("writing", 0), ("writing", 1), *[(side, n) for n in range(3) for side in ("before", "after")]]:
        place = tmp_path / f"{what}-{nth}"
        place.mkdir()
        for name, content in old.items() if older else ():
            (place / name).write_bytes(content)
        assert killed_build(large, place, 1, what, nth) == -signal.SIGKILL
        left = {name: content for name, content in files_of(place).items() if not name.startswith(".")}
        done = (what, nth) == ("after", 2)
        table = new["cases.parquet"] if done else old["cases.parquet"] if older else None
        assert left.get("cases.parquet") == table
        if "cases.parquet" in left:
            told = json.loads(left["cases.dataset.json"])["sha256"]
            goes_with_it = left == (new if done else old)
            assert (told == hashlib.sha256(left["cases.parquet"]).hexdigest()) == goes_with_it
        if nth == 0:
            assert killed_build(large, place, 1) == 0
            assert files_of(place) == new  # and no hidden file of the killed one


cell = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=6),
    st.sampled_from(
        ["", "0", "1", "3", "13", "98.6", "36.6", "879", "7-8", "1e400", "-0", "nan", '"', "'", "o", "ett"]
    ),
)

anything = dict.fromkeys(COLUMNS["triage"].split(","), cell) | {
    "acuity": st.sampled_from(["", "", "1", "2", "3.0", "5", "six"]),
    "stay_id": st.integers(10, 40).map(str) | cell,
    "subject_id": st.just("1"),
}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=st.lists(st.fixed_dictionaries(anything), min_size=1, max_size=20))
def test_whatever_is_typed_counts_add_up_and_cases_are_valid(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]]
) -> None:
    folder = release(tmp_path_factory.mktemp("any"))
    write_table(folder / "ed" / "triage.csv", COLUMNS["triage"], rows)
    made = built_from(folder)  # reads the cases back and adds up
    assert made.sheet["rows_in"] == len(rows)
