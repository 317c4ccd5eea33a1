"""Run the service until it is told to stop: listen, answer what is under way, close the log."""

import asyncio
import socket
import ssl
import sys

import uvicorn

from ..errors import InputError
from .app import make_app, make_service
from .decision_log import LogUnavailable
from .gateway import log_as_json_lines
from .service import Service
from .settings import Settings

_IDLE_SECONDS = 75
"""An idle connection is closed after that: later than a proxy does (nginx: 60 s), or a request meets the closing."""


def run_service(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises InputError where the address, the log or the model cannot be had."""
    _check_certificate(settings)
    listening = _listen(settings)
    try:
        service = make_service(settings)
    except LogUnavailable as error:
        raise InputError(f"{error} Name another file with --log.") from None
    scheme = "https" if settings.server.tls_certificate else "http"
    host, port = listening.getsockname()[:2]
    print(f"loading {service.identity.name}, then at {scheme}://{_in_url(host)}:{port}/", file=sys.stderr, flush=True)
    _warm(service)
    log_as_json_lines()
    config = uvicorn.Config(
        make_app(service),
        log_config=None,
        access_log=False,
        server_header=False,
        ssl_certfile=settings.server.tls_certificate or None,
        ssl_keyfile=settings.server.tls_key or None,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=settings.server.stop_seconds,
        lifespan="on",
    )
    uvicorn.Server(config).run(sockets=[listening])


def _check_certificate(settings: Settings) -> None:
    certificate, key = settings.server.tls_certificate, settings.server.tls_key
    if not certificate:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key or None)
    except OSError as error:  # ssl.SSLError is one
        raise InputError(
            f"server.tls_certificate = {certificate!r}, server.tls_key = {key!r}: they cannot be used "
            f"({error.strerror or error}). Name a certificate and its key, both in PEM."
        ) from None


def _warm(service: Service) -> None:
    """Before uvicorn, which would answer a wrong endpoint or key with a traceback and an exit code of its own."""
    try:
        asyncio.run(service.warm())
    except InputError:
        service.close()
        raise


def _listen(settings: Settings) -> socket.socket:
    """The socket, bound before the model is loaded: a port that is taken is said at once."""
    host, port = settings.server.host, settings.server.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError as error:
        raise InputError(f"{host}, port {port}: cannot be listened on ({error.strerror}); choose another.") from None
    return listening


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
