"""An OpenAI-compatible chat endpoint, asked with patience and at a pace; the key comes from the environment alone.

What may pass is tried again: no connection, a timeout, 408, 429 (whose Retry-After holds for all threads), 5xx, an
answer that is empty or no JSON. What cannot is not: a request that the server will not take fails for good, and a wrong
address, key or setting stops the run. No reason ever holds text of a request, an answer or the key.
"""

import json
import os
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from multiprocessing.pool import ThreadPool
from typing import Any, NamedTuple

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from .errors import InputError
from .reading import FILE, REPLY, REPLY_TOKEN

KEY_VARIABLE = "ESI_API_KEY"
ATTEMPTS = 6
LONGEST_WAIT = 600.0  # seconds, whatever the server asks for
PROTOCOL = {"temperature": 0.1, "max_tokens": 1024}  # the model card's
_DAY = 86_400
_PASSING = {408, 425, 429}
_STOPS = {
    401: f"put a valid key into the environment variable {KEY_VARIABLE}",
    402: "the account has no credit",
    403: f"the key in the environment variable {KEY_VARIABLE} has no right to it",
    404: "give the base URL (e.g. http://127.0.0.1:8000/v1) and a model that it serves",
    405: "give the base URL of an OpenAI-compatible server, e.g. http://127.0.0.1:8000/v1",
}
_WORD = re.compile(r"[\w.-]{1,60}")  # a code, not a sentence that may quote the request


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where and how to ask. `url` is the base that `/chat/completions` is added to.

    `rate` is requests a second at most; `parallel` requests under way at once; `timeout` seconds for one request, its
    whole answer included; `attempts` requests for one answer, more where a server is merely busy, but 1 is one;
    `patience` seconds of the first wait, which doubles; `parameters` go with each request.
    """

    url: str
    model: str
    key: str = field(default="", repr=False)
    rate: float | None = None
    parallel: int = 8
    timeout: float = 300.0
    attempts: int = ATTEMPTS
    patience: float = 1.0
    parameters: Mapping[str, Any] = field(default_factory=lambda: dict(PROTOCOL))


class Completion(NamedTuple):
    """`tokens` generated, 0 where the server does not say; `truncated` when it hit the limit.

    `likely` has, for each token that was written, the likeliest tokens there with their log probabilities, where
    the request asked for them (`logprobs`, `top_logprobs`).
    """

    text: str
    tokens: int
    truncated: bool
    likely: tuple[dict[str, float], ...] = ()


class EndpointError(Exception):
    """No completion, and why. `again` says that it may pass; `after` is how many seconds the server asks to wait."""

    def __init__(
        self, reason: str, again: bool = True, after: float | None = None, busy: bool = False, reached: bool = True
    ) -> None:
        super().__init__(reason)
        self.again, self.after, self.busy, self.reached = again, after, busy, reached


class Pace:
    """When the next request may leave, for all threads together."""

    def __init__(
        self,
        rate: float | None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._gap = 1 / rate if rate else 0.0
        self._clock, self._sleep = clock, sleep
        self._next = clock()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Sleep until it is this thread's turn."""
        with self._lock:
            now = self._clock()
            turn = max(now, self._next)
            self._next = turn + self._gap
        if turn > now:
            self._sleep(turn - now)

    def hold(self, seconds: float) -> None:
        """Nothing leaves for that long."""
        with self._lock:
            self._next = max(self._next, self._clock() + seconds)


def find_endpoint(url: str, model: str, **settings: Any) -> Endpoint:
    """The endpoint at `url`, with the key of the environment. `settings` as in `Endpoint`.

    Raises InputError for an address that is none, or holds a password or a query.
    """
    for name in ("timeout", "rate"):
        if (value := settings.get(name)) is not None and not 0 < value <= _DAY:
            raise InputError(f"--{name} {value:g}: give a number above 0 and at most {_DAY:,}.")
    base = url.strip().rstrip("/").removesuffix("/chat/completions")
    try:
        parts = httpx.URL(base)
    except httpx.InvalidURL:
        parts = httpx.URL("")
    if parts.scheme not in ("http", "https") or not parts.host:
        raise InputError(f"endpoint {url!r}: give a base URL, e.g. http://127.0.0.1:8000/v1.")
    if parts.userinfo or parts.query or parts.fragment:
        raise InputError(
            f"endpoint at {parts.host}: its URL holds a password or a query, which would be written into reports. "
            f"Give the plain base URL, and the key in the environment variable {KEY_VARIABLE}."
        )
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key.isascii() or not key.isprintable():
        raise InputError(f"{KEY_VARIABLE}: it holds characters that no key has; set it again.")
    return Endpoint(base, model, key, **settings)


