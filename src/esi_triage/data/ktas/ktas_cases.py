"""The KTAS table of Moon 2019 to the case table: expert levels as gold, the nurse's beside them as the human baseline.

KTAS is a scale of its own: it counts no resources, so its levels 3 to 5 are not ESI's. `scale` says so in every row.
"""

import csv
import hashlib
import tomllib
from collections import Counter
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from ...atomic_files import refuse_overwriting, sha256_of
from ...errors import InputError
from ...esi import VITALS_BY_NAME, Case, Vitals
from ...reading import numeral, plain_file
from ..build import Overlap, built_files, write_build
from ..case_table import BadRow, as_tables, check_output
from ..narrative import STYLES, Note, render

_LONGEST_CELL = 255  # characters; the longest complaint has 37
_CITATION = "Moon, Shim, Park, Park 2019, doi 10.1371/journal.pone.0216972, CC BY 4.0"


def build_ktas(file: Path, output: Path, seed: int = 0, overlap: Overlap | None = None) -> dict[str, Any]:
    """The published CSV (`;`, Windows-1254) to `output`, with quarantine and dataset.json; returns what the last says.

    Every row is held out: the set is an external test. Raises InputError for a file that is none, or lacks a column.
    """
    check_output(output)
    refuse_overwriting(built_files(output), file)
    rows = _rows(file)
    rules: Counter[str] = Counter()
    bad: list[BadRow] = []
    about = {
        **{"source": f"KTAS, two Korean emergency departments ({_CITATION})", "licence": "open", "seed": seed},
        **{"files": {file.name: {"rows": len(rows), "sha256": sha256_of(file)}}, "rows_in": len(rows), "rules": rules},
        "notes": ["KTAS is not ESI: report it under its own scale, never pooled", "all rows held out (external test)"],
    }
    return write_build(output, as_tables(_cases(rows, rules, bad, seed)), about, bad, overlap)


@cache
def known_columns() -> dict[str, Any]:
    """columns.toml: which columns are read, and what their codes mean."""
    file = resources.files("esi_triage.data.ktas") / "columns.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _rows(file: Path) -> list[dict[str, str] | str]:
    """The rows by column, a row that cannot be read as the reason why."""
    try:
        text = plain_file(file).read_bytes().decode("cp1254")
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}); give the published CSV.") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: holds bytes that are not Windows-1254 ({error}); give the published CSV.") from None
    lines = [line for line in text.removeprefix("\ufeff").removeprefix("ï»¿").splitlines() if line.strip()]
    header = [name.strip() for name in lines[0].split(";")] if lines else []
    for name in known_columns()["needed"]:
        if header.count(name) != 1:
            how = "is missing" if name not in header else "occurs twice"
            raise InputError(
                f"{file}: column '{name}' {how}. The table is separated by ';' and has {len(header)} columns."
            )
    return [_row(line, header) for line in lines[1:]]


def _row(line: str, header: list[str]) -> dict[str, str] | str:
    try:
        (cells,) = csv.reader([line], delimiter=";", strict=True)
    except csv.Error as error:
        return f"the row cannot be read ({error})"
    if len(cells) != len(header):
        return f"the row has {len(cells)} cells, the header {len(header)}"
    if any(len(cell) > _LONGEST_CELL for cell in cells):
        return f"a cell is longer than {_LONGEST_CELL} characters"
    return dict(zip(header, (" ".join(cell.replace("\0", "").split()) for cell in cells), strict=True))


def _cases(rows: list[dict[str, str] | str], rules: Counter[str], bad: list[BadRow], seed: int) -> Iterator[Case]:
    for number, row in enumerate(rows, start=1):
        problem = row if isinstance(row, str) else _problem(row)
        if isinstance(row, str) or problem:
            bad.append(BadRow(number, f"ktas-{number}", problem or ""))
        else:
            case = _case(number, row, seed)
            rules.update(case.quality)
            yield case


def _problem(row: dict[str, str]) -> str | None:
    wrong = next((name for name in ("KTAS_expert", "KTAS_RN") if _number(row[name]) not in (1, 2, 3, 4, 5)), None)
    return f"{wrong} is no level from 1 to 5: {row[wrong][:40] or 'blank'}" if wrong else None


def _case(number: int, row: dict[str, str], seed: int) -> Case:
    case_id, quality = f"ktas-{number}", []
    codes = {name: _coded(row, name, quality) for name in known_columns()["codes"]}
    vitals = _vitals(row, quality)
    age = _measured(row["Age"], "age_years", 0, 125, quality)
    complaint = row["Chief_complain"] if row["Chief_complain"].strip("? ") else None
    drawn = hashlib.sha256(f"{seed}:{case_id}".encode()).digest()
    person = {"age_years": age, "sex": codes["sex"], "arrival": codes["arrival"]}
    clue = ", ".join(text for text in (codes["mental"], codes["injury"]) if text) or None
    note = Note(chief_complaint=complaint, **person, vitals=vitals, clue=clue)
    return Case.model_validate(
        {
            **{"case_id": case_id, "source": "ktas", "licence": "open", "subject_id": case_id, "stay_id": case_id},
            **{"split": "held_out", "scale": "ktas", "group": f"ktas-hospital-{row['Group']}"},
            "narrative": render(note, STYLES[drawn[0] % len(STYLES)], int.from_bytes(drawn[1:9], "big")),
            **{"chief_complaint": complaint, **person, **vitals.model_dump()},
            **{"gold": _level(row["KTAS_expert"]), "gold_source": "expert-consensus"},
            **{"human_level": _level(row["KTAS_RN"]), "quality": tuple(quality)},
        }
    )


def _vitals(row: dict[str, str], quality: list[str]) -> Vitals:
    found: dict[str, float | None] = {}
    for name, column in known_columns()["vitals"].items():
        sign = VITALS_BY_NAME[name]
        found[name] = _measured(row[column], name, sign.low, sign.high, quality)
    if found["sbp"] is not None and found["dbp"] is not None and found["dbp"] >= found["sbp"]:
        quality.append("crossed-pressure")
        found["sbp"] = found["dbp"] = None
    pain = _measured(row["NRS_pain"], "pain", 0, 10, quality)
    return Vitals(**found, pain=0.0 if pain is None and row["Pain"] == "0" else pain)


def _measured(cell: str, name: str, low: float, high: float, quality: list[str]) -> float | None:
    """The number in a cell, or null and why in `quality`; a mark for "missing" needs no reason."""
    if cell in known_columns()["missing"]:
        return None
    value = _number(cell)
    if value is not None and low <= value <= high:
        return value
    quality.append(f"{'not-a-number' if value is None else 'implausible'}-{name}")
    return None


def _coded(row: dict[str, str], name: str, quality: list[str]) -> str | None:
    codes = known_columns()["codes"][name]
    cell = row[codes["column"]]
    if cell in known_columns()["missing"]:
        return None
    if cell not in codes or cell == "column":
        quality.append(f"unknown-code-{name}")
        return None
    return codes[cell]


def _level(cell: str) -> int | None:
    value = _number(cell)
    return None if value is None else int(value)


def _number(cell: str) -> float | None:
    return numeral(cell.replace(",", "."))
