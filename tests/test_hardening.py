"""Bad input that once ended in a traceback, in silence or in a leak; each test failed before its fix."""

import gzip
import json
import math
import os
import re
import stat
import subprocess
import sys
import threading
import time
import tomllib
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from esi_triage.atomic_files import quarantine_of, refuse_overwriting, whole, write_text
from esi_triage.data.case_table import BadRow, read_cases, read_rows, write_cases
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.data.credentialed import refuse_remote
from esi_triage.data.hospital.guessed_map import guess_map
from esi_triage.data.hospital.hospital_cases import build_table
from esi_triage.errors import InputError
from esi_triage.esi import read
from esi_triage.evaluate import scoring_log
from esi_triage.evaluate.gate import read_gate
from esi_triage.evaluate.report.evaluation_report import markdown_of
from esi_triage.evaluate.report.tables import Section
from esi_triage.predict import load_model
from esi_triage.predict.predictions_file import predictions_model
from esi_triage.predict.score_file import score_file
from esi_triage.reading import BOUNDS, NARRATIVE, file_text, first_line, given_narrative, read_toml
from esi_triage.reward import audit, load_design
from esi_triage.train.experiment import load_experiment

MAP = 'source = "t"\nlicence = "{}"\n[columns]\nstay_id = "id"\nchief_complaint = "cc"\nheart_rate = "hr"\ngold = "g"\n'
HEAD = "id,cc,hr,g\n"
GOOD = {"case_id": "g", "narrative": "chest pain", "licence": "open"}


def built(folder: Path, name: str, data: bytes, licence: str = "open") -> tuple[list[dict], list[dict]]:
    """The rows of a table and of its quarantine."""
    (folder / name).write_bytes(data)
    (folder / "m.toml").write_text(MAP.format(licence))
    output = folder / "out.jsonl"
    build_table(folder / name, folder / "m.toml", output)
    bad = quarantine_of(output)
    files = (output, bad) if bad.exists() else (output,)
    rows = [[json.loads(line) for line in file.read_text().splitlines()] for file in files]
    return rows[0], rows[1] if len(rows) > 1 else []


@pytest.mark.parametrize(
    ("asked", "other"),
    [("v[1].csv", "v1.csv"), ("v?.csv", "va.csv"), ("v*.csv", "vab.csv"), ("g=2/v.csv", "g=2/w.csv")],
)
def test_the_file_that_is_named_is_the_one_that_is_read(tmp_path: Path, asked: str, other: str) -> None:
    (tmp_path / asked).parent.mkdir(exist_ok=True)
    (tmp_path / other).write_text(f"{HEAD}9,other,80,3\n")
    cases, _ = built(tmp_path, asked, f"{HEAD}1,asked,80,3\n".encode())
    assert [case["chief_complaint"] for case in cases] == ["asked"]


def test_no_value_of_a_credentialed_row_stands_in_a_reason(tmp_path: Path) -> None:
    _, bad = built(tmp_path, "v.csv", f"{HEAD}1,pain,80,secret words\n2,pain,80,3\n".encode(), "credentialed")
    assert [row["row"] for row in bad] == [1]
    assert "secret" not in bad[0]["reason"]
    file = tmp_path / "c.jsonl"
    file.write_text(json.dumps({"case_id": ["secret words"], "narrative": "x"}))
    assert "secret" not in repr(read_cases(file)[1])


@pytest.mark.parametrize("name", ["out.jsonl", "out.parquet"])
@pytest.mark.parametrize(
    "line",
    [
        rb'{"case_id": "s", "narrative": "x", "licence": "open", "source": "x", "group": "\udfff"}',
        *(rb'{"case_id": "\udfff", "narrative": "x"}', rb'{"case_id": "s", "narrative": "\ud800", "licence": "open"}'),
        *(
            b"[" * 100_000,
            b'{"case_id": "s", "narrative": "caf\xe9"}',
            b"9" * 5000,
            json.dumps(GOOD).encode("utf-16")[:-1],
        ),
        b'{"case_id": "s", "narrative": "x", "heart_rate": ' + b"9" * 350 + b"}",
    ],
)
def test_one_bad_line_does_not_lose_the_file(tmp_path: Path, line: bytes, name: str) -> None:
    file = tmp_path / "in.jsonl"
    file.write_bytes(line.replace(b"\n", b" ") + b"\n" + json.dumps(GOOD).encode())
    found = score_file(load_model("constant:3"), file, tmp_path / name)
    assert (found.rows, len(found.bad)) == (2, 1)
    assert [row["level"] for row in read_rows(tmp_path / name) if isinstance(row, dict)] == [None, 3]


