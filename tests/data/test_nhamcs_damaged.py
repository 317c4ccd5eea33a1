"""Damaged releases: no row is lost, none changes silently, and what is wrong is named. 2,000 damaged rows and files.

ESI_DAMAGED_FILES=500 damages more files (a fifth of a second each).
"""

import gzip
import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nhamcs_files import extract, fixed_width, stata

from esi_triage.data.case_table import read_cases
from esi_triage.data.nhamcs.nhamcs_build import build_nhamcs
from esi_triage.data.outcomes import outcomes_path, read_outcomes
from esi_triage.errors import InputError
from esi_triage.esi import Case

FILES = int(os.environ.get("ESI_DAMAGED_FILES", "80"))
ROWS = 480  # in each of four releases
WORDS = ("abc", "1O", "--", "½", "\x00", "9\x007", "#REF!", "1e999", "nan", "=A1", "🚑", "' OR 1=1", "-inf")
NUMBERS = ("TEMPF", "PULSE", "RESPR", "BPSYS", "BPDIAS", "POPCT", "PAINSCALE", "AGE", "PATWT", "SEX", "ARREMS", "RFV1")
OUTSIDE = {
    "TEMPF": 9_999,
    "PULSE": 901,
    "RESPR": -3,
    "BPSYS": 5_000,
    "BPDIAS": 998,
    "POPCT": 0.98,
    "AGE": 400,
    "SEX": 7,
}

Row = dict[str, str]


def with_word(row: Row, rng: random.Random) -> str:
    return joined({**row, rng.choice(NUMBERS): rng.choice(WORDS)})


def outside(row: Row, rng: random.Random) -> str:
    name = rng.choice(list(OUTSIDE))
    return joined({**row, name: str(OUTSIDE[name])})


def wrong_key(row: Row, rng: random.Random) -> str:
    return joined({**row, rng.choice(("HOSPCODE", "PATCODE")): rng.choice(("", "x", "-9", "1.5", "1e12", "nan"))})


def key_again(row: Row, rng: random.Random) -> str:
    return joined({**row, "PATCODE": "0"})  # the first row of a release is the visit 0


def wrong_level(row: Row, rng: random.Random) -> str:
    return joined({**row, "IMMEDR": rng.choice(("6", "33", "3.5", "three", "-1", "1e999", "2-3"))})


def other_year(row: Row, rng: random.Random) -> str:
    return joined({**row, "YEAR": rng.choice(("20x6", "0", "-2016", "2016.5"))})


def too_few(row: Row, rng: random.Random) -> str:
    cells = joined(row).split(",")
    return ",".join(cells[: rng.randrange(1, len(cells))])


def too_many(row: Row, rng: random.Random) -> str:
    return joined(row) + ",1" * rng.randrange(1, 9)


def joined(row: Row) -> str:
    return ",".join(row.values())


DAMAGES: tuple[Callable[[Row, random.Random], str], ...] = (
    *(with_word, outside, wrong_key, key_again, wrong_level, other_year, too_few, too_many),
)


@pytest.mark.parametrize("seed", range(4))
def test_of_damaged_rows_none_is_lost_and_none_is_silent(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    file = extract(tmp_path, *({"PATCODE": str(n)} for n in range(2 * ROWS))) / "triage-2016.csv.gz"
    header, *lines = gzip.decompress(file.read_bytes()).decode().splitlines()
    damaged = set(rng.sample(range(1, 2 * ROWS), ROWS))
    for place in damaged:
        row = dict(zip(header.split(","), lines[place].split(","), strict=True))
        lines[place] = rng.choice(DAMAGES)(row, rng)
    file.write_bytes(gzip.compress("\n".join([header, *lines, ""]).encode()))
    output = tmp_path / "out" / "visits.parquet"
    sheet = build_nhamcs(tmp_path, output)
    cases, bad = read_cases(output)
    quarantine = quarantined(output)
    assert not bad
    assert sheet["rows_in"] == len(lines) == len(cases) + len(quarantine)
    assert all(row["reason"].startswith("triage-2016.csv.gz: ") for row in quarantine)
    by_place = {int(case.case_id.rsplit("-", 1)[1]): case for case in cases}
    apart = {row["row"] - 1 for row in quarantine}
    silent = [place for place in damaged if place not in apart and not by_place[place].quality]
    assert not silent, [lines[place] for place in silent]
    whole = set(range(2 * ROWS)) - damaged
    assert {place for place in whole if place in by_place and not by_place[place].quality} == whole


def quarantined(output: Path) -> list[dict[str, Any]]:
    file = output.with_name(f"{output.name}.quarantine.jsonl")
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()] if file.exists() else []


