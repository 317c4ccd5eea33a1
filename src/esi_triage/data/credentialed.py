"""Credentialed text stays on this machine, unless the user says, per run, which agreement lets it leave."""

import ipaddress
import re
from collections.abc import Iterable

from ..errors import InputError
from ..esi import Licence

# It supersedes the list of services of April 2023.
_NOTICE = "https://physionet.org/news/post/llm-responsible-use"
_REFUSAL = (
    "{n} of {all} rows are credentialed and {destination} is not on this machine, so nothing was sent. The PhysioNet "
    'data use agreement forbids giving its data to third parties, APIs included ("Use of MIMIC Data with Large '
    'Language Models and Online Services", 24 Sep 2025, {notice}): use a model on this machine (an http://127.0.0.1 '
    "endpoint, or local weights), or, where your agreement covers the service, with zero retention and no human "
    'review, name it: {option} "WHICH AGREEMENT, WHICH TERMS".'
)
_HTTP = re.compile(
    r"(?:https?|wss?)://(?:[^@/?#\\\s]*@)?(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9.-]+))(?::\d{1,5})?(?:[/?#]\S*)?",
    re.IGNORECASE,
)
_SOCKET = re.compile(r"(?:http\+)?unix:\S+", re.IGNORECASE)


def refuse_remote(
    licences: Iterable[Licence], destination: str, agreement: str | None = None, option: str = "--agreement"
) -> None:
    """Raise InputError where credentialed rows are about to leave this machine and no agreement is named.

    `licences` has one value per row; `destination` is the URL of an endpoint, or the name of a tracker or hub, which is
    never on this machine; `option` is where the user names an agreement. Call it before anything is sent, and keep
    `agreement` in the record of the run. A client for a loopback address must also ignore the environment's proxies and
    follow no redirect (`httpx.Client(trust_env=False)`): both carry text away from an address that is local. What a
    local server passes on to others cannot be seen from here.
    """
    rows = list(licences)
    n = rows.count("credentialed")
    if n and not is_loopback(destination) and not _names_something(agreement or ""):
        shown = _without_password(destination)
        raise InputError(_REFUSAL.format(n=n, all=len(rows), destination=shown, notice=_NOTICE, option=option))


def is_loopback(url: str) -> bool:
    """True only for a URL whose host is surely this machine: 127.0.0.0/8, ::1, `localhost`, a unix socket.

    The whole URL must have a plain form. What resolvers and HTTP clients read differently (backslashes, escapes, 127.1,
    0x7f000001, 0.0.0.0, names below .localhost) counts as remote.
    """
    if _SOCKET.fullmatch(url):
        return True
    match = _HTTP.fullmatch(url)
    if match is None:
        return False
    name = (match["name"] or "").lower()
    if name in ("localhost", "localhost."):
        return True
    try:
        address = ipaddress.ip_address(match["six"] or name)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _names_something(agreement: str) -> bool:
    """A full stop, a blank and a sign that nobody sees name no agreement: it takes two words and eight letters."""
    words = re.findall(r"\w{2,}", agreement)
    return len(words) >= 2 and sum(map(len, words)) >= 8


def _without_password(destination: str) -> str:
    return re.sub(r"//[^/?#]*@", "//", destination)
