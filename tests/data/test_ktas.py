"""The KTAS table: experts' levels as gold, the nurse's beside them, odd marks for "missing", and no later column."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from esi_triage.data.case_table import read_cases
from esi_triage.data.ktas.ktas_cases import build_ktas
from esi_triage.errors import InputError
from esi_triage.esi import Case

HEADER = (
    "Group;Sex;Age;Patients number per hour;Arrival mode;Injury;Chief_complain;Mental;Pain;NRS_pain;SBP;DBP;HR;"
    "RR;BT;Saturation;KTAS_RN;Diagnosis in ED;Disposition;KTAS_expert;Error_group;Length of stay_min;"
    "KTAS duration_min;mistriage"
)
VALUES = "2;1;56;12;2;2;chest pain;1;1;3;137;75;60;20;36.5;98;4;LEAKED;7777;3;7777;7777;77,77;7777"
PLAIN = dict(zip(HEADER.split(";"), VALUES.split(";"), strict=True))


def built(folder: Path, *rows: dict[str, str], encoding: str = "cp1254") -> tuple[list[Case], list[dict[str, Any]]]:
    text = "\r\n".join([HEADER, *(";".join({**PLAIN, **row}.values()) for row in rows)]) + "\r\n"
    (folder / "ktas.csv").write_bytes(text.encode(encoding))
    sheet = build_ktas(folder / "ktas.csv", folder / "ktas.parquet")
    cases, bad = read_cases(folder / "ktas.parquet")
    assert not bad
    file = folder / "ktas.parquet.quarantine.jsonl"
    quarantine = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []
    assert sheet["rows_in"] == len(cases) + len(quarantine)
    return cases, quarantine


def test_hospital_1_has_its_known_counts(ktas: Path, tmp_path: Path) -> None:
    sheet = build_ktas(ktas, tmp_path / "ktas.parquet")
    cases, _ = read_cases(tmp_path / "ktas.parquet")
    assert (len(cases), sheet["quarantined"]) == (688, 0)
    assert Counter(case.gold for case in cases) == {1: 14, 2: 72, 3: 270, 4: 276, 5: 56}
    assert sum(case.gold == case.human_level for case in cases) / len(cases) == pytest.approx(0.871, abs=5e-4)
    assert sum(case.spo2 is None for case in cases) == 688
    assert sum(case.chief_complaint is None for case in cases) == 21


def test_a_row_as_a_case(tmp_path: Path) -> None:
    ((case,), _) = built(tmp_path, {})
    assert (case.case_id, case.scale, case.split, case.licence) == ("ktas-1", "ktas", "held_out", "open")
    assert (case.gold, case.gold_source, case.human_level) == (3, "expert-consensus", 4)
    assert (case.sex, case.age_years, case.arrival) == ("F", 56, "ambulance")
    assert (case.sbp, case.dbp, case.heart_rate, case.resp_rate) == (137, 75, 60, 20)
    assert (case.temperature_c, case.spo2, case.pain) == (36.5, 98, 3)
    for words in ("chest pain", "alert", "injury"):
        assert words in case.narrative.lower()
    for later in ("LEAKED", "7777", "77,77"):
        assert later not in case.model_dump_json()


@pytest.mark.parametrize(
    ("row", "field", "value", "quality"),
    [
        ({"SBP": "??"}, "sbp", None, ()),
        ({"Saturation": ""}, "spo2", None, ()),
        ({"NRS_pain": "#BOŞ!", "Pain": "0"}, "pain", 0, ()),
        ({"NRS_pain": "#BOŞ!", "Pain": "1"}, "pain", None, ()),
        ({"BT": "36,5"}, "temperature_c", 36.5, ()),
        ({"BT": "365"}, "temperature_c", None, ("implausible-temperature_c",)),
        ({"HR": "fast"}, "heart_rate", None, ("not-a-number-heart_rate",)),
        ({"SBP": "60", "DBP": "90"}, "sbp", None, ("crossed-pressure",)),
        ({"Chief_complain": "?????"}, "chief_complaint", None, ()),
        ({"Chief_complain": "?? ??"}, "chief_complaint", None, ()),
        ({"Sex": "2"}, "sex", "M", ()),
        ({"Sex": "9"}, "sex", None, ("unknown-code-sex",)),
        ({"Arrival mode": "3"}, "arrival", "walk-in", ()),
        ({"Age": "16"}, "age_years", 16, ()),
    ],
)  # fmt: skip
def test_a_cell_is_a_value_or_null(
    tmp_path: Path, row: dict[str, str], field: str, value: Any, quality: tuple[str, ...]
) -> None:
    ((case,), _) = built(tmp_path, row)
    assert getattr(case, field) == value
    assert case.quality == quality


@pytest.mark.parametrize(
    ("mental", "words"), [("1", "alert"), ("2", "responds to voice"), ("3", "responds to pain"), ("4", "unresponsive")]
)
def test_consciousness_is_told(tmp_path: Path, mental: str, words: str) -> None:
    ((case,), _) = built(tmp_path, {"Mental": mental})
    assert words in case.narrative.lower()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"KTAS_expert": "0"}, "KTAS_expert is no level"),
        ({"KTAS_expert": ""}, "KTAS_expert is no level"),
        ({"KTAS_RN": "3.5"}, "KTAS_RN is no level"),
        ({"Chief_complain": "a;b"}, "25 cells"),
        ({"Chief_complain": "x" * 300}, "longer than 255"),
    ],
)
def test_a_bad_row_is_quarantined_and_the_others_kept(tmp_path: Path, row: dict[str, str], reason: str) -> None:
    cases, quarantine = built(tmp_path, {}, row, {})
    assert [case.case_id for case in cases] == ["ktas-1", "ktas-3"]
    (found,) = quarantine
    assert reason in found["reason"]


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "ktas.csv").write_text(HEADER.replace("KTAS_RN", "RN") + "\n", encoding="cp1254")
    with pytest.raises(InputError, match="'KTAS_RN' is missing"):
        build_ktas(tmp_path / "ktas.csv", tmp_path / "out.parquet")


def test_another_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "ktas.csv").write_bytes(b"\x81\x8d a table\n")
    with pytest.raises(InputError, match=r"ktas\.csv"):
        build_ktas(tmp_path / "ktas.csv", tmp_path / "out.parquet")
