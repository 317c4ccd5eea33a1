"""Who may call: JSON Web Tokens of CDS Hooks 2.0, checked against clients whose keys lie here as files.

Keys are never fetched from a URL that a token names: that would let a caller send this service anywhere.
"""

import json
import time
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import jwt
from pydantic import BaseModel, ConfigDict, Field

from ...errors import InputError
from .refused import Refused

ALGORITHMS = ("ES384", "RS384")
_REQUIRED = ("iss", "aud", "exp", "iat", "jti")
_LONGEST = 3600  # seconds that a token may live; each is remembered so long, so that none is taken twice
_LEEWAY = 30  # seconds that the clocks may differ


class CdsClient(BaseModel):
    """One EHR that may call: its issuer, its key set as a file, and the URL that its tokens name as key set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    iss: str = Field(min_length=1)
    jwks_file: str = Field(min_length=1)
    jku: str = ""


class CdsSettings(BaseModel):
    """How CDS Hooks is offered. Without clients no token is asked for: for this machine only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    public_url: str = Field(default="", description="the base URL that clients call; tokens name it as audience")
    origins: list[str] = Field(default=[], description="browser origins that may call, e.g. the public sandbox")
    clients: list[CdsClient] = []


def token_check(settings: CdsSettings) -> Callable[[str, str], None]:
    """A function of the Authorization header and the path called; it raises Refused (401) for who may not call."""
    if not settings.clients:
        return lambda header, path: None
    if not settings.public_url:
        raise InputError(
            "server.public_url: is missing; give the URL that the clients call; their tokens must name it."
        )
    for client in settings.clients:
        _keys(client.jwks_file, 0)
    base, used = settings.public_url.rstrip("/"), {}

    def check(header: str, path: str) -> None:
        claims = _claims(header, f"{base}{path}", settings)
        now = time.time()
        for known in [known for known, until in used.items() if until < now]:
            del used[known]
        once = (claims["iss"], str(claims["jti"]))
        if once in used:
            raise Refused(401, "login", "this token was used before; make one for each call.")
        used[once] = claims["exp"] + _LEEWAY

    return check


def _claims(header: str, audience: str, settings: CdsSettings) -> dict[str, Any]:
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Refused(401, "login", "Authorization: Bearer with a signed token is needed.")
    try:
        head = jwt.get_unverified_header(token)
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        client = next((one for one in settings.clients if one.iss == issuer), None)
        if client is None or (head.get("jku") and head["jku"] != client.jku):
            raise Refused(401, "login", "the issuer, or the key set it names, is not on the list of clients.")
        key = _keys(client.jwks_file, Path(client.jwks_file).stat().st_mtime_ns)[str(head.get("kid"))]
        claims = jwt.decode(
            token,
            key.key,
            algorithms=list(ALGORITHMS),
            audience=audience,
            issuer=client.iss,
            leeway=_LEEWAY,
            options={"require": list(_REQUIRED), "strict_aud": True},
        )
    except (jwt.PyJWTError, KeyError, TypeError, ValueError) as error:
        raise Refused(401, "login", f"the token is not accepted ({type(error).__name__}).") from None
    if claims["exp"] - claims["iat"] > _LONGEST:
        raise Refused(401, "login", f"the token lives longer than {_LONGEST} seconds.")
    return claims


@lru_cache(maxsize=64)
def _keys(file: str, changed: int) -> dict[str, jwt.PyJWK]:
    """The keys of a JWKS file by their `kid`; read again when the file has `changed`."""
    try:
        keys = jwt.PyJWKSet.from_dict(json.loads(Path(file).read_text(encoding="utf-8"))).keys
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}); give a client's JWKS as a file.") from None
    except (ValueError, jwt.PyJWTError) as error:
        raise InputError(f"{file}: no JSON Web Key Set ({error}).") from None
    return {str(key.key_id): key for key in keys}
