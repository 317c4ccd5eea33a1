"""The map of the Yale table (Hong 2018) on a made export: complaints in 0/1 columns, Fahrenheit, no outcome."""

from pathlib import Path

import pytest

from esi_triage.data.case_table import read_cases
from esi_triage.data.hospital.hospital_cases import build_table
from esi_triage.errors import InputError
from esi_triage.esi import Case

PLAIN = {
    **{"dep_name": "A", "esi": "3", "age": "40", "gender": "Female", "race": "LEAKED", "disposition": "LEAKED"},
    **{"arrivalmode": "Car", "insurance_status": "LEAKED", "triage_vital_hr": "80", "triage_vital_sbp": "120"},
    **{"triage_vital_dbp": "80", "triage_vital_rr": "16", "triage_vital_o2": "97", "triage_vital_temp": "98.6"},
    **{"meds_analgesics": "7777", "n_admissions": "7777", "troponini(poc)_last": "7777"},
    **{"cc_chestpain": "0", "cc_fall>65": "0", "cc_other": "0", "cc_shortnessofbreath": "0", "cc_unheardof": "0"},
}


def built(folder: Path, *rows: dict[str, str]) -> list[Case]:
    lines = [",".join(PLAIN), *(",".join({**PLAIN, **row}.values()) for row in rows)]
    (folder / "yale.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    build_table(folder / "yale.csv", Path("hospital-triage"), folder / "yale.parquet")
    return read_cases(folder / "yale.parquet")[0]


@pytest.mark.parametrize(
    ("flags", "complaint"),
    [
        (("cc_chestpain",), "chest pain"),
        (("cc_shortnessofbreath", "cc_chestpain"), "chest pain, shortness of breath"),
        (("cc_fall>65",), "fall, over 65"),
        (("cc_unheardof",), "unheardof"),
        (("cc_other",), None),
        ((), None),
    ],
)
def test_flags_are_told_as_a_complaint(tmp_path: Path, flags: tuple[str, ...], complaint: str | None) -> None:
    (case,) = built(tmp_path, dict.fromkeys(flags, "1"))
    assert case.chief_complaint == complaint
    assert (complaint or "not recorded") in case.narrative


def test_a_visit_has_no_patient_no_split_and_no_outcome(tmp_path: Path) -> None:
    (case,) = built(tmp_path, {"cc_chestpain": "1"})
    assert (case.source, case.licence, case.gold, case.sex, case.arrival) == (
        "hospital-triage", "credentialed", 3, "F", "walk-in",
    )  # fmt: skip
    assert (case.subject_id, case.split) == (None, None)
    assert case.temperature_c == 37.0
    assert "LEAKED" not in case.model_dump_json()
    assert "7777" not in case.model_dump_json()


def test_oxygen_that_the_authors_took_away_is_not_recorded(tmp_path: Path) -> None:
    (case,) = built(tmp_path, {"triage_vital_o2": "NA", "cc_chestpain": "1"})
    assert case.spo2 is None
    assert "not recorded" in case.narrative


def test_a_table_without_flags_is_refused(tmp_path: Path) -> None:
    lines = [",".join(name.replace("cc_", "x_") for name in PLAIN), ",".join(PLAIN.values())]
    (tmp_path / "yale.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(InputError, match="no column begins with 'cc_'"):
        build_table(tmp_path / "yale.csv", Path("hospital-triage"), tmp_path / "out.parquet")
