"""What a series trains on: an earlier call's build of other NHAMCS releases is not taken for these."""

from pathlib import Path

import pytest

from esi_triage.data.build import sheet_path
from esi_triage.errors import InputError
from esi_triage.reproduce.series_data import _case_table


def release(folder: Path, year: int, pulse: int = 80) -> Path:
    """An extract of one made-up release, as `esi data build nhamcs` reads it."""
    columns = {"YEAR": year, "HOSPCODE": 1, "PATCODE": 1, "AGE": 40, "SEX": 1, "ARREMS": 2, "TEMPF": 986}
    columns |= {"PULSE": pulse, "RESPR": 16, "BPSYS": 120, "BPDIAS": 80, "POPCT": 98, "PAINSCALE": 4, "SEEN72": 2}
    columns |= {"EPISODE": 1, "RFV1": 10501, "RFV2": -9, "RFV3": -9, "IMMEDR": 3}
    folder.mkdir(exist_ok=True)
    file = folder / f"triage-{year}.csv"
    file.write_text(f"{','.join(columns)}\n{','.join(map(str, columns.values()))}\n")
    return file


def test_a_build_of_other_releases_is_not_taken_over(tmp_path: Path) -> None:
    releases, output = tmp_path / "releases", tmp_path / "out"
    release(releases, 2016)
    built = _case_table(str(releases), output)
    before = built.read_bytes()
    assert _case_table(str(releases), output) == built
    new = release(releases, 2017)
    with pytest.raises(InputError, match=r"cases\.parquet: .*\(different: triage-2017\.csv\)"):
        _case_table(str(releases), output)
    new.unlink()
    release(releases, 2016, pulse=81)
    with pytest.raises(InputError, match=r"different: triage-2016\.csv"):
        _case_table(str(releases), output)
    release(releases, 2016)
    sheet_path(built).unlink()
    with pytest.raises(InputError, match="different"):
        _case_table(str(releases), output)
    assert built.read_bytes() == before
