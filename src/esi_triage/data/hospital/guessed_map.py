"""A first map.toml for a file that nobody has mapped yet: from the names of its columns and from what is in them.

A proposal, to be read and corrected. The map shows the codes of columns with few different values, and the lowest and
highest number of the others; no other content of the file.
"""

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from duckdb import DuckDBPyConnection

from ...esi import VITALS_BY_NAME, fahrenheit_to_celsius
from .cells import coded, moment
from .column_map import Columns, known
from .headers import after_triage, guess_columns, guess_section, pain_columns
from .sheet import header, quoted, read_sheet

_CODED = ("sex", "arrival", "gold", "split")
_MEASURED = {"temperature": "temperature_c", **{name: name for name in VITALS_BY_NAME if name != "temperature_c"}}
_MOST_CODES, _LONGEST_CODE = 25, 40
_DAYS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%d/%m/%y", "%m/%d/%y")
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")


class Content(NamedTuple):
    """What is in a column: its numbers in order, its most frequent texts, and how many different texts it has."""

    numbers: list[float]
    texts: list[str]
    different: int


def guess_map(file: Path) -> str:
    """The text of a map.toml for a CSV or parquet file. Raises InputError for a file that cannot be read."""
    names = header(file)
    columns = guess_columns(names)
    left = [name for name in names if name not in columns.values()]
    sections = {section: guess_section(section, left) for section in ("groups", "outcomes")}
    beside = [column for section in sections.values() for column in section.values()]
    wanted = list(dict.fromkeys((*columns.values(), *pain_columns(names), *beside)))
    database = read_sheet(file, wanted).database if wanted else None
    held = {column: _content(database, column) for column in wanted} if database else {}
    if "pain" in columns:
        columns["pain"] = _pain_score(columns, pain_columns(names), held)
    content = {field: held[column] for field, column in columns.items()}
    parts = (
        *(_head(file, content), _columns(columns, content), _units(columns, content), _codes(content)),
        *(_for_evaluation(sections, held), _left_out(names, [*columns.values(), *beside])),
    )
    return "\n".join(line for part in parts for line in part) + "\n"


def _pain_score(columns: dict[str, str], candidates: list[str], held: dict[str, Content]) -> str:
    """The likeliest column that goes beyond 0 and 1; a flag only says that there is pain."""
    free = [name for name in candidates if name == columns["pain"] or name not in columns.values()]
    return next((name for name in free if held[name].numbers and held[name].numbers[-1] > 1), columns["pain"])


def _content(database: DuckDBPyConnection, column: str) -> Content:
    cell = f"trim({quoted(column)})"
    texts = database.execute(
        f"SELECT {cell} AS typed, count(*) AS n FROM sheet WHERE {cell} <> '' GROUP BY typed ORDER BY n DESC, typed"
    ).fetchall()
    numbers = database.execute(
        f"SELECT n FROM (SELECT TRY_CAST(replace(regexp_replace({cell}, '[ °]*[%CF]$', ''), ',', '.') AS DOUBLE) AS n "
        "FROM sheet) WHERE n IS NOT NULL ORDER BY n"
    ).fetchall()
    return Content([n for (n,) in numbers], [text for text, _ in texts[:1000]], len(texts))


def _head(file: Path, content: dict[str, Content]) -> Iterator[str]:
    yield f"# What the columns of {_on_one_line(file.name)} mean: a guess, to be read and corrected line by line."
    yield "# Then: esi data build table --map map.toml --input FILE --output cases.parquet"
    yield "# Only mapped columns are read. Map nothing in [columns] that is known only after triage."
    yield ""
    yield f"source = {_toml(re.sub(r'[^a-z0-9]+', '-', file.name.split('.')[0].lower()).strip('-') or 'table')}"
    yield 'licence = "credentialed"  # "open" only where these texts may be published'
    yield 'scale = "esi"             # or us-5-level, ktas'
    yield 'gold_source = "nurse"     # or expert-confirmed, handbook, engine'
    for field in ("birth_date", "arrival_time"):
        if field in content and any(moment(text, ()) is None for text in content[field].texts):
            yield _dates([text for name in ("birth_date", "arrival_time") for text in content[name].texts])
            break
    yield ""


def _dates(texts: list[str]) -> str:
    fits = {form: {t for t in texts if moment(t, (form,))} for form in (d + t for d, t in product(_DAYS, _TIMES))}
    chosen: list[str] = []
    while left := set(texts) - {text for form in chosen for text in fits[form]}:
        best = max(fits, key=lambda form: len(fits[form] & left))
        if not fits[best] & left:
            return f"date_formats = {_toml(chosen)}  # some dates fit no usual form: add it, as in strptime"
        chosen.append(best)
    unsure = any(a != b and fits[a] and fits[a] == fits[b] for a in chosen for b in fits)
    return f"date_formats = {_toml(chosen)}" + ("  # day and month could be the other way round" if unsure else "")


