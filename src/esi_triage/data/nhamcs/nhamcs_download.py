"""`esi data fetch nhamcs`: the official releases from the agency's public server, resumed and verified."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from ...errors import InputError
from ...progress import bar
from .layouts import layout_of, written

TIMEOUT = httpx.Timeout(30.0)


class Fetched(NamedTuple):
    """A release on disk: whether it was there already, and whether its sha256 is a known one (null: none is known)."""

    path: Path
    was_there: bool
    verified: bool | None


def years_named(text: str) -> list[int]:
    """`2016-2022`, `2019` or `2016,2018-2020` as years. Raises InputError for anything else, and for unusable years."""
    years: list[int] = []
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d{4})(?:\s*-\s*(\d{4}))?\s*", part)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if first > last:
            raise InputError(f"--years {text!r}: give years such as 2016-2022, 2019 or 2016,2018-2020.")
        years += range(first, last + 1)
    known = {int(year) for year in written("releases")["years"]}
    for year in years:
        layout_of(year, f"--years {text}")
        if year not in known:
            raise InputError(f"--years {text!r}: there is no address for {year}; known are {min(known)}-{max(known)}.")
    return sorted(set(years))


def fetch_nhamcs(years: Iterable[int], folder: Path, base: str | None = None) -> Iterator[Fetched]:
    """Download the SAS release of each year into `folder`, one after the other.

    `base` replaces the address of releases.toml. A download that was cut off goes on where it stopped (`NAME.part`). A
    file takes its name only when it is complete and, where the sha256 is known, right. Raises InputError, in one
    sentence with the page to fetch it from by hand, where the server cannot be reached, does not have it or sends
    something else.
    """
    releases = written("releases")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder}: the folder cannot be made ({error.strerror}). Choose another.") from None
    with httpx.Client(timeout=TIMEOUT, follow_redirects=True) as client:
        for year in years:
            name = releases["file"].format(year=year)
            address = (base or releases["base"]).rstrip("/") + "/" + name
            yield _fetch(client, address, folder / name, releases["years"][str(year)].get("sha256"))


def _fetch(client: httpx.Client, address: str, path: Path, sha256: str | None) -> Fetched:
    if path.is_file():
        _verify(path, sha256, path)
        return Fetched(path, True, None if sha256 is None else True)
    part = path.with_name(f"{path.name}.part")
    try:
        _download(client, address, part)
    except httpx.HTTPError as error:
        raise InputError(
            f"{address}: cannot be fetched ({error or type(error).__name__}). Run the same command again to go on, or "
            f"fetch {path.name} by hand from {written('releases')['page']} into {path.parent}."
        ) from None
    _verify(part, sha256, path)
    part.replace(path)
    return Fetched(path, False, None if sha256 is None else True)


def _download(client: httpx.Client, address: str, part: Path) -> None:
    """Fills `part` from where it stops to the end of what the server has."""
    done = part.stat().st_size if part.is_file() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
    with client.stream("GET", address, headers=headers) as reply:
        complete = reply.headers.get("Content-Range") == f"bytes */{done}"
        if not (done and complete and reply.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE):
            reply.raise_for_status()
            _write(reply, part, done if reply.status_code == httpx.codes.PARTIAL_CONTENT else 0)


def _write(reply: httpx.Response, part: Path, done: int) -> None:
    length = int(reply.headers.get("Content-Length") or 0)
    with part.open("ab" if done else "wb") as file, bar(part.stem, done + length, "B", done=done) as shown:
        for block in reply.iter_raw():
            file.write(block)
            shown.update(len(block))


def _verify(file: Path, sha256: str | None, path: Path) -> None:
    """Raises InputError for a file with another sha256, or that is no zip; a wrong download is removed."""
    with file.open("rb") as stream:
        found: Any = hashlib.file_digest(stream, "sha256").hexdigest()
        stream.seek(0)
        is_zip = stream.read(2) == b"PK"
    if found == sha256 or (sha256 is None and is_zip):
        return
    what = f"its sha256 is {found}, that of the known release is {sha256}" if sha256 else "it is no zip file"
    if file != path:
        file.unlink()
    fix = "Fetch it again" if file != path else "Remove it and fetch it again"
    raise InputError(
        f"{path}: {what}. {fix}; if it stays so, the agency has changed the file: see {written('releases')['page']}."
    )
