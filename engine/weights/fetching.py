"""Fetching weights on request: shown first, verified, whole or not at all. Nothing here runs on its own."""

from __future__ import annotations

import hashlib
import shutil
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO

from ..errors import ModelError, SettingsError, WriteError
from ..files import replacing
from ..progress import Progress
from .card import Card
from .store import absent_message, verify, writable_root

BLOCK = 1 << 20


@dataclass(frozen=True)
class Offer:
    """What a fetch would do, to be shown before it is done."""

    name: str
    url: str
    size: int
    sha256: str
    licence: str
    destination: Path
    present: bool

    def describe(self) -> str:
        """The offer as lines of text for the user."""
        return (
            f"{self.name}\n  from     {self.url}\n  size     {self.size:,} bytes\n  sha256   {self.sha256}\n"
            f"  licence  {self.licence}\n  to       {self.destination}"
        )


def offer(card: Card, root: Path | None = None) -> Offer:
    """What `fetch` would do for `card`; nothing is contacted. Raises `ModelError` if it cannot be fetched."""
    if card.url is None:
        raise ModelError(f"The model '{card.name}' has no address to fetch it from: {absent_message(card)}")
    destination = (root or writable_root()) / card.file
    return Offer(card.name, card.url, card.size, card.sha256, card.licence, destination, destination.exists())


def fetch(
    card: Card, root: Path | None = None, progress: Progress | None = None, timeout_s: float = 60.0
) -> Path:
    """Download the weights of `card`, verify size and digest, and return where they lie.

    Only ever called because the user asked for this model by name. The file appears under its name once it
    is whole and verified; a fault or a cancel leaves nothing behind. A good file already there is kept.
    Raises `ModelError` (address, size, digest), `WriteError` (folder, space), `SettingsError` (scheme) or
    `Cancelled`.
    """
    plan = offer(card, root)
    if urllib.parse.urlsplit(plan.url).scheme not in {"https", "http", "file"}:
        raise SettingsError(
            f"The model '{card.name}' can only be fetched by https, http or file, not {plan.url}."
        )
    if plan.present:
        verify(plan.destination, card)
        return plan.destination
    _check_space(plan)
    with replacing(plan.destination, parents=True) as file:
        _download(plan, file, progress or Progress(), timeout_s)
    verify(plan.destination, card)
    return plan.destination


def _check_space(plan: Offer) -> None:
    folder = plan.destination.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise WriteError(f"The folder {folder} cannot be used for weights: {error.strerror}.") from error
    if free < plan.size:
        raise WriteError(
            f"There is no room for '{plan.name}' in {folder}: "
            f"{plan.size:,} bytes are needed and {free:,} are free."
        )


def _download(plan: Offer, file: IO[bytes], progress: Progress, timeout_s: float) -> None:
    digest, done = hashlib.sha256(), 0
    for block in _blocks(plan, timeout_s):
        progress.report("fetch", plan.name, done, plan.size, "bytes")
        digest.update(block)
        done += len(block)
        if done > plan.size:
            break
        file.write(block)
    if done != plan.size:
        more = "more than" if done > plan.size else f"{done:,} of"
        raise ModelError(f"{plan.url} gave {more} the {plan.size:,} bytes of '{plan.name}'; try again later.")
    if digest.hexdigest() != plan.sha256:
        raise ModelError(
            f"What {plan.url} gave is not '{plan.name}' (sha256 {digest.hexdigest()[:12]}…, "
            f"expected {plan.sha256[:12]}…); nothing was kept."
        )
    progress.report("fetch", plan.name, done, plan.size, "bytes")


def _blocks(plan: Offer, timeout_s: float) -> Iterator[bytes]:
    try:
        with urllib.request.urlopen(plan.url, timeout=timeout_s) as answer:
            while block := answer.read(BLOCK):
                yield block
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise ModelError(f"'{plan.name}' cannot be fetched from {plan.url}: {reason}.") from error
