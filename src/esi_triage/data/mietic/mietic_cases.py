"""MIETIC 1.0.0 (doi 10.13026/q1nc-2e47, credentialed) to the case table: 36 cases to test on, the corpus to train on.

MIETIC-validate-samples.csv: the rows that the experts retained are `held_out`, with the nurse's level that they
confirmed as gold. The narrative is what a model reads; whoever wrote it was told to change age, sex and vital signs,
so the structured columns of the same row, which fill the case's columns, need not agree with it: show a model one of
the two, never both.

MIETIC.csv: narratives of three questions. `instruction` gives the level away and is never kept. No nurse's level is in
the file, only a band (the question) and an answer in prose, so `gold` stays empty: `mietic_bands` says what the tags
hold. Vital signs and age are read from the narrative, so they agree with it. There are no patient ids: all of it is
`train`, without the narratives that resemble one of the 50 in the other file.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ...atomic_files import sha256_of
from ...errors import InputError
from ...esi import Case
from ...esi.read.measures import read_measures
from ...esi.read.person import read_age_months
from ...reading import NARRATIVE
from ..build import Overlap, write_build
from ..case_table import BadRow, as_tables, check_output
from ..hospital.column_map import ColumnMap, Columns, Units
from ..hospital.hospital_cases import sheet_cases
from ..hospital.sheet import Sheet, header, read_sheet
from ..overlap.near_duplicates import near_duplicates
from .bands import ROWS, Band, band_asked, level_answered, polarity_of, resources_of

CORPUS, VALIDATE = "MIETIC.csv", "MIETIC-validate-samples.csv"
# The columns that may be read: what the nurse knew, the ids, and the label. All others tell what came later.
ALLOWED = Columns(
    stay_id="stay_id",
    subject_id="subject_id",
    split="split",
    text="tiragecase",  # sic
    chief_complaint="chiefcomplaint",
    age="age",
    sex="gender",
    arrival="arrival_transport",
    temperature="temperature",
    heart_rate="heartrate",
    resp_rate="resprate",
    spo2="o2sat",
    sbp="sbp",
    dbp="dbp",
    pain="pain",
    gold="acuity",
)
_MAP = ColumnMap(
    source="mietic-validate",
    licence="credentialed",
    gold_source="expert-confirmed",
    columns=ALLOWED,
    units=Units(temperature="F"),
)
DECISION = "Final Decision"
_COLUMNS = 57
_LEVELS = {1: 14, 2: 11, 3: 5, 4: 4, 5: 2}
# Narratives are retold with other numbers, and each changed number breaks five 5-grams: a note of 150 words with new
# vital signs is at about 0.7.
_RETOLD = 0.5


class Release(NamedTuple):
    """Both files, read. `validated` holds all 50 narratives by case_id, those that the experts removed included."""

    files: tuple[Path, Path]
    corpus: Sheet
    validate: Sheet
    removed: list[BadRow]
    validated: list[tuple[str, str]]

    @property
    def rows(self) -> int:
        """The rows of both files."""
        return self.corpus.rows + self.validate.rows


def build_mietic(
    folder: Path, output: Path, gold_from_bands: bool = False, overlap: Overlap | None = None
) -> dict[str, Any]:
    """Both files to `output`, with its quarantine and dataset.json; returns what dataset.json says."""
    check_output(output)
    release = read_release(folder)
    rules: Counter[str] = Counter()
    bad: list[BadRow] = []
    about: dict[str, Any] = {
        "source": "MIETIC 1.0.0",
        "licence": "credentialed",
        "gold_from_bands": gold_from_bands,
        "files": {
            file.name: {"rows": sheet.rows, "sha256": sha256_of(file)}
            for file, sheet in zip(release.files, (release.corpus, release.validate), strict=True)
        },
        "known_counts": known_counts(release),
        "rows_in": release.rows,
        "rules": rules,
    }
    return write_build(output, as_tables(mietic_cases(release, rules, bad, gold_from_bands)), about, bad, overlap)


def read_release(folder: Path) -> Release:
    """Both files, in `folder` or below it. Raises InputError for what is missing or is not MIETIC 1.0.0."""
    corpus_file, validate_file = (_find(folder, name) for name in (CORPUS, VALIDATE))
    names = header(validate_file)
    names[0] = "subject_id" if names[0].endswith("ubject_id") else names[0]  # the release has "锘縮ubject_id"
    wanted = [column for field, column in ALLOWED if column and field != "split"]
    _check_header(validate_file, names, [*wanted, DECISION], _COLUMNS)
    _check_header(corpus_file, header(corpus_file), ["instruction", "input", "output"], 3)
    validate = read_sheet(validate_file, [*wanted, DECISION], names)
    narratives = validate.database.execute(
        "SELECT stay_id, tiragecase FROM sheet WHERE tiragecase IS NOT NULL"
    ).fetchall()
    removed = validate.database.execute(
        f"DELETE FROM sheet WHERE coalesce(upper(trim(\"{DECISION}\")), '') <> 'RETAIN' RETURNING source_row, stay_id"
    ).fetchall()
    validate.database.execute("ALTER TABLE sheet ADD COLUMN split VARCHAR DEFAULT 'held_out'")
    return Release(
        files=(corpus_file, validate_file),
        corpus=read_sheet(corpus_file, ["instruction", "input", "output"]),
        validate=validate,
        removed=[
            BadRow(row, stay_id, f"{VALIDATE}: the experts did not retain it") for row, stay_id in sorted(removed)
        ],
        validated=[(f"{_MAP.source}-{stay_id}", text) for stay_id, text in narratives],
    )


def known_counts(release: Release) -> str:
    """One sentence: whether both files have the counts of version 1.0.0, or what differs."""
    levels = release.validate.database.execute("SELECT TRY_CAST(acuity AS INTEGER), count(*) FROM sheet GROUP BY ALL")
    asked = Counter(
        band_asked(text or "")
        for (text,) in release.corpus.database.execute("SELECT instruction FROM sheet").fetchall()
    )
    found = {f"ESI-{level}": n for level, n in sorted(levels.fetchall(), key=str)}
    found |= {f"band {band}": n for band, n in sorted(asked.items(), key=str)}
    expected = {f"ESI-{level}": n for level, n in _LEVELS.items()} | {f"band {band}": n for band, n in ROWS.items()}
    differs = [
        f"{name} {found.get(name, 0):,} instead of {expected.get(name, 0):,}"
        for name in dict.fromkeys((*expected, *found))
        if found.get(name) != expected.get(name)
    ]
    if differs:
        return f"not the counts of MIETIC 1.0.0: {', '.join(differs)}"
    return "the counts of MIETIC 1.0.0: 36 retained (14/11/5/4/2), 9,629 narratives"


def mietic_cases(
    release: Release, rules: Counter[str], bad: list[BadRow], gold_from_bands: bool = False
) -> Iterator[Case]:
    """Stream the retained cases, then those of the corpus; `rules` and `bad` fill on the way.

    `gold_from_bands` makes the level that question and answer amount to the gold of a corpus row, as those do who train
    on this corpus; the gold_source of such a row is "band", never "nurse".
    """
    bad += release.removed + release.validate.unread
    yield from sheet_cases(release.validate, _MAP, rules, bad, 0, release.files[1])
    rows = release.corpus.database.execute(
        'SELECT source_row, instruction, "input", "output" FROM sheet ORDER BY 1'
    ).fetchall()
    texts = [(str(row), narrative or "") for row, _, narrative, _ in rows]
    retold = {match.train: match for match in near_duplicates(texts, release.validated, _RETOLD)}
    bad += release.corpus.unread
    for row, instruction, narrative, output in rows:
        case_id, band = f"mietic-{row}", band_asked(instruction or "")
        match = retold.get(str(row))
        problem = _problem(band, narrative)
        if match:
            problem = f"resembles {match.test}, which is there to test on (similarity {match.similarity:.2f})"
        if problem or band is None:
            bad.append(BadRow(row, case_id, f"{CORPUS}: {problem}"))
            continue
        case = _corpus_case(case_id, band, narrative, output or "", gold_from_bands)
        rules.update(tag.replace(":", "_") for tag in case.tags)
        yield case


def _problem(band: str | None, narrative: str | None) -> str | None:
    if band is None:
        return "instruction is none of the three questions"
    if not (narrative or "").strip():
        return "input is empty"
    length = len(narrative or "")
    return f"input is longer than {NARRATIVE:,} characters: {length:,}" if length > NARRATIVE else None


def _corpus_case(case_id: str, band: Band, narrative: str, output: str, gold_from_bands: bool) -> Case:
    level, age = level_answered(band, output), read_age_months(narrative)
    resources = resources_of(output) if band == "3-5" else None
    tags = [f"band:{band}"]
    tags += [f"answer:{polarity_of(output)}"] if band != "3-5" else []
    tags += [f"resources:{resources}"] if resources is not None else []
    tags += [f"band-level:{level}"] if level else []
    gold = level if gold_from_bands else None
    return Case(
        case_id=case_id,
        source="mietic",
        licence="credentialed",
        split="train",
        narrative=narrative.strip(),
        age_years=round(age[0] / 12, 3) if age else None,
        **read_measures(narrative).vitals().model_dump(),
        gold=gold,
        gold_source="band" if gold else None,
        tags=tuple(tags),
    )


def _find(folder: Path, name: str) -> Path:
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder; give the folder of the MIETIC release.")
    for file in sorted(folder.rglob(name)):
        return file
    raise InputError(f"{folder}: {name} is missing, here and below; the release has {CORPUS} and {VALIDATE}.")


def _check_header(file: Path, names: list[str], wanted: list[str], n: int) -> None:
    lacking = [name for name in wanted if name not in names]
    if lacking or len(names) != n:
        wrong = f"column '{lacking[0]}' is missing" if lacking else f"it has {len(names)} columns"
        raise InputError(f"{file}: {wrong}; MIETIC 1.0.0 has {n} columns there, with {', '.join(wanted)}.")