# ---- whole files


def cut_off(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content))]


def bits_flipped(content: bytes, rng: random.Random) -> bytes:
    spoilt = bytearray(content)
    for _ in range(rng.randint(1, 20)):
        spoilt[rng.randrange(len(spoilt))] ^= 1 << rng.randrange(8)
    return bytes(spoilt)


def zeros(content: bytes, rng: random.Random) -> bytes:
    first = rng.randrange(len(content))
    return content[:first] + b"\0" * 200 + content[first + 200 :]


def a_page(content: bytes, rng: random.Random) -> bytes:
    return b"<!DOCTYPE html><html><body>We have moved, 404</body></html>"


def doubled(content: bytes, rng: random.Random) -> bytes:
    return content + content[: rng.randrange(1, len(content))]


def columns_gone(content: bytes, rng: random.Random) -> bytes:
    return in_header(
        content, lambda names: [n for n in names if n not in rng.sample(["HOSPCODE", "IMMEDR", "RFV1"], 2)]
    )


def column_twice(content: bytes, rng: random.Random) -> bytes:
    return in_header(content, lambda names: [rng.choice(names), *names[1:-1], rng.choice(names)])


def other_sign(content: bytes, rng: random.Random) -> bytes:
    return gzip.compress(gzip.decompress(content).replace(b",", rng.choice((b";", b"\t", b"|"))))


def open_quote(content: bytes, rng: random.Random) -> bytes:
    text = gzip.decompress(content)
    commas = [place for place, sign in enumerate(text) if sign == ord(",") and place > text.index(b"\n")]
    place = rng.choice(commas) + 1
    return gzip.compress(text[:place] + b'"' + text[place:])


def in_header(content: bytes, change: Callable[[list[str]], list[str]]) -> bytes:
    header, rest = gzip.decompress(content).decode().split("\n", 1)
    return gzip.compress(f"{','.join(change(header.strip().split(',')))}\n{rest}".encode())


ANY_FORM = (cut_off, bits_flipped, zeros, a_page, doubled)
ONLY_CSV = (columns_gone, column_twice, other_sign, open_quote)
FORMS = {
    "triage-2016.csv.gz": (extract, ANY_FORM + ONLY_CSV),
    "outcomes-2016.csv.gz": (extract, ANY_FORM),
    "ed2016-stata.zip": (stata, ANY_FORM),
    "ED2016.zip": (fixed_width, ANY_FORM),
}
VISITS = [{"IMMEDR": str(1 + n % 5), "PULSE": str(60 + n), "ADMITHOS": str(n % 2)} for n in range(30)]


Results = tuple[list[Case], dict[str, dict[str, object]]]


def results(folder: Path, output: Path) -> Results:
    sheet = build_nhamcs(folder, output)
    cases, bad = read_cases(output)
    assert not bad
    assert sheet["rows_in"] == len(cases) + len(quarantined(output))
    return cases, read_outcomes(outcomes_path(output)) if outcomes_path(output).exists() else {}


def results_or_error(folder: Path, output: Path) -> tuple[Results | None, str]:
    try:
        return results(folder, output), ""
    except InputError as error:
        return None, str(error)


@pytest.mark.parametrize("name", FORMS)
def test_a_damaged_file_is_named_or_gives_what_the_whole_one_gives(tmp_path: Path, name: str) -> None:
    write, damages = FORMS[name]
    whole = write(tmp_path / "whole", *VISITS)
    cases, outcomes = results(whole, tmp_path / "whole.parquet")
    assert len(cases) == len(VISITS)
    named = 0
    for seed in range(FILES // len(FORMS)):
        rng = random.Random(f"{name}:{seed}")
        damage = damages[seed % len(damages)]
        folder = tmp_path / str(seed)
        shutil.copytree(whole, folder)
        (folder / name).write_bytes(damage((folder / name).read_bytes(), rng))
        output = tmp_path / f"{seed}.parquet"
        found, said = results_or_error(folder, output)
        if found is None:
            named += 1
            assert name in said or "no visits were found" in said, (damage.__name__, seed, said)
            assert not output.exists()
            continue
        same = found == (cases, outcomes)
        apart = quarantined(output) or quarantined(outcomes_path(output))
        assert same or apart, f"{damage.__name__} {seed}: the table changed and nothing was said"
    assert named > FILES // len(FORMS) // 2
