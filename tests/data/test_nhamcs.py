"""NHAMCS: published counts, cells that are codes, reversed hospitals, outcomes apart, nothing later in a narrative."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
import pytest
from nhamcs_files import AFTER, LEAKS, PLAIN, extract, fixed_width, frame_of, rows_of, stata, write_csv

from esi_triage.data.case_table import read_cases
from esi_triage.data.nhamcs import glimpse, year_tables
from esi_triage.data.nhamcs.layouts import layouts
from esi_triage.data.nhamcs.nhamcs_build import build_nhamcs
from esi_triage.data.nhamcs.nhamcs_cases import Telling
from esi_triage.data.nhamcs.reasons import complaint, wordings
from esi_triage.data.outcomes import groups_path, outcomes_path, read_outcomes
from esi_triage.errors import InputError
from esi_triage.esi import Case

# Rows, and labels 1 to 5, as in the printed documentation; 2018 level 1 is printed as 80, its column sums with 180.
PUBLISHED = {
    2016: (19_467, (104, 1_530, 6_526, 4_795, 859)),
    2017: (16_709, (145, 1_539, 5_759, 4_100, 667)),
    2018: (20_291, (180, 1_983, 6_954, 4_379, 707)),
    2019: (19_481, (198, 1_872, 6_881, 4_082, 562)),
    2020: (14_860, (100, 1_496, 4_964, 2_661, 403)),
}
REVERSED = {"2016-160", "2016-169", "2017-5", "2017-23", "2018-61", "2018-184", "2019-89", "2019-151"}


class Built(NamedTuple):
    cases: list[Case]
    outcomes: dict[str, dict[str, Any]]
    sheet: dict[str, Any]
    quarantine: list[dict[str, Any]]


def built_from(folder: Path, telling: Telling = Telling(), held_out: int = 2020, to: str = "out") -> Built:  # noqa: B008
    output = folder / to / "visits.parquet"
    sheet = build_nhamcs(folder, output, telling, held_out)
    cases, bad = read_cases(output)
    assert not bad
    file = output.with_name("visits.parquet.quarantine.jsonl")
    quarantine = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    assert sheet["rows_in"] == len(cases) + len(quarantine)
    outcomes = read_outcomes(outcomes_path(output)) if outcomes_path(output).exists() else {}
    return Built(cases, outcomes, sheet, quarantine)


def one(folder: Path, **row: str) -> Case:
    (case,) = built_from(extract(folder, row)).cases
    return case


# ---- the real releases


@pytest.fixture(scope="module")
def real(nhamcs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("nhamcs") / "visits.parquet"
    build_nhamcs(nhamcs, output)
    return output


def columns(file: Path, *names: str) -> list[tuple[Any, ...]]:
    table = pq.read_table(file, columns=list(names))
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


@pytest.mark.parametrize("year", PUBLISHED)
def test_rows_and_levels_equal_the_published_counts(real: Path, year: int) -> None:
    of_year = [gold for group, gold in columns(real, "group", "gold") if group.startswith(f"{year}-")]
    assert (len(of_year), tuple(of_year.count(level) for level in range(1, 6))) == PUBLISHED[year]


def test_the_build_says_that_every_year_is_as_published(real: Path) -> None:
    sheet = json.loads(real.with_name("visits.dataset.json").read_text(encoding="utf-8"))
    assert sheet["known_counts"] == "; ".join(f"{year} as published" for year in PUBLISHED)
    assert sheet["quarantined"] == 0
    assert sheet["outcomes"]["quarantined"] == 0
    assert any("ed2020_sas.zip" in note and "triage-2020.csv.gz" in note for note in sheet["notes"])


def test_every_row_without_a_level_says_why(real: Path) -> None:
    whys = {"no-triage", "ed-does-not-triage", "level-unknown", "level-blank"}
    found = Counter(len(whys & set(quality)) == (gold is None) for gold, quality in columns(real, "gold", "quality"))
    assert found == {True: 90_808}


def test_reversed_hospitals_are_found_and_no_others(real: Path) -> None:
    marked = {group for group, quality in columns(real, "group", "quality") if "reversed-group" in quality}
    assert marked == REVERSED


def test_splits_are_whole_years(real: Path) -> None:
    found = {(group[:4], split) for group, split in columns(real, "group", "split")}
    train = {(year, "train") for year in ("2016", "2017", "2018")}
    assert found == train | {("2019", "tuning"), ("2020", "held_out")}


def test_weights_sum_to_the_national_total_of_2018(real: Path) -> None:
    total = sum(weight for group, weight in columns(real, "group", "weight") if group.startswith("2018-"))
    assert round(total) == 129_973_941


def test_outcomes_have_one_row_a_case_and_the_known_counts(real: Path) -> None:
    outcomes = read_outcomes(outcomes_path(real))
    assert list(outcomes) == [case_id for (case_id,) in columns(real, "case_id")]
    counts = {name: sum(row[name] is True for row in outcomes.values()) for name in ("admitted", "critical_care")}
    assert counts == {"admitted": 9_706, "critical_care": 1_455}


def test_sas_and_extract_of_2020_give_the_same_table(nhamcs: Path, tmp_path: Path) -> None:
    for form, names in (("sas", ["ed2020_sas.zip"]), ("csv", ["triage-2020.csv.gz", "outcomes-2020.csv.gz"])):
        (tmp_path / form).mkdir()
        for name in names:
            shutil.copy(nhamcs / name, tmp_path / form / f"renamed-{name}")
        build_nhamcs(tmp_path / form, tmp_path / f"{form}.parquet", Telling(5, history=True))
    for name in ("{}.parquet", "{}.outcomes.parquet"):
        assert pq.read_table(tmp_path / name.format("sas")).equals(pq.read_table(tmp_path / name.format("csv")))


def test_every_code_of_the_releases_has_wordings(nhamcs: Path) -> None:
    lines = (nhamcs / "rfv.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert {int(line.split(",")[0]) for line in lines} == set(wordings())


# ---- cells


@pytest.mark.parametrize(
    ("row", "field", "value", "quality"),
    [
        ({"IMMEDR": "1"}, "gold", 1, ()),
        ({"IMMEDR": "0"}, "gold", None, ("no-triage",)),
        ({"IMMEDR": "7"}, "gold", None, ("ed-does-not-triage",)),
        ({"IMMEDR": "-8"}, "gold", None, ("level-unknown",)),
        ({"IMMEDR": "-9"}, "gold", None, ("level-blank",)),
        ({"IMMEDR": ""}, "gold", None, ("level-blank",)),
        ({"TEMPF": "982"}, "temperature_c", 36.8, ()),
        ({"TEMPF": "998"}, "temperature_c", 37.7, ()),
        ({"TEMPF": "98"}, "temperature_c", None, ("implausible-temperature_c",)),
        ({"TEMPF": "-9"}, "temperature_c", None, ()),
        ({"PULSE": "998"}, "heart_rate", None, ("doppler-heart_rate",)),
        ({"PULSE": "0"}, "heart_rate", None, ("zero-heart_rate",)),
        ({"PULSE": "-8"}, "heart_rate", None, ()),
        ({"PULSE": "8O"}, "heart_rate", None, ("not-a-number-heart_rate",)),
        ({"PULSE": "inf"}, "heart_rate", None, ("not-a-number-heart_rate",)),
        ({"RESPR": "97"}, "resp_rate", None, ("implausible-resp_rate",)),
        ({"POPCT": "4"}, "spo2", None, ("implausible-spo2",)),
        ({"BPDIAS": "998"}, "dbp", None, ("doppler-dbp",)),
        ({"BPDIAS": "998"}, "sbp", 120, ("doppler-dbp",)),
        ({"BPSYS": "80", "BPDIAS": "120"}, "sbp", None, ("crossed-pressure",)),
        ({"BPSYS": "80", "BPDIAS": "120"}, "dbp", None, ("crossed-pressure",)),
        ({"PAINSCALE": "0"}, "pain", 0, ()),
        ({"PAINSCALE": "-8"}, "pain", None, ()),
        ({"PAINSCALE": "13"}, "pain", None, ("implausible-pain",)),
        ({"AGE": "0", "AGEDAYS": "9"}, "age_years", 9 / 365.25, ()),
        ({"AGE": "0", "AGEDAYS": "-7"}, "age_years", None, ("age-days-missing",)),
        ({"AGE": "93"}, "age_years", 93, ("age-top-coded",)),
        ({"SEX": "1"}, "sex", "F", ()),
        ({"SEX": "2"}, "sex", "M", ()),
        ({"SEX": "3"}, "sex", None, ("unknown-code-sex",)),
        ({"ARREMS": "1"}, "arrival", "ambulance", ()),
        ({"ARREMS": "-8"}, "arrival", None, ()),
        ({"PATWT": "2656.67875"}, "weight", 2656.67875, ()),
        ({"RFV1": "-9"}, "chief_complaint", None, ()),
        ({"RFV1": "12345"}, "chief_complaint", None, ("reason-unknown-code",)),
        ({"RFV1": "71370"}, "chief_complaint", None, ("reason-not-told",)),
    ],
)  # fmt: skip
def test_a_cell_is_a_value_or_null_with_a_reason(
    tmp_path: Path, row: dict[str, str], field: str, value: Any, quality: tuple[str, ...]
) -> None:
    case = one(tmp_path, **row)
    assert getattr(case, field) == value
    assert case.quality == quality


@pytest.mark.parametrize(
    ("column", "value", "fix"),
    [
        ("TEMPF", "98.6", "TEMPF is tenths of a degree F, 986"),
        ("TEMPF", "37 C", "TEMPF is tenths of a degree F, 986"),
        ("RFV1", "1050.1", "RFV1 is code x 10, 10501"),
        ("RFV2", "1050.1", "RFV2 is code x 10, 10501"),
        ("POPCT", "0.98", "POPCT is per cent, 98"),
        ("SEX", "Male", "SEX is 1 for female, 2 for male"),
        ("ARREMS", "Yes", "ARREMS is 1 for by ambulance, 2 for not"),
    ],
)
def test_a_column_in_other_units_is_refused(tmp_path: Path, column: str, value: str, fix: str) -> None:
    decoded = {column: value}
    assert len(built_from(extract(tmp_path / "few", *[{}] * 51, *[decoded] * 49)).cases) == 100
    folder = extract(tmp_path / "most", *[{}] * 40, *[decoded] * 50)
    with pytest.raises(InputError, match=rf"triage-2016.csv.gz: 50 of .* column {column} .*{value}") as refused:
        built_from(folder)
    assert fix in str(refused.value)
    assert not (folder / "out" / "visits.parquet").exists()


def test_a_visit_as_a_case(tmp_path: Path) -> None:
    case = one(tmp_path, RFV1="10501", HOSPCODE="12", PATCODE="7")
    assert (case.case_id, case.group, case.scale) == ("nhamcs-2016-12-7", "2016-12", "us-5-level")
    assert (case.licence, case.gold_source, case.split) == ("open", "nurse", "train")
    assert case.chief_complaint in wordings()[10501].say
    assert case.chief_complaint in case.narrative


def test_the_oldest_are_told_as_over(tmp_path: Path) -> None:
    assert "over 92" in one(tmp_path, AGE="93").narrative


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"RESIDNCE": "2"}, "nursing home"),
        ({"RESIDNCE": "3"}, "homeless|no fixed address"),
        ({"SEEN72": "1"}, "72 h|3 days"),
        ({"ARREMS": "1", "AMBTRANSFER": "1"}, "another facility|interfacility"),
    ],
)
def test_residence_transfer_and_an_earlier_visit_are_told(tmp_path: Path, row: dict[str, str], words: str) -> None:
    assert any(word in one(tmp_path, **row).narrative.lower() for word in words.split("|"))


def test_later_reasons_and_history_are_told_only_on_request(tmp_path: Path) -> None:
    folder = extract(tmp_path, {"RFV1": "10501", "RFV2": "15300", "HTN": "1"})
    (plain,) = built_from(folder).cases
    (full,) = built_from(folder, Telling(reasons=2, history=True), to="full").cases
    assert "hypertension" not in plain.narrative
    assert "hypertension" in full.narrative
    assert full.chief_complaint is not None
    first, second = full.chief_complaint.split(", ", 1)
    assert first == plain.chief_complaint
    assert second in wordings()[15300].say


def test_wordings_follow_the_seed(tmp_path: Path) -> None:
    folder = extract(tmp_path, *({"RFV1": "10501"} for _ in range(40)))
    first, again, other = (
        [case.narrative for case in built_from(folder, Telling(seed=seed), to=to).cases]
        for seed, to in ((0, "a"), (0, "b"), (1, "c"))
    )
    assert first == again != other
    assert {case.chief_complaint for case in built_from(folder).cases} == set(wordings()[10501].say)


def test_every_code_has_three_wordings_or_more_and_none_is_shared() -> None:
    said = [say.lower() for reason in wordings().values() for say in reason.say]
    assert min(len(reason.say) for reason in wordings().values()) >= 3
    assert len(said) == len(set(said))


def test_a_reason_that_is_not_told_gives_its_place_to_none() -> None:
    assert complaint([71370, 10501], 0)[0] in wordings()[10501].say
    assert complaint([71370], 0) == (None, ["reason-not-told"])
    assert complaint([None, None], 5) == (None, [])


# ---- years and splits


@pytest.mark.parametrize(
    ("held_out", "splits"),
    [(2020, ["train", "tuning", "held_out", "held_out"]), (2021, ["train", "train", "tuning", "held_out"])],
)
def test_splits_follow_the_first_year_held_out(tmp_path: Path, held_out: int, splits: list[str]) -> None:
    for year in range(2018, 2022):
        extract(tmp_path, {}, year=year)
    assert [case.split for case in built_from(tmp_path, held_out=held_out).cases] == splits


def test_imputed_levels_are_dropped(tmp_path: Path) -> None:
    rows = [{"IMMEDFL": "0"}, {"IMMEDFL": "1"}, {"IMMEDFL": ""}]
    cases = built_from(extract(tmp_path, *rows, year=2011)).cases
    assert [(case.gold, case.quality) for case in cases] == [
        (3, ()), (None, ("imputed-level",)), (None, ("imputed-level",)),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("year", "reason"),
    [(2010, "IMMEDRFL or IMMEDFL"), (2007, "waiting time"), (2004, "waiting time"), (2031, "layout")],
)
def test_years_without_sound_levels_are_refused(tmp_path: Path, year: int, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        build_nhamcs(extract(tmp_path, {}, year=year), tmp_path / "out.parquet")


# ---- forms


@pytest.mark.parametrize("lower", [False, True])
def test_stata_gives_the_same_as_csv(tmp_path: Path, lower: bool) -> None:
    rows = ({"ADMITHOS": "1", "ADMIT": "1", "HDSTAT": "2"}, {"IMMEDR": "-8", "PULSE": "998"})
    csv_built, stata_built = (
        built_from(extract(tmp_path / "c", *rows)),
        built_from(stata(tmp_path / "s", *rows, lower=lower)),
    )
    assert csv_built.cases == stata_built.cases
    assert csv_built.outcomes == stata_built.outcomes


def test_fixed_width_gives_the_same_cases_without_weight_and_outcomes(tmp_path: Path) -> None:
    rows = ({"IMMEDR": "2", "RFV2": "15300"}, {"IMMEDR": "-8", "PULSE": "998", "AGE": "0", "AGEDAYS": "9"})
    expected = built_from(extract(tmp_path / "c", *rows)).cases
    found = built_from(fixed_width(tmp_path / "f", *rows))
    assert found.cases == [case.model_copy(update={"weight": None}) for case in expected]
    assert not found.outcomes
    assert any("no outcomes of 2016" in note for note in found.sheet["notes"])


def test_fixed_width_of_an_unchecked_year_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ED2020").write_text("9" * 600 + "\n", encoding="ascii")
    with pytest.raises(InputError, match="record places of 2020"):
        build_nhamcs(tmp_path, tmp_path / "out.parquet")


def test_two_files_of_a_year_in_one_form_are_an_error(tmp_path: Path) -> None:
    extract(tmp_path, {})
    shutil.copy(tmp_path / "triage-2016.csv.gz", tmp_path / "copy.csv.gz")
    with pytest.raises(InputError, match=r"copy\.csv\.gz holds 2016 in the same form"):
        build_nhamcs(tmp_path, tmp_path / "out.parquet")


# ---- what came later


MARK = "LEAKED"


def leaking(**special: str) -> list[dict[str, str]]:
    rows = rows_of(*({"RFV1": code, **special} for code in ("10501", "15300", "71370")))
    return [{**row, **{name: f"{MARK}{name}" for name in LEAKS}} for row in rows]


def write_leaking_csv(folder: Path) -> None:
    write_csv(folder / "triage-2016.csv", leaking())


def write_leaking_stata(folder: Path) -> None:
    folder.mkdir(parents=True)
    frame_of(leaking()).to_stata(folder / "ed2016-stata.dta", write_index=False)


@pytest.mark.parametrize("write", [write_leaking_csv, write_leaking_stata])
def test_no_column_known_only_later_reaches_a_case(tmp_path: Path, write: Any) -> None:
    write(tmp_path / "in")
    built = built_from(tmp_path / "in")
    assert len(built.cases) == 3
    assert all(MARK not in case.model_dump_json() for case in built.cases)


def test_no_column_of_a_sas_release_known_only_later_reaches_a_case(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ed2016.sas7bdat").write_bytes(b"read by the line below")
    monkeypatch.setattr(glimpse, "frames", lambda *_: iter([frame_of(leaking())]))
    monkeypatch.setattr(year_tables, "frames", lambda *_: iter([frame_of(leaking())]))
    built = built_from(tmp_path)
    assert len(built.cases) == 3
    assert all(MARK not in case.model_dump_json() for case in built.cases)


def test_a_fixed_width_record_is_read_nowhere_else(tmp_path: Path) -> None:
    fixed_width(tmp_path / "nines", {}, {"IMMEDR": "2"})
    plain = built_from(tmp_path / "nines").cases
    used = {"AGE": "40", "PULSE": "80"}
    assert plain == built_from(fixed_width(tmp_path / "again", used, {**used, "IMMEDR": "2"})).cases


def test_whatever_happened_later_the_cases_are_the_same(tmp_path: Path) -> None:
    rows = [{"IMMEDR": str(1 + n % 5), "PULSE": str(60 + n)} for n in range(30)]
    later = {"ADMITHOS": "1", "ADMIT": "1", "HDSTAT": "2", "DIEDED": "1", "DOA": "1", "LWBS": "1", "TRANOTH": "1"}
    here = built_from(extract(tmp_path / "a", *rows)).cases
    there = built_from(extract(tmp_path / "b", *({**row, **later} for row in rows))).cases
    assert here == there


def test_no_layout_allows_a_later_column_in_a_case() -> None:
    audited = {"RACERETH", "REGION", "CSTRATM", "CPSUM"}  # in the groups file only, as the tests above show
    for layout in layouts():
        assert not (set(layout.required) | set(layout.optional) | set(layout.history)) & (set(LEAKS) - audited)


# ---- outcomes


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({}, {"critical": False, "died": False, "critical_care": False, "admitted": False}),
        ({"ADMITHOS": "1", "ADMIT": "1", "HDSTAT": "1"}, {"critical": True, "critical_care": True, "died": False}),
        ({"ADMITHOS": "1", "ADMIT": "6", "HDSTAT": "1"}, {"critical": False, "admitted": True}),
        ({"ADMITHOS": "1", "ADMIT": "6", "HDSTAT": "2"}, {"critical": True, "died": True}),
        ({"ADMITHOS": "1", "ADMIT": "-8", "HDSTAT": "1"}, {"critical": None, "critical_care": None, "died": False}),
        ({"ADMITHOS": "1", "ADMIT": "6", "HDSTAT": "-9"}, {"critical": None, "died": None}),
        ({"ADMITHOS": "1", "ADMIT": "1", "HDSTAT": "-9"}, {"critical": True, "died": None}),
        ({"DIEDED": "1"}, {"critical": True, "died": True, "admitted": False}),
        ({"DOA": "1"}, {"critical": True, "died": True}),
        ({"TRANPSYC": "1"}, {"transferred": True, "critical": False}),
        ({"OBSDIS": "1"}, {"observation": True}),
        ({"LWBS": "1"}, {"left_without_being_seen": True}),
    ],
)
def test_outcomes(tmp_path: Path, row: dict[str, str], expected: dict[str, Any]) -> None:
    (found,) = built_from(extract(tmp_path, row)).outcomes.values()
    assert expected.items() <= found.items()


def test_groups_for_audits_lie_in_a_file_of_their_own(tmp_path: Path) -> None:
    built_from(extract(tmp_path, {"RACERETH": "2", "REGION": "4"}, {"RACERETH": "-9"}))
    table = pq.read_table(groups_path(tmp_path / "out" / "visits.parquet")).to_pylist()
    design = {"stratum": "20120201", "psu": "17"}
    assert table == [
        {"case_id": "nhamcs-2016-1-1", "race": "black", "region": "west", **design},
        {"case_id": "nhamcs-2016-1-2", "race": None, "region": "south", **design},
    ]


def test_outcomes_of_unknown_or_repeated_visits_are_set_apart(tmp_path: Path) -> None:
    extract(tmp_path, {}, {})
    outcomes = [{**AFTER, "YEAR": "2016", "HOSPCODE": "1", "PATCODE": code} for code in ("1", "1", "3", "x")]
    write_csv(tmp_path / "outcomes-2016.csv.gz", outcomes)
    built = built_from(tmp_path)
    assert [row["admitted"] for row in built.outcomes.values()] == [False, None]
    assert built.sheet["outcomes"]["quarantined"] == 3
    lines = (tmp_path / "out" / "visits.outcomes.parquet.quarantine.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3


def hospital(code: str, reversed_: bool, visits: int = 60, admitted: int = 10) -> list[dict[str, str]]:
    rows = []
    for n in range(visits):
        is_in = n < admitted
        level = ("5" if is_in else "3") if reversed_ else ("2" if is_in else "4")
        rows.append({"HOSPCODE": code, "PATCODE": str(n + 1), "IMMEDR": level, "ADMITHOS": str(int(is_in))})
    return rows


@pytest.mark.parametrize(
    ("rows", "marked"),
    [
        (hospital("1", reversed_=True), {"2016-1"}),
        (hospital("1", reversed_=False), set()),
        (hospital("1", reversed_=True, visits=49), set()),
        (hospital("1", reversed_=True, admitted=4), set()),
        ([{**row, "IMMEDR": "3"} for row in hospital("1", reversed_=True)], set()),
        (hospital("1", reversed_=True) + hospital("2", reversed_=False), {"2016-1"}),
    ],
    ids=["reversed", "usual", "too few visits", "too few admitted", "one level only", "beside a usual one"],
)
def test_reversed_hospitals_by_rule(tmp_path: Path, rows: list[dict[str, str]], marked: set[str]) -> None:
    built = built_from(extract(tmp_path, *rows))
    assert {case.group for case in built.cases if "reversed-group" in case.quality} == marked
    assert {found["group"] for found in built.sheet["reversed_groups"]} == marked


def test_outcomes_of_an_earlier_build_do_not_stay(tmp_path: Path) -> None:
    built_from(extract(tmp_path / "in", {}))
    (tmp_path / "in" / "outcomes-2016.csv.gz").unlink()
    assert not built_from(tmp_path / "in").outcomes


def test_plain_rows_have_the_documented_columns() -> None:
    assert set(PLAIN) - {"YEAR", "EPISODE"} <= {name for layout in layouts() for name in layout.readable()}
