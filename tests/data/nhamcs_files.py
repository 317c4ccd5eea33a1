"""Made-up NHAMCS releases in the forms that people have."""

import csv
import gzip
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd

PLAIN = {
    **{"YEAR": "2016", "HOSPCODE": "1", "PATCODE": "1", "AGE": "40", "AGEDAYS": "-7", "SEX": "1", "RESIDNCE": "1"},
    **{"ARREMS": "2", "AMBTRANSFER": "-7", "TEMPF": "986", "PULSE": "80", "RESPR": "16", "BPSYS": "120"},
    **{"BPDIAS": "80", "POPCT": "98", "PAINSCALE": "4", "SEEN72": "2", "EPISODE": "1", "RFV1": "10501", "RFV2": "-9"},
    **{"RFV3": "-9", "RFV4": "-9", "RFV5": "-9", "HTN": "0", "IMMEDR": "3", "RACERETH": "1", "REGION": "3"},
    **{"CSTRATM": "20120201", "CPSUM": "17", "PATWT": "2656.5"},
}
AFTER = {
    **{"ADMITHOS": "0", "ADMIT": "-7", "HDSTAT": "-7", "DIEDED": "0", "DOA": "0", "TRANOTH": "0", "TRANPSYC": "0"},
    **{"OBSHOS": "0", "OBSDIS": "0", "LWBS": "0"},
}
# Known only after triage, or of the department: whatever stands in them, no case may change.
LEAKS = re.findall(
    r"\w+",
    """
    WAITTIME LOV BOARDED LBTC LEFTAMA DIEDED DOA ADMITHOS ADMIT HDSTAT TRANOTH TRANPSYC OBSHOS OBSDIS LWBS
    DIAG1 DIAG2 DIAG13D PRDIAG1 TOTDIAG ANYIMAGE CBC XRAY CATSCAN TOTPROC PROC MED1 GPMED1 NUMGIV NUMMED
    TEMPDF PULSED RESPRD BPSYSD BPDIASD PHYSICIAN NPPA RESINT INJURY INJPOISAD INTENT15 INJURY_ENC CAUSE1
    EPISODE NOCHRON TOTCHRON PAYTYPER EDINFO EMRED SETTYPE EDWT RACERETH REGION CSTRATM CPSUM MSA
    """,
)
KEYS = ("YEAR", "HOSPCODE", "PATCODE")


def rows_of(*rows: dict[str, str]) -> list[dict[str, str]]:
    """Whole rows from what is special in each; PATCODE counts them."""
    return [{**PLAIN, **AFTER, "PATCODE": str(number), **row} for number, row in enumerate(rows, start=1)]


def write_csv(file: Path, rows: list[dict[str, Any]]) -> Path:
    """One CSV file, gzipped where its name says so."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(file, "wt", newline="") if file.suffix == ".gz" else file.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), restval="")
        writer.writeheader()
        writer.writerows(rows)
    return file


def extract(folder: Path, *rows: dict[str, str], year: int = 2016) -> Path:
    """A folder with the two extracts of one year: visits, and their outcomes."""
    whole = [{**row, "YEAR": str(year)} for row in rows_of(*rows)]
    write_csv(folder / f"triage-{year}.csv.gz", [{k: v for k, v in row.items() if k not in AFTER} for row in whole])
    write_csv(
        folder / f"outcomes-{year}.csv.gz", [{k: v for k, v in row.items() if k in (*KEYS, *AFTER)} for row in whole]
    )
    return folder


def frame_of(rows: list[dict[str, str]]) -> pd.DataFrame:
    """Rows as a release has them: numbers are numbers, the rest is text."""
    frame = pd.DataFrame(rows)
    for name in frame.columns:
        numbers: Any = pd.to_numeric(frame[name], errors="coerce")
        frame[name] = frame[name].astype(str) if pd.isna(numbers).any() else frame[name].astype(float)
    return frame


def stata(folder: Path, *rows: dict[str, str], year: int = 2016, lower: bool = False) -> Path:
    """A folder with a zipped Stata release of one year, visits and outcomes together."""
    frame = frame_of([{**row, "YEAR": str(year)} for row in rows_of(*rows)])
    frame.columns = [name.lower() if lower else name for name in frame.columns]
    buffer = io.BytesIO()
    frame.to_stata(buffer, write_index=False)
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"ed{year}-stata.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"ed{year}-stata.dta", buffer.getvalue())
    return folder


def fixed_width(folder: Path, *rows: dict[str, str], year: int = 2016) -> Path:
    """A folder with a zipped fixed-width release, every other place filled with 9."""
    from esi_triage.data.nhamcs.layouts import layout_of

    layout = layout_of(year, "test").fixed_width
    assert layout is not None
    lines = []
    for row in rows_of(*rows):
        record = ["9"] * 600
        for name, (first, last) in (layout.keys[year] | layout.places).items():
            record[first - 1 : last] = row[name].rjust(last - first + 1)
        lines.append("".join(record))
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"ED{year}.zip", "w") as archive:
        archive.writestr(f"ED{year}", "\r\n".join(lines) + "\r\n")
    return folder
