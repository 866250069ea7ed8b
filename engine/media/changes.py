"""Sound whose channels or rate change inside a stream, as broadcasts do: folded into what the stream began with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingsError
from .layout import Layout
from .resample import Resampler

if TYPE_CHECKING:
    import av

Block = NDArray[np.float32]
Form = tuple[str, int]

_MOST_NAMED = 3


class Fold:
    """Brings one stream's decoded sound to the layout and rate (Hz) that it began with.

    Other layouts are folded by ITU-R BS.775 (`Layout.routing`), other rates resampled; a run of frames of another
    rate is one sound.
    """

    def __init__(self, layout: Layout, rate: int) -> None:
        self.layout, self.rate = layout, rate
        self.last: Form | None = None
        self._resampler: Resampler | None = None
        self._at = 0

    def put(self, frame: av.AudioFrame, data: Block, at: int) -> list[tuple[int, Block]]:
        """What a frame's samples (channels, n) at `at` make ready, with the places of what came out."""
        form = (frame.layout.name, frame.sample_rate)
        out = self.end() if form != self.last else []
        if form != self.last:
            self.last = form
            if frame.sample_rate != self.rate:
                self._at = at
                self._resampler = Resampler(frame.sample_rate, self.rate, self.layout.channels)
        data = self._routed(frame, data)
        if self._resampler is None:
            return [*out, (at, data)]
        made = self._resampler.process(data)
        self._at += made.shape[1]
        return [*out, (self._at - made.shape[1], made)]

    def end(self) -> list[tuple[int, Block]]:
        """What is left of a run at another rate."""
        if self._resampler is None:
            return []
        made = self._resampler.process(np.zeros((self.layout.channels, 0), np.float32), last=True)
        self._resampler = None
        return [(self._at, made)]

    def _routed(self, frame: av.AudioFrame, data: Block) -> Block:
        found = layout_of_frame(frame).in_wav_order()
        if not differs(found, self.layout):
            return data
        return np.asarray(found.routing(self.layout).astype(np.float32) @ data, np.float32)


def layout_of_frame(frame: av.AudioFrame) -> Layout:
    """The layout of a decoded frame, its channels in their order."""
    found, channels = Layout.of_count(frame.layout.nb_channels), frame.layout.nb_channels
    with suppress(SettingsError):
        found = Layout.named(frame.layout.name)
    return found if found.channels == channels else Layout.discrete(channels)


def differs(found: Layout, first: Layout) -> bool:
    """Whether a layout has to be folded to be `first`.

    Side and back surrounds are the same thing by two names; what has no places cannot be told apart.
    """
    if found.channels != first.channels:
        return True
    return found.placed and first.placed and not np.array_equal(found.routing(first), np.eye(first.channels))


def heading(codec: str) -> Callable[[bytes], Form | None] | None:
    """What reads channels and rate off the first bytes of a codec's packets without decoding; None: nothing does."""
    return _HEADINGS.get(codec)


def _ac3(data: bytes) -> Form | None:
    """ATSC A/52: the bit stream information of AC-3 (5.4) and E-AC-3 (E.1.2)."""
    if data[:2] != b"\x0b\x77":
        return None
    if data[5] >> 3 > 10:
        mode, low, rate = data[4] >> 1 & 7, data[4] & 1, data[4] >> 4
    else:
        mode, rate = data[6] >> 5, data[4] >> 6
        skipped = 2 * (mode & 1 and mode != 1) + 2 * (mode >> 2) + 2 * (mode == 2)
        low = int.from_bytes(data[6:8], "big") >> 12 - skipped & 1
    return f"{_FRONT_AND_BACK[mode]}.{low}", rate


_FRONT_AND_BACK = (2, 1, 2, 3, 3, 4, 4, 5)


def _adts(data: bytes) -> Form | None:
    """ISO/IEC 14496-3, adts_fixed_header; 0 channels are told of elsewhere."""
    channels = (data[2] & 1) << 2 | data[3] >> 6
    if data[0] != 0xFF or data[1] & 0xF6 != 0xF0 or not channels:
        return None
    return f"{channels} channels", data[2] >> 2 & 15


def _mpeg(data: bytes) -> Form | None:
    """ISO/IEC 11172-3, header: mono is the last of four modes."""
    if data[0] != 0xFF or data[1] & 0xE0 != 0xE0:
        return None
    return "1.0" if data[3] >> 6 == 3 else "2.0", data[1] & 0x18 | data[2] >> 2 & 3


_HEADINGS = {
    "ac3": _ac3,
    "eac3": _ac3,
    "aac": _adts,
    "mp1": _mpeg,
    "mp2": _mpeg,
    "mp3": _mpeg,
    "mp3float": _mpeg,
}


def said(name: str, layout: Layout, places: Sequence[Fraction]) -> str:
    """What a user should know of changes at `places`, in seconds."""
    named = ", ".join(f"{float(at):.2f} s" for at in places[:_MOST_NAMED])
    more = f" and {len(places) - _MOST_NAMED} more places" if len(places) > _MOST_NAMED else ""
    return (
        f"The sound of {name} changes its channels or its rate at {named}{more}; it is folded into what it begins "
        f"with, {layout.title} (ITU-R BS.775)."
    )
