"""A short run of the fuzz suite (`make fuzz` is the long one), and properties of the readers below everything."""

import json
from pathlib import Path

import pytest
from faulty_server import FAULTS, faulty_server
from fuzz_targets import TARGETS, endpoint
from hypothesis import given, settings
from hypothesis import strategies as st
from runner import esi, tried

from esi_triage.answer import parse
from esi_triage.errors import InputError
from esi_triage.esi import read
from esi_triage.reading import DEPTH, decoded, numeral, strict_json

SHORT = {"text verbs": 25, "hospital tables": 10, "outcomes (parquet)": 20}  # all others: 40


@pytest.mark.parametrize("name", TARGETS)
def test_no_traceback_nothing_silent(name: str, tmp_path: Path) -> None:
    for number in range(SHORT.get(name, 40)):
        folder = tmp_path / str(number)
        folder.mkdir()
        outcome = tried(TARGETS[name][0], f"{name}:short:{number}", folder)
        assert outcome.kind in ("fine", "refused"), outcome.told


def test_an_endpoint_that_misbehaves_is_an_error_in_words(tmp_path: Path) -> None:
    assert len(FAULTS) >= 30
    with faulty_server() as url:
        for fault in FAULTS:
            outcome = tried(endpoint(url, fault), fault, tmp_path)
            assert outcome.kind in ("fine", "refused"), outcome.told


@pytest.mark.parametrize(
    "command",
    [
        "calibrate -m constant:3 --cases x.jsonl -o x.jsonl",
        "data check a.jsonl x.jsonl -o x.jsonl",
        "data check x.jsonl a.jsonl -o x.jsonl",
        "data build open --n 1 --exclude x.jsonl -o x.jsonl",
        "reward recommend --data x.jsonl --output x.jsonl",
        "reward recommend --prior uniform --costs x.jsonl --output x.jsonl",
        "reward audit v46 --confusion x.jsonl --format json --output x.jsonl",
        "reward repair x.jsonl --output x.jsonl",
        "score -m constant:3 -i x.jsonl -o x.jsonl",
        "score -m constant:3 -i x.jsonl -o x.jsonl --parts 2",
        "data targets x.jsonl -o x.jsonl",
    ],
)
def test_no_verb_overwrites_its_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.jsonl", "x.jsonl"):
        (tmp_path / name).write_text('{"case_id": "a", "narrative": "chest pain", "gold": 2}\n')
    before = (tmp_path / "x.jsonl").read_bytes()
    found = esi(*command.split())
    assert (tmp_path / "x.jsonl").read_bytes() == before
    assert (found.code, "is an input of the same command" in found.err) == (2, True), found.err


QUICK = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@QUICK
@given(st.text(max_size=300))
def test_any_text_is_read_and_parsed(text: str) -> None:
    assert all(span.end <= len(text) for span in read(text).measured.values())
    assert parse(text).level in (None, 1, 2, 3, 4, 5)


@QUICK
@given(st.binary(max_size=60))
def test_bytes_are_text_or_refused_with_their_place(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        with pytest.raises(InputError, match=f"x: byte 0x{data[error.start]:02x} at line"):
            decoded(data, "x")
    else:
        assert decoded(data, "x").encode() == data.removeprefix(b"\xef\xbb\xbf")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@QUICK
@given(JSON)
def test_strict_json_reads_what_json_writes(value: object) -> None:
    assert strict_json(json.dumps(value)) == value


@pytest.mark.parametrize(
    "text", ["[" * (DEPTH + 1) + "]" * (DEPTH + 1), "[" * 200_000, '{"a": 1, "a": 2}', "[NaN]", "9" * 1500]
)
def test_strict_json_refuses(text: str) -> None:
    with pytest.raises(ValueError, match=r"deep|twice|NaN|digits"):
        strict_json(text)


@pytest.mark.parametrize("text", ["1_0", "nan", "inf", "٣", "0x10", "1e999", "", "37 °C"])
def test_what_is_no_plain_numeral(text: str) -> None:
    assert numeral(text) is None


@QUICK
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numerals_are_the_numbers_that_python_writes(number: float) -> None:
    assert numeral(repr(number)) == number
