"""Lies on PYTHONPATH of a command under test: what Python code asks of the network is written down and refused."""

import os
import socket
import sys

LOG = os.environ["SIGHTMIX_GUARD_LOG"]
LOOKED_UP = ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo")
REACHED = ("socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg")


def refuse(event: str, arguments: tuple[object, ...]) -> None:
    """An audit hook; sockets within the machine (AF_UNIX) are let through."""
    if event in REACHED:
        if arguments[0].family == getattr(socket, "AF_UNIX", None):
            return
    elif event not in LOOKED_UP:
        return
    with open(LOG, "a", encoding="utf-8") as log:  # noqa: PTH123  (pathlib is not loaded yet, and stays so)
        log.write(f"{event} {arguments[1:] if event in REACHED else arguments}\n")
    raise PermissionError(f"{event} is not allowed here")


sys.addaudithook(refuse)