def test_a_parquet_column_that_nobody_reads_does_no_harm(tmp_path: Path) -> None:
    when = pa.array([2**62, 0], pa.timestamp("us"))
    pq.write_table(pa.table({"case_id": ["a", "b"], "narrative": ["x", "y"], "when": when}), tmp_path / "c.parquet")
    assert [case.case_id for case in read_cases(tmp_path / "c.parquet")[0]] == ["a", "b"]
    (bad, good) = read_rows(tmp_path / "c.parquet")  # where it is read, its own row is named
    assert isinstance(bad, BadRow)
    assert "when" in bad.reason
    assert isinstance(good, dict)


def test_a_damaged_page_loses_its_part_alone(tmp_path: Path) -> None:
    file = tmp_path / "c.parquet"
    texts = [f"chest pain {number}" for number in range(300)]
    columns = pa.table({"case_id": list(map(str, range(300))), "narrative": texts})
    pq.write_table(columns, file, row_group_size=100, write_page_checksum=True)
    place = pq.ParquetFile(file).metadata.row_group(1).column(1).data_page_offset + 60
    data = bytearray(file.read_bytes())
    data[place : place + 40] = bytes(40)
    file.write_bytes(data)
    cases, bad = read_cases(file)
    assert [int(case.case_id) for case in cases] == [*range(100), *range(200, 300)]
    assert [row.row for row in bad] == list(range(101, 201))


def test_text_of_another_encoding_is_refused_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "f.json").write_bytes(b"{}\ncaf\xe9")
    with pytest.raises(InputError, match="byte 0xe9 at line 2, byte 4"):
        file_text(tmp_path / "f.json")
    with pytest.raises(InputError, match="the narrative: byte 0xe9"):
        given_narrative("caf\udce9 chest pain")


@pytest.mark.parametrize(
    ("verb", "data", "code"),
    [
        ("triage", b"caf\xe9 chest pain", 2),
        ("explain", b"caf\xe9 chest pain", 2),
        ("triage", "café, chest pain".encode(), 0),
    ],
)
def test_text_verbs_in_an_ascii_locale(verb: str, data: bytes, code: int) -> None:
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-m", "esi_triage.cli.main", verb, "-"]
    found = subprocess.run(command, input=data, env=os.environ | ascii_only, capture_output=True)
    assert found.returncode == code, found.stderr
    assert b"Traceback" not in found.stderr


def test_a_damaged_gzip_is_an_error_in_words(tmp_path: Path) -> None:
    rows = "".join(f"{i},pain {i * 7919 % 1000},{60 + i % 50},3\n" for i in range(300))
    packed = gzip.compress((HEAD + rows).encode(), mtime=0)
    rng, refused = Random(0), 0
    for _ in range(12):
        data = bytearray(packed)
        data[rng.randrange(20, len(data))] ^= 1 << rng.randrange(8)
        try:
            assert len(built(tmp_path, "v.csv.gz", bytes(data))[0]) == 300
        except InputError:
            refused += 1
    assert refused


def test_two_runs_at_one_output_take_turns(tmp_path: Path) -> None:
    file, written = tmp_path / "x.txt", threading.Event()

    def slow() -> None:
        with whole(file) as temporary:
            written.set()
            time.sleep(0.2)
            temporary.write_text("first")

    first = threading.Thread(target=slow)
    first.start()
    written.wait()
    write_text(file, "second")  # it neither fails nor takes the other's unfinished file away
    first.join()
    assert file.read_text() == "second"
    assert [file.name for file in tmp_path.iterdir()] == ["x.txt"]


def test_what_a_killed_run_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / ".x.txt.part").write_text("half")
    write_text(tmp_path / "x.txt", "whole")
    assert [file.name for file in tmp_path.iterdir()] == ["x.txt"]


@pytest.mark.parametrize(
    "text", ["(" * NARRATIVE, "a, " * 6600, "no " * 6600, "bp " * 6600, "1 " * 9000, " " * 19_999 + "x"]
)
def test_reading_is_not_quadratic_and_long_text_is_refused(text: str) -> None:
    read("chest pain")  # builds the vocabulary
    began = time.process_time()
    read(text)
    assert time.process_time() - began < 5
    with pytest.raises(InputError, match="1,000,000 characters"):
        given_narrative("(" * 1_000_000)


