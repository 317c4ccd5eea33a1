"""The settings of the service: the shipped file (settings.toml) with what the user's file and the options change."""

import os
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ..data.credentialed import is_loopback
from ..errors import InputError, validated
from ..reading import read_toml
from .cds_hooks import CdsClient

_SHORTEST_TOKEN = 16


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ServerSettings(_Strict):
    """Where the service listens and who may call it."""

    host: str = Field(min_length=1)
    port: int = Field(ge=0, le=65535)
    allow_remote: bool
    hosts: list[str]
    public_url: str
    token_file: str
    tls_certificate: str
    tls_key: str
    max_body_kib: int = Field(ge=16, le=65536)
    stop_seconds: int = Field(ge=1, le=600)

    @model_validator(mode="after")
    def _both_or_neither(self) -> "ServerSettings":
        if bool(self.tls_certificate) != bool(self.tls_key):
            raise ValueError("tls_certificate and tls_key go together; give both or neither")
        return self


class ModelSettings(_Strict):
    """Which model answers, and how long it may take."""

    name: str
    endpoint: str
    agreement: str
    threads: int = Field(ge=1, le=64)
    queue: int = Field(ge=1, le=10_000)
    deadline_seconds: float = Field(gt=0, le=600, allow_inf_nan=False)
    max_note_characters: int = Field(ge=100, le=100_000)


class HandOverSettings(_Strict):
    """When a person decides."""

    widest_set: int = Field(ge=1, le=5)


class LogSettings(_Strict):
    """Where the decision log is, and how long rows and texts are kept."""

    file: str = Field(min_length=1)
    retention_days: int = Field(ge=1)
    keep_text: bool


class CdsHooksSettings(_Strict):
    """Who may call the CDS Hooks services."""

    origins: list[str]
    clients: list[CdsClient]


class PageSettings(_Strict):
    """What the page shows."""

    history: int = Field(ge=0, le=500)


class Settings(_Strict):
    """All settings, each named in settings.toml."""

    server: ServerSettings
    model: ModelSettings
    hand_over: HandOverSettings
    log: LogSettings
    cds_hooks: CdsHooksSettings
    page: PageSettings

    @property
    def token(self) -> str | None:
        """What callers must send, or null where the service asks nobody."""
        file, given = self.server.token_file, os.environ.get("ESI_SERVE_TOKEN", "")
        if not file and not given:
            return None
        token = (_text_of(file) if file else given).strip()
        if len(token) < _SHORTEST_TOKEN:
            where, found = file or "ESI_SERVE_TOKEN", f"{len(token)} character{'' if len(token) == 1 else 's'}"
            raise InputError(f"{where}: the token has {found}; give {_SHORTEST_TOKEN} or more.")
        return token


def _text_of(token_file: str) -> str:
    try:
        return Path(token_file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"server.token_file = {token_file!r}: cannot be read ({error}).") from None


def default_settings_text() -> str:
    """The shipped settings.toml, comments and all."""
    return (resources.files("esi_triage.serve") / "settings.toml").read_text(encoding="utf-8")


def load_settings(file: Path | None = None, options: Mapping[str, Mapping[str, Any]] | None = None) -> Settings:
    """The shipped settings, over them those of `file`, over both `options` (section to name to value, null: not given).

    Raises InputError for a file that cannot be read, an unknown key, a value out of range, and for a service that
    would answer beyond this machine without asking who calls.
    """
    values: dict[str, Any] = tomllib.loads(default_settings_text())
    where = str(file) if file else "settings"
    for section, changed in (read_toml(file, "`esi serve --print-settings` prints one.") if file else {}).items():
        if not isinstance(changed, dict) or section not in values:
            raise InputError(f"{where}: unknown key '{section}'. Known sections: {', '.join(values)}.")
        values[section] |= changed
    for section, changed in (options or {}).items():
        values[section] |= {name: value for name, value in changed.items() if value is not None}
    settings = validated(Settings, values, where)
    _check_reach(settings)
    return settings


def _check_reach(settings: Settings) -> None:
    server, token = settings.server, settings.token
    address = f"[{server.host}]" if ":" in server.host else server.host
    if not is_loopback(f"http://{address}") and token is None and not server.allow_remote:
        raise InputError(
            f"server.host = {server.host!r}: others could call the service unasked. Set server.token_file or the "
            "variable ESI_SERVE_TOKEN, or server.allow_remote = true where a proxy asks who calls."
        )
