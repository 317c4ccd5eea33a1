"""Fetching the releases from a server that works, breaks off, lies, is slow, or is not there."""

import hashlib
import io
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from esi_triage.cli.main import app
from esi_triage.data.nhamcs import nhamcs_download
from esi_triage.data.nhamcs.layouts import written
from esi_triage.data.nhamcs.nhamcs_download import fetch_nhamcs, years_named
from esi_triage.errors import InputError


def a_zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("ed2019_sas.sas7bdat", bytes(range(256)) * 2_000)
    return buffer.getvalue()


RELEASE = a_zip()


class Server(ThreadingHTTPServer):
    """What is served under each name, how many bytes before it hangs up, how long it waits, and what was asked."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files = {"ed2019_sas.zip": RELEASE}
        self.hang_up_after: int | None = None
        self.wait = 0.0
        self.takes_ranges = True
        self.ranges: list[str | None] = []

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/sas/"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server = self.server
        assert isinstance(server, Server)
        time.sleep(server.wait)
        server.ranges.append(self.headers.get("Range"))
        content = server.files.get(self.path.rsplit("/", 1)[-1])
        if content is None:
            self.send_error(404)
            return
        first = int((self.headers.get("Range") or "bytes=0-")[6:-1]) if server.takes_ranges else 0
        if first >= len(content):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(content)}")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        self.wfile.write(content[first : None if server.hang_up_after is None else first + server.hang_up_after])

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The served release is the known one of 2019; of 2012 nothing is known."""
    monkeypatch.setitem(written("releases")["years"], "2019", {"sha256": hashlib.sha256(RELEASE).hexdigest()})


def fetched(server: Server, folder: Path, year: int = 2019) -> Path:
    (found,) = fetch_nhamcs([year], folder, server.base)
    return found.path


def test_a_release_is_fetched_whole_and_verified(server: Server, tmp_path: Path) -> None:
    (found,) = fetch_nhamcs([2019], tmp_path / "new", server.base)
    assert found.path.read_bytes() == RELEASE
    assert (found.was_there, found.verified) == (False, True)
    assert [file.name for file in found.path.parent.iterdir()] == ["ed2019_sas.zip"]


def test_a_download_cut_off_goes_on_where_it_stopped(server: Server, tmp_path: Path) -> None:
    server.hang_up_after = 1_000
    with pytest.raises(InputError, match="again to go on"):
        fetched(server, tmp_path)
    assert not (tmp_path / "ed2019_sas.zip").exists()
    assert (tmp_path / "ed2019_sas.zip.part").read_bytes() == RELEASE[:1_000]
    server.hang_up_after = None
    assert fetched(server, tmp_path).read_bytes() == RELEASE
    assert server.ranges == [None, "bytes=1000-"]
    assert not (tmp_path / "ed2019_sas.zip.part").exists()


def test_a_server_without_ranges_sends_all_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "ed2019_sas.zip.part").write_bytes(RELEASE[:1_000])
    server.takes_ranges = False
    assert fetched(server, tmp_path).read_bytes() == RELEASE


def test_a_part_that_is_complete_is_taken(server: Server, tmp_path: Path) -> None:
    (tmp_path / "ed2019_sas.zip.part").write_bytes(RELEASE)
    assert fetched(server, tmp_path).read_bytes() == RELEASE


def test_a_wrong_hash_leaves_nothing(server: Server, tmp_path: Path) -> None:
    server.files["ed2019_sas.zip"] = RELEASE[:-1] + b"!"
    with pytest.raises(InputError, match="its sha256 is"):
        fetched(server, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_page_in_place_of_a_release_is_no_release(server: Server, tmp_path: Path) -> None:
    server.files["ed2012_sas.zip"] = b"<html>We have moved</html>"
    with pytest.raises(InputError, match="no zip file"):
        fetched(server, tmp_path, 2012)
    assert not list(tmp_path.iterdir())


def test_a_release_without_a_known_hash_says_so(server: Server, tmp_path: Path) -> None:
    server.files["ed2012_sas.zip"] = RELEASE
    (found,) = fetch_nhamcs([2012], tmp_path, server.base)
    assert found.verified is None


def test_a_release_that_is_there_is_verified_and_kept(server: Server, tmp_path: Path) -> None:
    fetched(server, tmp_path)
    (again,) = fetch_nhamcs([2019], tmp_path, server.base)
    assert again.was_there
    assert len(server.ranges) == 1
    again.path.write_bytes(b"PK spoilt")
    with pytest.raises(InputError, match="Remove it and fetch it again"):
        fetched(server, tmp_path)


def test_a_release_that_is_not_there_names_the_page(server: Server, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"404.*by hand from https://www\.cdc\.gov/"):
        fetched(server, tmp_path, 2018)


def test_a_server_that_is_too_slow(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nhamcs_download, "TIMEOUT", httpx.Timeout(0.2))
    server.wait = 2.0
    with pytest.raises(InputError, match=r"(?i)timed out.*by hand"):
        fetched(server, tmp_path)


def test_nobody_at_the_address(server: Server, tmp_path: Path) -> None:
    server.server_close()
    with pytest.raises(InputError, match=r"cannot be fetched.*by hand"):
        fetched(server, tmp_path)


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("2016-2018", [2016, 2017, 2018]),
        ("2019", [2019]),
        ("2020,2016-2017", [2016, 2017, 2020]),
        ("2016,2016", [2016]),
    ],
)
def test_years(text: str, years: list[int]) -> None:
    assert years_named(text) == years


@pytest.mark.parametrize("text", ["", "twelve", "2018-2016", "16", "2007", "2016-2030", "2016;2017"])
def test_years_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match="--years"):
        years_named(text)


def test_the_command_prints_the_terms_and_what_comes_next(server: Server, tmp_path: Path) -> None:
    told = CliRunner().invoke(
        app, ["data", "fetch", "nhamcs", "--years", "2019", "--output", str(tmp_path), "--base", server.base]
    )
    assert told.exit_code == 0, told.output
    assert "308(d)" in told.output
    assert "no attempt to learn the identity" in told.output
    assert "sha256 verified" in told.output
    assert "esi data build nhamcs" in told.output
