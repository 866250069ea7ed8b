"""A timeline's sound in the lanes that are heard apart, at any place, at 48 kHz."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ...engine.edit.categories import of_user, said
from ...engine.edit.nodes import Pointer
from ...engine.errors import MediaError
from ...engine.media.layout import Layout
from ...engine.progress import Progress
from ..jobs.desk import Desk, Seat, desk_of, unreadable
from ..jobs.laid import Laid
from ..timeline import Timeline
from ..timeline.categories import held

Array = NDArray[np.float32]

STEREO = Layout.of_count(2)


def lay(timeline: Timeline, told: Sequence[str] = ()) -> Laid:
    """Where clips lie before anything was heard: by what the user says ("A1=dialogue"), hosts know and names tell.

    What nobody is sure of is the rest, as mixes are. Raises SettingsError for a track that there is not.
    """
    found = held(timeline, said(told)).clips
    moved = (clip.index for clip in timeline.clips if clip.online and found[clip.index].certain)
    return Laid(
        {index: category.kind for index, category in found.items() if category.certain},
        frozenset(index for index in moved if found[index].stem),
    )


class Lanes:
    """All that sounds of a timeline in four lanes (`LANES`): the stems that gains move, then the rest.

    Stems whose files are gone lie in the rest again; a file that cannot be read is silent and has a sentence in
    `broken`. Raises MediaError where nothing can be laid at all.
    """

    def __init__(self, timeline: Timeline, laid: Laid) -> None:
        self._timeline = timeline
        self._seats = _seats(timeline, laid)
        self._without: dict[Pointer, MediaError] = {}
        self._desk = self._laid_out()

    @property
    def name(self) -> str:
        """The timeline's."""
        return self._timeline.name

    @property
    def layout(self) -> Layout:
        """The speakers that lanes are for."""
        return self._desk.programme.layout

    @property
    def samples(self) -> int:
        """How many there are, at 48 kHz."""
        return self._desk.programme.samples

    @property
    def broken(self) -> tuple[str, ...]:
        """Why files are taken for silent, a sentence each, as far as it was found out."""
        return tuple(dict.fromkeys(str(error) for error in self._without.values()))

    def blocks(self, first: int = 0, samples: int | None = None) -> Iterator[Array]:
        """Blocks (4, channels, n) of `samples` from the record's sample `first` on; silence beyond its ends.

        Raises MediaError for what no single clip is to blame for.
        """
        last = self.samples if samples is None else first + samples
        while first < last:
            try:
                for block in self._desk.summed(first, last - first):
                    yield block
                    first += block.shape[2]
            except MediaError as error:
                self._do_without((first, last), error)
                self._desk = self._laid_out()

    def stereo(self, block: Array) -> Array:
        """Blocks (…, channels, n) as stereo (…, 2, n), by ITU-R BS.775."""
        if self.layout == STEREO:
            return block
        return np.asarray(self.layout.routing(STEREO) @ block, np.float32)

    def _laid_out(self) -> Desk:
        while True:
            try:
                return desk_of(self._timeline, self._seats, self._without)
            except MediaError as error:
                self._do_without((0, 0), error)

    def _do_without(self, span: tuple[int, int], error: MediaError) -> None:
        """Leave out the clips that cannot be read there, or else all stems; raises `error` where it is neither."""
        found = unreadable(self._timeline, Progress(), span)
        if not set(found) <= set(self._without):
            self._without.update(found)
        elif any(seat.stems for seat in self._seats):
            self._seats = [
                replace(seat, stems=None, ridden=seat.ridden and seat.known) for seat in self._seats
            ]
        else:
            raise error


def _seats(timeline: Timeline, laid: Laid) -> list[Seat]:
    """The clips that have a place."""
    seats = []
    for clip in timeline.clips:
        stems = laid.parted.get(clip.index)
        stems = stems if stems is not None and stems.complete else None
        category = of_user(laid.kinds.get(clip.index, ""))
        ridden = clip.index in laid.moved and (stems is not None or bool(category.stem))
        if ridden or category.kind:
            seats.append(Seat(clip, category, ridden, stems))
    return seats
