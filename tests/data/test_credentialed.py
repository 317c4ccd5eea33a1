"""Credentialed rows leave this machine only under a named agreement, and "this machine" cannot be faked."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esi_triage.data.credentialed import is_loopback, refuse_remote
from esi_triage.errors import InputError

LOCAL = [
    "http://localhost",
    "http://localhost:8000/v1",
    "https://LOCALHOST/v1",
    "http://localhost./v1",
    "http://127.0.0.1:8000/v1?x=1#y",
    "http://127.255.255.254",
    "http://[::1]:8000/v1",
    "http://[0:0:0:0:0:0:0:1]",
    "http://[::ffff:127.0.0.1]/v1",
    "http://[::ffff:7f00:1]",
    "http://user:secret@127.0.0.1:8000/v1",
    "ws://127.0.0.1:9000",
    "unix:///run/model.sock",
    "http+unix://%2Frun%2Fmodel.sock/v1",
]
REMOTE = [
    "https://api.example.com/v1",
    "http://localhost.evil.com",
    "http://localhost@evil.com",
    "http://localhost:8000@evil.com/v1",
    "http://127.0.0.1@evil.com",
    "http://evil.com/@localhost",
    "http://evil.com?@localhost",
    "http://evil.com#@localhost",
    "http://evil.com\\@localhost",
    "http://localhost\\@evil.com",
    "http://127.0.0.1\\.evil.com",
    "http://127.0.0.1.evil.com",
    "http://127.0.0.1.",  # not an address but a name, which a resolver may send out
    "http://127.0.0.1 .evil.com",
    "http://local\nhost",
    "http://local\thost",
    " http://localhost",
    "http://[::1].evil.com",
    "http://[::1]evil.com",
    "http://[::ffff:10.0.0.1]",
    "http://[::ffff:8.8.8.8]",
    "http://[::]",
    "http://[fe80::1]",
    "http://0.0.0.0:8000",
    "http://128.0.0.1",
    "http://10.0.0.5",
    "http://192.168.1.20:8000",
    "http://127.1",
    "http://2130706433",
    "http://0x7f000001",
    "http://0177.0.0.1",
    "http://foo.localhost",
    "http://localhos%74",
    "http://ｌocalhost",
    "http://127。0。0。1",
    "http://1２7.0.0.1",
    "http://localhost..",
    "http://a@b@localhost",
    "http:localhost",
    "http:///localhost",
    "ftp://localhost",
    "javascript://localhost",
    "localhost:8000",
    "localhost",
    "wandb",
    "",
]


@pytest.mark.parametrize("url", LOCAL)
def test_this_machine(url: str) -> None:
    assert is_loopback(url)
    refuse_remote(["credentialed"], url)


@pytest.mark.parametrize("url", REMOTE)
def test_not_this_machine(url: str) -> None:
    assert not is_loopback(url)
    with pytest.raises(InputError, match="credentialed"):
        refuse_remote(["open", "credentialed"], url)


@given(st.from_regex(r"[a-z0-9.\-]{1,20}", fullmatch=True))
def test_no_name_below_a_registered_domain_is_local(name: str) -> None:
    for url in (f"http://{name}.evil.com", f"http://{name}@evil.com", f"http://evil.com/{name}"):
        assert not is_loopback(url)


@given(st.ip_addresses())
def test_addresses_are_local_as_the_standard_says(address: IPv4Address | IPv6Address) -> None:
    host = f"[{address}]" if address.version == 6 else str(address)
    mapped = getattr(address, "ipv4_mapped", None) or address
    assert is_loopback(f"http://{host}:8000/v1") == mapped.is_loopback


def test_open_rows_may_go_anywhere() -> None:
    refuse_remote(["open", "open"], "https://api.example.com/v1")
    refuse_remote([], "https://api.example.com/v1")


def test_a_named_agreement_lets_rows_go_and_a_blank_one_does_not() -> None:
    refuse_remote(["credentialed"], "https://api.example.com", "PhysioNet DUA, zero retention, contract 12")
    for blank in ("", "   ", None):
        with pytest.raises(InputError):
            refuse_remote(["credentialed"], "https://api.example.com", blank)


def test_the_refusal_counts_explains_and_cites_and_keeps_passwords_to_itself() -> None:
    with pytest.raises(InputError) as refused:
        refuse_remote(["open", "credentialed", "credentialed"], "https://me:secret@api.example.com/v1")
    said = str(refused.value)
    for part in ("2 of 3 rows", "api.example.com", "24 Sep 2025", "physionet.org/news/post/llm-responsible-use"):
        assert part in said
    assert "--agreement" in said
    assert "secret" not in said