def test_a_bad_row_after_a_blank_line_is_counted_once(tmp_path: Path) -> None:
    cases, bad = built(tmp_path, "v.csv", f"{HEAD}1,pain,80,3\n2,pain,88,3\n\n3".encode())
    assert ([case["stay_id"] for case in cases], len(bad)) == (["1", "2"], 1)


@pytest.mark.parametrize("cell", ["37 °C", "1_0", "nan", "٣", "Infinity", "900", "-20"])
def test_a_cell_that_is_no_heart_rate_is_null(tmp_path: Path, cell: str) -> None:
    ((case, other), bad) = built(tmp_path, "v.csv", f"{HEAD}1,pain,{cell},3\n2,pain,88 bpm,3\n".encode())
    assert not bad
    assert (case["heart_rate"], other["heart_rate"]) == (None, 88)


@pytest.mark.parametrize(
    ("values", "fine"),
    [
        ({"probabilities": [0.2, 0.2, 0.2, 0.2, 0.205]}, True),
        ({"probabilities": [1e308] * 5}, False),
        ({"probabilities": "[" * 100_000}, False),
        ({"probabilities": [True, 0, 0, 0, 0]}, False),
        ({"probabilities": [0.2, 0.2, 0.2, 0.2, math.nan]}, False),
        ({"level": "9" * 400}, False),
        ({"level": int("9" * 390)}, False),
        ({"level": "٣"}, False),
        ({"level": True}, False),
        ({"answer": "ESI 2 \ud800"}, False),
    ],
)
def test_predictions_are_numbers_or_named(tmp_path: Path, values: dict, fine: bool) -> None:
    write_cases(open_cases(1), tmp_path / "c.parquet")
    (case,), _ = read_cases(tmp_path / "c.parquet")
    (tmp_path / "p.jsonl").write_text(json.dumps({"case_id": case.case_id, "level": 2} | values))
    if not fine:
        with pytest.raises(InputError, match="row 1"):
            predictions_model(tmp_path / "p.jsonl", tmp_path / "c.parquet")
        return
    (((_, reply),),) = predictions_model(tmp_path / "p.jsonl", tmp_path / "c.parquet").stream([case])
    assert sum(reply.probabilities or ()) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_a_blank_patient_is_nobody_rather_than_one_patient(tmp_path: Path, blank: str) -> None:
    rows = [GOOD | {"case_id": name, "subject_id": blank, "stay_id": blank} for name in "ab"]
    (tmp_path / "c.jsonl").write_text("\n".join(map(json.dumps, rows)))
    cases, _ = read_cases(tmp_path / "c.jsonl")
    assert [(case.subject_id, case.stay_id) for case in cases] == [(None, None)] * 2


def test_a_column_called_source_row(tmp_path: Path) -> None:
    write_cases(open_cases(1), tmp_path / "c.parquet")
    (case,), _ = read_cases(tmp_path / "c.parquet")
    (tmp_path / "p.csv").write_text(f"source_row,case_id,level\n1,{case.case_id},2\n")
    (((_, reply),),) = predictions_model(tmp_path / "p.csv", tmp_path / "c.parquet").stream([case])
    assert reply.level == 2


def test_an_input_is_not_overwritten(tmp_path: Path) -> None:
    file, link = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    file.write_text(json.dumps(GOOD))
    link.hardlink_to(file)
    for output in (file, link, tmp_path / "x" / ".." / "a.jsonl"):
        (tmp_path / "x").mkdir(exist_ok=True)
        with pytest.raises(InputError, match="is an input"):
            score_file(load_model("constant:3"), file, output)
    with pytest.raises(InputError, match="is an input"):
        refuse_overwriting([quarantine_of(file)], _touched(quarantine_of(file)))
    assert json.loads(file.read_text()) == GOOD


def _touched(file: Path) -> Path:
    file.touch()
    return file


def test_an_output_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    for output in (tmp_path / "folder", tmp_path / ("x" * 300), tmp_path / "file" / "below", Path("/dev/full/x")):
        with pytest.raises(InputError, match="cannot be written"):
            write_text(output, "x")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_an_error_in_words() -> None:
    with Path("/dev/full").open("w") as full:
        found = subprocess.run(
            [sys.executable, "-m", "esi_triage.cli.main", "reward", "show", "v46"], stdout=full, stderr=subprocess.PIPE
        )
    assert found.returncode == 2
    assert found.stderr.startswith(b"error: ")
    assert b"Traceback" not in found.stderr


