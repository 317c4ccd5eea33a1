"""A browser's session: its token against forged requests, and the records that it has seen. In memory, without text."""

import hashlib
import hmac
import secrets
from collections import OrderedDict, deque
from dataclasses import dataclass, field

from fastapi import Request, Response

COOKIE = "esi_session"
_MOST = 1000  # sessions that are kept; the oldest goes first


@dataclass
class Seen:
    """One record as the page lists it: levels and times, no word of the note."""

    record: str
    time: str
    own_level: int | None
    advised: int | None
    previous: str | None
    chosen: int | None = None


@dataclass
class BrowserSessions:
    """The sessions of one running service. `length` is how many records each keeps."""

    length: int
    _secret: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    _seen: OrderedDict[str, deque[Seen]] = field(default_factory=OrderedDict)

    def name(self, request: Request) -> str:
        """The session's name, a new one where the browser has none."""
        return request.cookies.get(COOKIE) or secrets.token_urlsafe(24)

    def keep(self, response: Response, name: str, secure: bool) -> None:
        """Let the browser send the name with each request to this service, and to no script."""
        response.set_cookie(COOKIE, name, httponly=True, samesite="strict", secure=secure)

    def form_token(self, name: str) -> str:
        """What a form of this session carries: another site's page cannot know it."""
        return hmac.new(self._secret, name.encode(), hashlib.sha256).hexdigest()

    def is_own(self, name: str, token: str) -> bool:
        """True where `token` was given to this session by this service since it started."""
        return hmac.compare_digest(self.form_token(name).encode(), token.encode())

    def seen(self, name: str) -> list[Seen]:
        """The session's records, newest first."""
        return list(self._seen.get(name, ()))

    def add(self, name: str, seen: Seen) -> None:
        """Put a record in front."""
        self._seen.setdefault(name, deque(maxlen=self.length)).appendleft(seen)
        self._seen.move_to_end(name)
        while len(self._seen) > _MOST:
            self._seen.popitem(last=False)

    def decided(self, name: str, record: str, chosen: int) -> None:
        """Note the level that the person chose."""
        for item in self._seen.get(name, ()):
            if item.record == record:
                item.chosen = chosen
