"""Pipes, models whose files are damaged, notes longer than any honest one."""

import os
import re
import shutil
import threading
from pathlib import Path

import pytest

from esi_triage.data.case_table import write_cases
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.data.hospital.sheet import header
from esi_triage.data.ktas.ktas_cases import build_ktas
from esi_triage.errors import InputError
from esi_triage.esi import Case
from esi_triage.predict import ask, load_model
from esi_triage.predict.baselines.fitted import fit_baselines
from esi_triage.predict.calibration import read_calibration
from esi_triage.predict.encoder import Encoder
from esi_triage.predict.model_files import shipped_folder
from esi_triage.reading import COLUMNS, file_text, first_line, read_toml
from esi_triage.train.plan.shape import config_of
from esi_triage.train.reader.minilm import minilm_missing


def test_a_pipe_that_nobody_writes_is_no_wait(tmp_path: Path) -> None:
    for name, reader in (
        ("f.toml", read_toml),
        ("f.json", file_text),
        ("f.csv", header),
        ("f.csv.gz", header),
        ("f.parquet", header),
        ("f.csv", first_line),
        ("k.csv", lambda file: build_ktas(file, tmp_path / "out.jsonl")),
    ):
        file = tmp_path / name
        if not file.exists():
            os.mkfifo(file)
        with pytest.raises(InputError, match=r"pipe"):
            reader(file)


def test_a_pipe_that_somebody_writes_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "f.toml")
    writer = threading.Thread(target=(tmp_path / "f.toml").write_text, args=("a = 1",))
    holder = os.open(tmp_path / "f.toml", os.O_RDWR)  # so that neither side waits for the other
    writer.start()
    writer.join()
    descriptor = os.open(tmp_path / "f.toml", os.O_RDONLY)
    os.close(holder)
    assert read_toml(Path(f"/dev/fd/{descriptor}")) == {"a": 1}
    os.close(descriptor)


@pytest.mark.parametrize("part", ["baselines.json", "tfidf.json", "tfidf.npz"])
@pytest.mark.parametrize("damage", [b"", b"{}", b"[1]", b'{"levels": [9], "shares": 3}', None])
def test_a_damaged_baseline_is_an_error_in_words(fitted: Path, tmp_path: Path, part: str, damage: bytes | None) -> None:
    folder = tmp_path / "fitted"
    shutil.copytree(fitted, folder)
    data = (folder / part).read_bytes()
    (folder / part).write_bytes(data[: len(data) // 2] if damage is None else damage)
    with pytest.raises(InputError, match=re.escape(part)):
        load_model(f"baseline:{folder}/tfidf")


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fitted")
    write_cases(open_cases(120), folder / "c.parquet")
    fit_baselines(folder / "c.parquet", folder / "fitted")
    assert load_model(f"baseline:{folder}/fitted/tfidf").name == "tfidf"
    return folder / "fitted"


needs_reader = pytest.mark.skipif(minilm_missing() is not None, reason="the weights of the reader's base are not here")


@needs_reader
@pytest.mark.parametrize(
    "part", ["reader.json", "adapter_config.json", "adapter_model.safetensors", "head.safetensors"]
)
@pytest.mark.parametrize("damage", [b"", b"{}", b"[1]", None])
def test_a_damaged_reader_is_an_error_in_words(tmp_path: Path, part: str, damage: bytes | None) -> None:
    folder = tmp_path / "reader"
    shutil.copytree(shipped_folder() / "reader", folder)
    data = (folder / part).read_bytes()
    (folder / part).write_bytes(data[: len(data) // 2] if damage is None else damage)
    with pytest.raises(InputError, match="reader"):
        load_model(f"reader:{folder}")


@needs_reader
def test_a_note_of_signs_is_read_in_part_and_says_so() -> None:
    model = load_model("reader")
    case = {"case_id": "1", "source": "s", "licence": "open"}
    (long,) = ask(model, [Case.model_validate({**case, "narrative": "?. " * 6000})])
    assert "parts after them were not read" in long.warnings[0]
    (usual,) = ask(model, [Case.model_validate({**case, "narrative": "chest pain since two days. " * 200})])
    assert "not read" not in usual.warnings[0]


@needs_reader
def test_many_long_notes_are_read_a_few_windows_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[int] = []
    forward = Encoder._forward

    def counted(self: Encoder, windows: list[list[int]]) -> object:
        passes.append(sum(map(len, windows)))
        return forward(self, windows)

    monkeypatch.setattr(Encoder, "_forward", counted)
    cases = [
        Case(case_id=str(i), source="s", licence="open", narrative=f"chest pain {i} days. " * 150) for i in range(12)
    ]
    together = ask(load_model("reader"), cases)
    assert max(passes) <= 32 * 256  # tokens in one pass: what the memory follows
    (alone,) = ask(load_model("reader"), cases[7:8])
    assert alone.probabilities == pytest.approx(together[7].probabilities, abs=1e-5)


def test_a_damaged_calibration_is_an_error_in_words(tmp_path: Path) -> None:
    shipped = (shipped_folder() / "reader" / "calibration.json").read_text()
    infinite = re.sub(r'"temperature": [0-9.]+', '"temperature": 1e999', shipped, count=1)
    for text in (b"", b"[]", b"caf\xe9", b"{}", infinite.encode(), shipped[:200].encode(), b"[" * 100_000):
        (tmp_path / "c.json").write_bytes(text)
        with pytest.raises(InputError, match=r"c\.json"):
            read_calibration(tmp_path / "c.json", "x", "reader")


@pytest.mark.parametrize("base", ["%s", "owner/name", "[x]"])
def test_a_base_that_is_none_is_an_error_in_words(base: str) -> None:
    with pytest.raises(InputError, match="base"):
        config_of(base)


@pytest.mark.parametrize("config", ["", "[]", "{}", '{"model_type": "nothing"}', '{"model_type": 5}'])
def test_a_base_with_a_damaged_config_is_an_error_in_words(tmp_path: Path, config: str) -> None:
    (tmp_path / "config.json").write_text(config)
    with pytest.raises((InputError, OSError)):  # the command line says both in words
        config_of(str(tmp_path))


@pytest.mark.parametrize("config", [None, "[]", '{"model_type": "llama"}', '{"model_type": "nothing"}'])
def test_a_folder_that_holds_no_model_is_an_error_in_words(tmp_path: Path, config: str | None) -> None:
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    with pytest.raises(InputError, match="no model at"):
        load_model(str(tmp_path))


def test_a_table_of_too_many_columns_is_refused(tmp_path: Path) -> None:
    (tmp_path / "v.csv").write_text(",".join(f"c{i}" for i in range(COLUMNS + 1)))
    with pytest.raises(InputError, match="5,001 columns"):
        header(tmp_path / "v.csv")