def test_a_scoring_that_was_killed_and_goes_on_counts_once(tmp_path: Path) -> None:
    exact = {"value": 0.5, "low": 0.1, "high": 0.9}
    cases = tmp_path / "c.parquet"
    for run, model in (("r", "m"), ("r", "m"), ("r", "other"), ("later", "m")):
        entry = scoring_log.entry_of("s", model, model, {"n": 2, "exact": exact}, run)
        scoring_log.append(cases, entry)
        assert scoring_log.use_of(cases, "s", entry) == scoring_log.use_of(cases, "s")
    assert scoring_log.use_of(cases, "s")["scorings"] == 3


DESIGN = 'name = "x"\nno_parse = {}\ntable = {}\n'


def test_designs_are_bounded(tmp_path: Path) -> None:
    file = tmp_path / "d.toml"
    for bad in ("1e308", "nan", "inf"):
        file.write_text(DESIGN.format(bad, "[[1, 0], [0, 1]]"))
        with pytest.raises(InputError, match="no_parse"):
            load_design(str(file))
    table = [[float(row == column) for column in range(30)] for row in range(30)]
    file.write_text(DESIGN.format("-0.5", table))
    import numpy as np

    with pytest.raises(InputError, match="30 levels"):
        audit(load_design(str(file)), np.full(30, 1 / 30))


@pytest.mark.parametrize(
    "line", ["adam_beta1 = nan", "top_p = inf", "epsilon = nan", "temperature = inf", "beta = nan"]
)
def test_experiments_hold_finite_numbers(tmp_path: Path, line: str) -> None:
    shipped = Path(sys.modules["esi_triage"].__file__ or "").parent / "experiments" / "v46.toml"
    name = line.split(" ")[0]
    text, changed = re.subn(rf"(?m)^{name} = [^\n#]+", line, shipped.read_text(), count=1)
    assert changed
    (tmp_path / "e.toml").write_text(text)
    with pytest.raises(InputError, match=name):
        load_experiment(str(tmp_path / "e.toml"))


@pytest.mark.parametrize("agreement", [".", "\u200b", " \u200b. ", "-- --", "ok"])
def test_a_sign_is_no_agreement(agreement: str) -> None:
    with pytest.raises(InputError, match="agreement"):
        refuse_remote(["credentialed"], "https://api.example.org/v1", agreement)


def test_toml_that_is_too_deep_or_means_nothing(tmp_path: Path) -> None:
    file = tmp_path / "g.toml"
    for text in ("a = " + "[" * 5000 + "]" * 5000, "a = " + "9" * 5000, "a" + ".a" * 5000 + " = 1"):
        file.write_text(text)
        with pytest.raises(InputError):
            read_gate(file)
    for limit in ("nan", "inf"):
        file.write_text(f'[at_least]\n"exact.low" = {limit}')
        with pytest.raises(InputError, match="finite"):
            read_gate(file)
    with pytest.raises(InputError, match="longer than"):
        read_toml(_filled(file, "#" * 1_000_001))


def _filled(file: Path, text: str) -> Path:
    file.write_text(text)
    return file


@pytest.mark.parametrize(("name", "column"), [("v.csv", "odd\x7fname"), ("two\nlines.csv", "x"), ("v.csv", "a\x01b")])
def test_a_guessed_map_is_toml(tmp_path: Path, name: str, column: str) -> None:
    file = tmp_path / name
    file.write_text(f"id,chief complaint,heart rate,{column}\n1,chest pain,80,2\n")
    assert tomllib.loads(guess_map(file))["columns"]["chief_complaint"] == "chief complaint"


def test_a_first_line_has_a_bound(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="first line"):
        first_line(_filled(tmp_path / "v.csv", "x," * 600_000))


def test_report_md_holds_no_html() -> None:
    text = markdown_of([Section("<b>t</b>", "<script>alert(1)</script>")])
    assert "<" not in text.replace("&lt;", "")


def test_files_of_credentialed_rows_are_for_their_owner_alone(tmp_path: Path) -> None:
    for licence, mode in (("credentialed", 0o600), ("open", 0o644)):
        file, output = tmp_path / f"{licence}.jsonl", tmp_path / f"{licence}-out.jsonl"
        file.write_text(json.dumps(GOOD | {"licence": licence}) + "\n{}")
        old = os.umask(0o022)
        score_file(load_model("constant:3"), file, output)
        os.umask(old)
        assert stat.S_IMODE(output.stat().st_mode) == mode
        assert stat.S_IMODE(quarantine_of(output).stat().st_mode) == 0o600


def test_the_page_of_bounds_says_what_holds() -> None:
    page = (Path(__file__).parents[1] / "docs" / "size-bounds.md").read_text()
    assert all(f"| {what} | {most:,} |" in page for what, most in BOUNDS.items())
