"""What can go wrong with a host program, as sentences."""

from __future__ import annotations

from ...engine.errors import SightmixError


class HostError(SightmixError):
    """The host program refused something, or answered otherwise than it should."""


class HostGoneError(HostError):
    """The host program, or the script in it, has stopped answering."""
