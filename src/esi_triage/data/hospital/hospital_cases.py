"""A hospital's own table to the case table, by a map of its columns (`columns`)."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...atomic_files import refuse_overwriting, sha256_of
from ...esi import Case, Vitals
from ...progress import bar
from ...reading import NARRATIVE
from ..build import Overlap, built_files, write_build
from ..case_table import BadRow, as_tables, check_output
from ..narrative import STYLES, Note, render
from ..splits import split_of
from .cells import Rule, age_between, age_in_years, coded, identifier
from .cleaning import cleaned, erase_missing, judge_columns
from .column_map import ColumnMap, check_columns, load_map
from .complaint_flags import COLUMN, add_complaint, flag_columns
from .evaluation_columns import remove_evaluation_files, write_evaluation_files
from .sheet import Sheet, header, read_sheet

_SIGNS = tuple(name for name in Vitals.model_fields if name != "pain")
_ZERO_IS_A_SIGN = ("heart_rate", "resp_rate", "sbp")


def build_table(
    file: Path, map_file: Path, output: Path, seed: int = 0, overlap: Overlap | None = None
) -> dict[str, Any]:
    """A CSV or parquet file to `output` by a map, with its quarantine and dataset.json; returns what the last says.

    Raises InputError for a wrong map, for a mapped column that is missing, for a file that cannot be read, and for a
    column most of whose cells cannot be what the map says.
    """
    check_output(output)
    refuse_overwriting(built_files(output), file, map_file)
    columns = load_map(map_file)
    present = header(file)
    check_columns(columns, present, file)
    remove_evaluation_files(output)
    flags = flag_columns(columns.complaint_flags, present, file) if columns.complaint_flags else []
    sheet = read_sheet(file, list(dict.fromkeys([*columns.places().values(), *flags])))
    if columns.complaint_flags:
        add_complaint(sheet.database, columns.complaint_flags, flags)
        columns = columns.with_complaint(COLUMN)
    rules = Counter(erase_missing(sheet.database, columns))
    bad = list(sheet.unread)
    about = {
        "source": columns.source,
        "licence": columns.licence,
        "seed": seed,
        "files": {"table": {"rows": sheet.rows, "sha256": sha256_of(file)}},
        "map": columns.model_dump(mode="json", exclude_none=True),
        "rows_in": sheet.rows,
        "rules": rules,
    }

    def cases() -> Iterator[Case]:
        case_ids = []
        for case in sheet_cases(sheet, columns, rules, bad, seed, file):
            case_ids.append(case.case_id)
            yield case
        about.update(write_evaluation_files(sheet.database, columns, case_ids, bad, output))

    return write_build(output, as_tables(cases()), about, bad, overlap)


def sheet_cases(
    sheet: Sheet, columns: ColumnMap, rules: Counter[str], bad: list[BadRow], seed: int, file: Path
) -> Iterator[Case]:
    """Stream the cases of a sheet in its order; `rules` and `bad` fill on the way. `file` names it to the user."""
    cursor = cleaned(sheet.database, columns)
    judge_columns(sheet.database.cursor(), columns, file)
    names = [column[0] for column in cursor.description or ()]
    seen: set[str] = set()
    with bar(file.name, sheet.rows, "row", done=len(sheet.unread)) as shown:
        while batch := cursor.fetchmany(10_000):
            for values in batch:
                row = dict(zip(names, values, strict=True))
                stay = identifier(row["stay_id"]) if columns.columns.stay_id else f"row-{row['source_row']}"
                row["stay_id"] = stay or ""
                problem = _problem(row, columns, seen)
                if problem:
                    bad.append(BadRow(row["source_row"], stay, problem))
                    continue
                seen.add(row["stay_id"])
                yield _case(row, columns, rules, seed)
            shown.update(len(batch))
    bad.sort(key=lambda row: row.row)


def _problem(row: dict[str, Any], columns: ColumnMap, seen: set[str]) -> str | None:
    if not row["stay_id"]:
        return "stay_id is empty"
    if row["stay_id"] in seen:
        return "stay_id occurs twice; the first row is kept"
    if coded("gold", row["gold"], columns.codes.gold)[1]:
        return "gold is none of the codes in [codes.gold]" + (
            f": {row['gold'][:40]}" if columns.licence == "open" else ""
        )
    for name in ("text", "chief_complaint", "pain_raw"):
        if row[name] and len(row[name]) > NARRATIVE:
            return f"{name} is longer than {NARRATIVE:,} characters: {len(row[name]):,}"
    return None


def _case(row: dict[str, Any], columns: ColumnMap, rules: Counter[str], seed: int) -> Case:
    age, age_rule = _age(row, columns)
    sex, sex_rule = coded("sex", row["sex"], columns.codes.sex)
    arrival, arrival_rule = coded("arrival", row["arrival"], columns.codes.arrival)
    split, split_rule = coded("split", row["split"], columns.codes.split)
    gold, _ = coded("gold", row["gold"], columns.codes.gold)
    subject_id = identifier(row["subject_id"])
    rules.update(rule for rule in (age_rule, sex_rule, arrival_rule, split_rule, *_rules(row, columns)) if rule)
    vitals = {name: row[name] for name in Vitals.model_fields}
    told = {"chief_complaint": row["chief_complaint"], "age_years": age, "sex": sex, "arrival": arrival}
    told["pain_raw"] = row["pain_raw"]
    rng = random.Random(f"{seed}:{row['stay_id']}")
    written = render(Note(vitals=Vitals(**vitals), **told), rng.choice(STYLES), rng.getrandbits(32))
    return Case.model_validate(
        {
            "case_id": f"{columns.source}-{row['stay_id']}",
            "source": columns.source,
            "licence": columns.licence,
            "subject_id": subject_id,
            "stay_id": row["stay_id"] if columns.columns.stay_id else None,
            "split": split or (split_of(subject_id) if subject_id and not columns.columns.split else None),
            "narrative": row["text"] or written,
            **told,
            **vitals,
            "gold": int(gold) if gold else None,
            "gold_source": columns.gold_source if gold else None,
            "scale": columns.scale,
            "group": row["group"],
            "tags": _tags(row),
        }
    )


def _age(row: dict[str, Any], columns: ColumnMap) -> tuple[float | None, Rule]:
    if columns.columns.birth_date:
        return age_between(row["birth_date"], row["arrival_time"], columns.date_formats)
    return age_in_years(row["age"], columns.units.age)


def _rules(row: dict[str, Any], columns: ColumnMap) -> Iterator[str]:
    """The rules that changed or took away a number of this row, named as in sql/mimic_iv_ed/rules.sql."""
    temperature, unit = row["temperature_typed"], columns.units.temperature[-1]
    if row["temperature_c"] is not None and unit in "CF" and (temperature == row["temperature_c"]) != (unit == "C"):
        yield "temperature_was_celsius" if unit == "F" else "temperature_was_fahrenheit"
    crossed = row["dbp_in_range"] is not None and row["sbp_in_range"] is not None and row["sbp"] is None
    if crossed:
        yield "dbp_not_below_sbp"
    for name in _SIGNS:
        typed = row["temperature_typed" if name == "temperature_c" else f"{name}_typed"]
        if typed is not None and row[name] is None and not (crossed and name in ("sbp", "dbp")):
            yield f"{name}_zero" if typed == 0 and name in _ZERO_IS_A_SIGN else f"{name}_out_of_range"
    if row["words"]:
        yield "vital_sign_not_a_number"
    if row["pain_raw"] is not None and row["pain"] is None:
        yield "pain_above_10" if row["is_above_10"] else "pain_in_words"
    if columns.columns.text and not row["text"]:
        yield "text_blank_told_from_fields"


def _tags(row: dict[str, Any]) -> tuple[str, ...]:
    word = (f"pain:{row['pain_word']}",) if row["pain_word"] else ()
    return (*word, *(f"zero:{name}" for name in _ZERO_IS_A_SIGN if row[f"{name}_typed"] == 0))