def open_client(endpoint: Endpoint, proxies: bool) -> httpx.Client:
    """A client for many threads. It follows no redirect: text goes to the address that was checked, or nowhere.

    `proxies` lets the environment's proxies in; never for an address on this machine, from which they would carry away.
    """
    headers = {"Accept-Encoding": "identity"}  # a packed body could be a thousand times as large as what was received
    headers |= {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
    # a connection each, so that `_deadline` knows the socket of every request
    limits = httpx.Limits(max_connections=endpoint.parallel, max_keepalive_connections=0)
    return httpx.Client(headers=headers, timeout=endpoint.timeout, trust_env=proxies, limits=limits)


def complete(client: httpx.Client, endpoint: Endpoint, messages: Sequence[Mapping[str, str]], pace: Pace) -> Completion:
    """What the model says to a chat. Raises EndpointError where it says nothing in spite of all patience.

    Raises InputError where asking on is of no use: the address, the key or a parameter is wrong.
    """

    def once() -> Completion:
        pace.wait()
        try:
            return _completion(_sent(client, endpoint, messages))
        except EndpointError as failure:
            if failure.after is not None:
                pace.hold(failure.after)
            raise

    backoff = wait_random_exponential(multiplier=endpoint.patience, max=60 * endpoint.patience)
    retrying = Retrying(
        retry=retry_if_exception(lambda error: isinstance(error, EndpointError) and error.again),
        stop=lambda state: _enough(state, endpoint),
        wait=lambda state: 0.0 if _told_to_wait(state) else backoff(state),
        reraise=True,
    )
    try:
        return retrying(once)
    except EndpointError as failure:
        if failure.reached:
            raise
        raise InputError(
            f"endpoint {endpoint.url}: {failure}. Is the server running, and is this its base URL?"
        ) from None


def complete_all(
    endpoint: Endpoint, chats: Sequence[Sequence[Mapping[str, str]]], proxies: bool
) -> Iterator[tuple[int, Completion | EndpointError]]:
    """What the model says to many chats, with their places, as it comes: `endpoint.parallel` requests at once.

    `proxies` as in `open_client`. Raises InputError as `complete` does.
    """
    pace = Pace(endpoint.rate)

    def asked(place: int) -> tuple[int, Completion | EndpointError]:
        try:
            return place, complete(client, endpoint, chats[place], pace)
        except EndpointError as failure:
            return place, failure

    with open_client(endpoint, proxies) as client, ThreadPool(endpoint.parallel) as pool:
        yield from pool.imap_unordered(asked, range(len(chats)))


def _told_to_wait(state: RetryCallState) -> bool:
    """The pace holds everybody back already."""
    error = state.outcome.exception() if state.outcome else None
    return isinstance(error, EndpointError) and error.after is not None


def _enough(state: RetryCallState, endpoint: Endpoint) -> bool:
    """All attempts made; a server that is merely busy is asked longer, as other threads' requests take their turns."""
    error = state.outcome.exception() if state.outcome else None
    busy = endpoint.attempts > 1 and isinstance(error, EndpointError) and error.busy
    longer = busy and (state.seconds_since_start or 0) < LONGEST_WAIT * endpoint.patience
    return state.attempt_number >= endpoint.attempts and not longer


@dataclass(frozen=True, slots=True)
class _Answered:
    """A response whose body was read to its end."""

    response: httpx.Response
    body: bytes

    def values(self) -> Any:
        """The body as JSON; null where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


def _sent(client: httpx.Client, endpoint: Endpoint, messages: Sequence[Mapping[str, str]]) -> _Answered:
    body = {"model": endpoint.model, "messages": list(messages), **endpoint.parameters}
    late = EndpointError(f"no answer within {endpoint.timeout:g} s")
    with _deadline(endpoint.timeout) as (trace, passed):
        try:
            url = f"{endpoint.url}/chat/completions"
            with client.stream("POST", url, json=body, extensions={"trace": trace}) as response:
                answered = _Answered(response, _body(response, endpoint))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError):
            raise EndpointError("it cannot be reached", reached=False) from None
        except httpx.TimeoutException:
            raise late from None
        except httpx.RequestError as error:
            raise late if passed() else EndpointError(f"the connection broke ({type(error).__name__})") from None
    if passed():
        raise late
    if response.status_code == 200:
        return answered
    raise _refusal(answered, endpoint)


def _body(response: httpx.Response, endpoint: Endpoint) -> bytes:
    """The whole body. Raises EndpointError where it is longer than any honest answer: `max_tokens` says how long."""
    asked = [endpoint.parameters.get(name) for name in ("max_tokens", "max_completion_tokens")]
    tokens = max((n for n in asked if isinstance(n, int)), default=1024)
    most = min(REPLY + REPLY_TOKEN * max(tokens, 0), FILE)
    parts: list[bytes] = []
    size = 0
    for part in response.iter_bytes():
        size += len(part)
        if size > most:
            raise EndpointError(f"an answer of more than {most:,} bytes", again=False)
        parts.append(part)
    return b"".join(parts)


@contextmanager
def _deadline(seconds: float) -> Iterator[tuple[Callable[[str, Mapping[str, Any]], None], Callable[[], bool]]]:
    """Ends one request, however slowly its answer drips: httpx's own timeout holds for each piece anew.

    Yields a trace for httpx, which is told of the socket, and whether the time has passed.
    """
    sockets: list[socket.socket] = []
    passed = threading.Event()

    def end() -> None:
        passed.set()
        for connection in sockets:
            with suppress(OSError):
                # not SSLSocket's own, which takes the thread that reads unawares
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def trace(event: str, info: Mapping[str, Any]) -> None:
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            sockets.append(info["return_value"].get_extra_info("socket"))
            if passed.is_set():
                end()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield trace, passed.is_set
    finally:
        timer.cancel()


def _refusal(answered: _Answered, endpoint: Endpoint) -> Exception:
    response, error = answered.response, _error_of(answered)
    status = response.status_code
    code = next((word for word in (error.get("code"), error.get("type")) if _is_word(word)), None)
    reason = f"HTTP {status}" + (f" ({code})" if code else "")
    what = f"endpoint {endpoint.url}, model {endpoint.model!r}: {reason}"
    if response.is_redirect:
        return InputError(f"{what}: it redirects; give the address that it redirects to.")
    if status in _STOPS:
        return InputError(f"{what}: {_STOPS[status]}.")
    if code == "insufficient_quota":
        return InputError(f"{what}: {_STOPS[402]}.")
    name = error.get("param")
    if isinstance(name, str) and name in endpoint.parameters:
        return InputError(f"{what}: it does not take {name}; leave it out (--parameter {name}=) or give another value.")
    again = status in _PASSING or status >= 500
    return EndpointError(reason, again, _retry_after(response), busy=status == 429)


def _error_of(answered: _Answered) -> dict[str, Any]:
    found = answered.values()
    error = found.get("error") if isinstance(found, dict) else None
    return error if isinstance(error, dict) else {}


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and _WORD.fullmatch(value) is not None


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds, from a number or a date; None where there is neither, or nothing to wait for."""
    value = response.headers.get("retry-after", "")
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return None
    return min(seconds, LONGEST_WAIT) if seconds > 0 else None


def _completion(answered: _Answered) -> Completion:
    found = answered.values()
    try:
        choice = found["choices"][0]
        text, ended = choice["message"]["content"], choice.get("finish_reason")
    except (KeyError, IndexError, TypeError, AttributeError):
        raise EndpointError("an answer that is no chat completion") from None
    if text is not None and not isinstance(text, str):
        raise EndpointError("an answer that is no text")
    truncated = ended == "length"
    if not (text or "").strip() and not truncated:  # truncated and empty: all of it went into thinking
        raise EndpointError(f"an empty answer ({ended})" if _is_word(ended) else "an empty answer")
    # half a surrogate pair cannot be written to a file
    whole = (text or "").encode("utf-8", "replace").decode("utf-8")
    return Completion(whole, _tokens(found.get("usage")), truncated, _likely(choice.get("logprobs")))


def _likely(logprobs: Any) -> tuple[dict[str, float], ...]:
    """Of each token's alternatives what is a token with a number <= 0; none where the server sent none."""
    tokens = logprobs.get("content") if isinstance(logprobs, dict) else None
    rows = [each.get("top_logprobs") for each in tokens if isinstance(each, dict)] if isinstance(tokens, list) else []
    likely = (
        {t["token"]: float(t["logprob"]) for t in row if _is_alternative(t)} for row in rows if isinstance(row, list)
    )
    return tuple(row for row in likely if row)


def _is_alternative(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and isinstance(found.get("token"), str)
        and isinstance(found.get("logprob"), int | float)
        and found["logprob"] <= 0  # not of NaN
    )


def _tokens(usage: Any) -> int:
    used = usage.get("completion_tokens") if isinstance(usage, dict) else None
    return used if isinstance(used, int) and 0 <= used < 1 << 31 else 0