def _columns(columns: dict[str, str], content: dict[str, Content]) -> Iterator[str]:
    yield "[columns]"
    for field, about in Columns.model_fields.items():
        if field in columns:
            yield f"{field} = {_toml(columns[field])}{_doubt(field, content[field])}"
        else:
            yield f'# {field} = ""' + (f"  # {about.description}" if about.description else "")
    yield ""


def _doubt(field: str, found: Content) -> str:
    """A comment: of numbers their range, and whether they can be what they are taken for; of a note, a question."""
    if field == "text":
        return "  # CHECK: written at triage?"
    if field not in _MEASURED or not found.numbers:
        return ""
    sign = VITALS_BY_NAME[_MEASURED[field]]
    possible = sum(sign.plausible(n) or (field == "temperature" and _is_fahrenheit(n)) for n in found.numbers)
    possible = len(found.numbers) if _is_fraction(field, found) else possible
    share = possible / len(found.numbers)
    span = f"  # {found.numbers[0]:g} to {found.numbers[-1]:g}"
    limits = f"between {sign.low:g} and {sign.high:g} {sign.unit}"
    return span if share > 0.9 else f"{span}; CHECK: only {share:.0%} of its numbers are {limits}"


def _units(columns: dict[str, str], content: dict[str, Content]) -> Iterator[str]:
    yield "[units]"
    if "temperature" in content:
        numbers = content["temperature"].numbers
        fahrenheit = sum(map(_is_fahrenheit, numbers))
        celsius = sum(map(VITALS_BY_NAME["temperature_c"].plausible, numbers))
        tenths = sum(_is_fahrenheit(n / 10) for n in numbers)
        shares = {"F": fahrenheit, "C": celsius, "0.1 F": tenths}
        unit = next((unit for unit, n in shares.items() if n > 0.9 * len(numbers)), "auto")
        like = f"{fahrenheit:,} values look like °F, {celsius:,} like °C, {tenths:,} like tenths of °F"
        yield f'temperature = "{unit}"  # {like}'
    if "spo2" in content:
        yield f'spo2 = "{"fraction" if _is_fraction("spo2", content["spo2"]) else "%"}"'
    if "age" in content:
        name = columns["age"].lower()
        yield f'age = "{"months" if "month" in name else "days" if "day" in name else "years"}"'
    yield ""


def _is_fahrenheit(value: float) -> bool:
    return VITALS_BY_NAME["temperature_c"].plausible(fahrenheit_to_celsius(value))


def _is_fraction(field: str, found: Content) -> bool:
    return field == "spo2" and bool(found.numbers) and found.numbers[-1] <= 1


def _codes(content: dict[str, Content]) -> Iterator[str]:
    for field in _CODED:
        if field in content:
            yield from _code_table(field, content[field])


def _code_table(field: str, found: Content) -> Iterator[str]:
    usual: dict[str, Any] = known()["codes"][field]
    if found.different > _MOST_CODES or any(len(text) > _LONGEST_CODE for text in found.texts):
        yield f"# [codes.{field}]: CHECK: {found.different:,} different values; is this the right column?"
        return
    unplaced = [text for text in found.texts if coded(field, text, usual)[0] is None]
    if not unplaced:
        yield f"# {field}: {_toml(found.texts)} are usual codes; no table needed."
        return
    yield f"[codes.{field}]  # {_toml([t for t in found.texts if t not in unplaced])} are usual codes"
    fate = "their rows go to quarantine" if field == "gold" else "they count as not recorded"
    yield f"# PLACE THESE, or {fate}: {_toml(unplaced)}"
    yield from (f'# "{value}" = []' for value in usual)
    yield ""


def _for_evaluation(sections: dict[str, dict[str, str]], held: dict[str, Content]) -> Iterator[str]:
    """[groups] and [outcomes]; an outcome that does not hold the usual codes for true and false as a comment."""
    yield "[groups]  # what patients are compared by: only evaluation reads it, no case holds it"
    yield from (f"{name} = {_toml(column)}" for name, column in sections["groups"].items())
    yield ""
    yield "[outcomes]  # 0/1 columns of what happened after triage: only evaluation reads them, no case holds them"
    for name, column in sections["outcomes"].items():
        found = held[column]
        unplaced = [text for text in found.texts if coded(name, text, known()["codes"]["outcome"])[0] is None]
        if not unplaced:
            yield f"{name} = {_toml(column)}"
        elif found.different <= _MOST_CODES and all(len(text) <= _LONGEST_CODE for text in unplaced):
            yield f"# {name} = {{column = {_toml(column)}, true = [], false = []}}  # PLACE THESE: {_toml(found.texts)}"
        else:
            yield f"# {name}: column {_toml(column)} has {found.different:,} different values, so it is no 0/1 column"
    yield ""


def _left_out(names: list[str], taken: list[str]) -> Iterator[str]:
    left = [name for name in names if name not in taken]
    later = [name for name in left if after_triage(name)]
    if later:
        yield f"# Not mapped, known only after triage: {_on_one_line(', '.join(later))}"
    if len(left) > len(later):
        yield f"# Not mapped: {_on_one_line(', '.join(name for name in left if name not in later))}"


def _toml(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _on_one_line(text: str) -> str:
    """For a comment, which may hold no line break and no control character."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
