"""The loopback bridge: a small HTTP server that only the script in Resolve may talk to."""

from __future__ import annotations

import hmac
import json
import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from ..errors import HostError
from .broker import Broker, Refused

_log = logging.getLogger(__name__)
ADDRESS = "127.0.0.1"
PATH = "/v1/next"
LARGEST = 4 << 20  # bytes of one message


class Bridge:
    """Serves one address, one path, one method and one client; everything else gets a refusal and no reason.

    A message is let in when it comes to 127.0.0.1 under exactly that name and port, is no browser's (no Origin),
    carries the session's token, says its length and stays below `LARGEST` bytes. Raises HostError where this machine
    lets nobody listen.
    """

    def __init__(self, broker: Broker, token: str) -> None:
        self._broker, self._token = broker, token
        bridge = self

        class Handler(_Handler):
            owner = bridge

        try:
            self._server = _Server((ADDRESS, 0), Handler)
        except OSError as error:
            raise HostError(
                f"No port of {ADDRESS} can be opened for Resolve ({error.strerror or error}); "
                "allow sightmix to listen on this machine itself."
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that was free."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: BaseHTTPRequestHandler) -> dict[str, Any]:
        """The reply to a request; raises Refused."""
        self._check(request)
        message = _body(request)
        client = message.get("client")
        if not isinstance(client, str) or len(client) > 64:
            raise Refused(400, "no client")
        return {"call": self._broker.exchange(client, message, polls=True)}

    def _check(self, request: BaseHTTPRequestHandler) -> None:
        headers = request.headers
        if request.client_address[0] != ADDRESS or headers.get_all("Host") != [f"{ADDRESS}:{self.port}"]:
            raise Refused(403, "not from here")
        if headers.get("Origin") is not None:
            raise Refused(403, "not for browsers")
        given = headers.get("Authorization", "").encode()
        if not hmac.compare_digest(given, f"Bearer {self._token}".encode()):
            raise Refused(403, "wrong token")
        if request.path != PATH:
            raise Refused(404, "no such path")


def _body(request: BaseHTTPRequestHandler) -> dict[str, Any]:
    length = request.headers.get("Content-Length", "")
    if not (length.isascii() and length.isdecimal()):
        raise Refused(411, "no length")
    # Python refuses to read a number of thousands of digits.
    if len(length) > len(str(LARGEST)) or int(length) > LARGEST:
        raise Refused(413, "too long")
    try:
        message = json.loads(request.rfile.read(int(length)))
    except (ValueError, OSError, RecursionError) as error:
        raise Refused(400, "not JSON") from error
    if not isinstance(message, dict):
        raise Refused(400, "not an object")
    return message


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  (the base class's)
        """A caller who hung up, or sent what nobody foresaw, costs nothing but its own answer."""
        _log.debug("a call from %s failed", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    owner: Bridge
    timeout = 5.0
    server_version, sys_version = "sightmix", ""

    def do_POST(self) -> None:
        try:
            self._send(200, self.owner.answer(self))
        except Refused as refusal:
            _log.debug("refused: %s", refusal)
            # What went wrong is told only to who knew the token.
            told = refusal.status in (409, 410, 426)
            self._send(refusal.status, {"error": str(refusal)} if told else {})

    def _send(self, status: int, data: dict[str, Any]) -> None:
        text = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:
        _log.debug(format, *args)
