"""Channel layouts: which speaker every channel of a sound is for, and what follows from that.

Masks, loudness weights, downmixes, names and the way from one layout to another all stand here and nowhere else.
Speakers bear FFmpeg's abbreviations, which are those of SMPTE ST 2036 and of WAVE_FORMAT_EXTENSIBLE cut short: FL is
front left, BC back centre, TFL top front left. The WAV order is the order of the bits in dwChannelMask.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from ..errors import SettingsError

Matrix = NDArray[np.float64]
Weights = NDArray[np.float32]

# In the order of WAVE_FORMAT_EXTENSIBLE's mask bits from bit 0 on, then what only FFmpeg has a place for.
_BITS = "FL FR FC LFE BL BR FLC FRC BC SL SR TC TFL TFC TFR TBL TBC TBR"
_FURTHER = "DL DR WL WR SDL SDR LFE2 TSL TSR BFC BFL BFR SSL SSR TTL TTR"
_MASKED = tuple(_BITS.split())
_ORDER = (*_MASKED, *_FURTHER.split())
_RANK = {speaker: rank for rank, speaker in enumerate(_ORDER)}
_LFE = frozenset({"LFE", "LFE2"})

# FFmpeg's names (libavutil/channel_layout.c).
_NAMED = {
    name: tuple(speakers.split())
    for name, speakers in {
        "mono": "FC",
        "stereo": "FL FR",
        "2.1": "FL FR LFE",
        "3.0": "FL FR FC",
        "3.0(back)": "FL FR BC",
        "4.0": "FL FR FC BC",
        "quad": "FL FR BL BR",
        "quad(side)": "FL FR SL SR",
        "3.1": "FL FR FC LFE",
        "5.0": "FL FR FC BL BR",
        "5.0(side)": "FL FR FC SL SR",
        "4.1": "FL FR FC LFE BC",
        "5.1": "FL FR FC LFE BL BR",
        "5.1(side)": "FL FR FC LFE SL SR",
        "6.0": "FL FR FC BC SL SR",
        "6.0(front)": "FL FR FLC FRC SL SR",
        "3.1.2": "FL FR FC LFE TFL TFR",
        "hexagonal": "FL FR FC BL BR BC",
        "6.1": "FL FR FC LFE BC SL SR",
        "6.1(back)": "FL FR FC LFE BL BR BC",
        "6.1(front)": "FL FR LFE FLC FRC SL SR",
        "7.0": "FL FR FC BL BR SL SR",
        "7.0(front)": "FL FR FC FLC FRC SL SR",
        "7.1": "FL FR FC LFE BL BR SL SR",
        "7.1(wide)": "FL FR FC LFE BL BR FLC FRC",
        "7.1(wide-side)": "FL FR FC LFE FLC FRC SL SR",
        "5.1.2": "FL FR FC LFE SL SR TFL TFR",
        "5.1.2(back)": "FL FR FC LFE BL BR TFL TFR",
        "octagonal": "FL FR FC BL BR BC SL SR",
        "cube": "FL FR BL BR TFL TFR TBL TBR",
        "5.1.4": "FL FR FC LFE SL SR TFL TFR TBL TBR",
        "7.1.2": "FL FR FC LFE BL BR SL SR TFL TFR",
        "7.1.4": "FL FR FC LFE BL BR SL SR TFL TFR TBL TBR",
        "9.1.4": "FL FR FC LFE BL BR FLC FRC SL SR TFL TFR TBL TBR",
        "9.1.6": "FL FR FC LFE BL BR FLC FRC SL SR TFL TFR TBL TBR TSL TSR",
        "22.2": "FL FR FC LFE BL BR FLC FRC BC SL SR TC TFL TFC TFR TBL TBC TBR LFE2 TSL TSR BFC BFL BFR",
        "7.2.3": "FL FR FC LFE BL BR SL SR TFL TFR TBC LFE2",
        "hexadecagonal": "FL FR FC BL BR BC SL SR TFL TFC TFR TBL TBC TBR WL WR",
        "downmix": "DL DR",
    }.items()
}
_FFMPEG = {speakers: name for name, speakers in reversed(_NAMED.items())}
# What hosts call a layout, where they do not say it as FFmpeg does. "Film" order has the centre between left and
# right, and the LFE last.
_HOSTS = {
    "1.0": _NAMED["mono"],
    "2.0": _NAMED["stereo"],
    "lrc": _NAMED["3.0"],
    "lcr": ("FL", "FC", "FR"),
    "lrcs": _NAMED["4.0"],
    "lcrs": ("FL", "FC", "FR", "BC"),
    "5.0film": ("FL", "FC", "FR", "BL", "BR"),
    "5.1film": ("FL", "FC", "FR", "BL", "BR", "LFE"),
    "7.0film": ("FL", "FC", "FR", "SL", "SR", "BL", "BR"),
    "7.1film": ("FL", "FC", "FR", "SL", "SR", "BL", "BR", "LFE"),
}
# What so many channels are where nobody says it. Microsoft ("Multiple channel audio data and WAVE files") takes the
# speakers in the order of the mask's bits: 3 are L R C. The other counts are what hosts write without a mask:
# Resolve's, Premiere's and Pro Tools' tracks of 4, 5, 6, 7 and 8 channels are quad, 5.0, 5.1, 7.0 and 7.1 (none of
# them has a 6.1). Files of 9 channels and more are a recordist's single microphones as often as a mix, so that they
# stay channels without a place.
_ASSUMED = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "7.0", 8: "7.1"}

_LABELS = {
    "FL": "L", "FR": "R", "FC": "C", "BC": "Cs", "FLC": "Lc", "FRC": "Rc", "SL": "Ls", "SR": "Rs",
    "TC": "Tc", "TFL": "Ltf", "TFC": "Ctf", "TFR": "Rtf", "TBL": "Ltr", "TBC": "Ctr", "TBR": "Rtr",
    "DL": "Lt", "DR": "Rt", "WL": "Lw", "WR": "Rw", "SDL": "Lsd", "SDR": "Rsd", "TSL": "Lts", "TSR": "Rts",
    "BFC": "Cb", "BFL": "Lb", "BFR": "Rb",
}  # fmt: skip
_RESOLVE = {"3.0": "lrc", "4.0": "lrcs"} | {
    name: name for name in ("mono", "stereo", "quad", "5.0", "5.1", "7.0", "7.1")
}
_PREMIERE = {"1.0": "Mono", "2.0": "Stereo", "5.1": "5.1"}

_COUNTED = re.compile(r"(?:adaptive\s*)?(\d{1,3})\s*(?:c|channels?)?")
_LISTED = re.compile(r"(?:\d+ channels \()?([A-Z0-9]+(?:@[^+)]*)?(?:\+[A-Z0-9]+(?:@[^+)]*)?)*)\)?")

_HALF_POWER = 0.5**0.5  # BS.775's 0.7071: -3 dB
_LOUDER = 1.41  # BS.1770: +1.5 dB
# BS.1770-4 table 3, and table 4 of annex 3: speakers at 60° to 120° to either side and less than 30° up count more.
_BESIDE = frozenset({"SL", "SR", "WL", "WR", "SDL", "SDR", "SSL", "SSR"})

# Where a speaker's sound goes in a layout that lacks it, best way first: the first whose speakers are all there, else
# the last, each of whose speakers goes its own way in turn. Fronts, centre and surrounds as ITU-R BS.775-3 table 2
# has them, with a mono surround's half from there too; heights join what lies below them at -3 dB. Of the LFE
# BS.775 says that a downmix does without it.
_Way = tuple[tuple[str, float], ...]
_LEFT_WAYS: dict[str, tuple[_Way, ...]] = {
    "FL": ((("FC", _HALF_POWER),),),
    "FLC": ((("FL", _HALF_POWER), ("FC", _HALF_POWER)), (("FL", 1.0),)),
    "WL": ((("FL", _HALF_POWER), ("SL", _HALF_POWER)), (("FL", 1.0),)),
    "SL": ((("BL", 1.0),), (("BC", _HALF_POWER),), (("FL", _HALF_POWER),)),
    "BL": ((("SL", 1.0),), (("BC", _HALF_POWER),), (("FL", _HALF_POWER),)),
    "SDL": ((("SL", 1.0),),),
    "SSL": ((("SL", 1.0),),),
    "DL": ((("FL", 1.0),),),
    "BFL": ((("FL", _HALF_POWER),),),
    "TFL": ((("TSL", 1.0),), (("FL", _HALF_POWER),)),
    "TSL": (
        (("TFL", _HALF_POWER), ("TBL", _HALF_POWER)),
        (("TFL", 1.0),),
        (("SL", _HALF_POWER),),
    ),
    "TBL": ((("TSL", 1.0),), (("TFL", _HALF_POWER),), (("BL", _HALF_POWER),), (("SL", _HALF_POWER),)),
    "TTL": ((("TSL", 1.0),),),
}
_MIDDLE_WAYS: dict[str, tuple[_Way, ...]] = {
    "FC": ((("FL", _HALF_POWER), ("FR", _HALF_POWER)),),
    "BC": ((("BL", _HALF_POWER), ("BR", _HALF_POWER)), (("SL", _HALF_POWER), ("SR", _HALF_POWER))),
    "TC": (
        (("TFL", 0.5), ("TFR", 0.5), ("TBL", 0.5), ("TBR", 0.5)),
        (("TFL", _HALF_POWER), ("TFR", _HALF_POWER)),
        (("FC", _HALF_POWER),),
    ),
    "TFC": ((("TFL", _HALF_POWER), ("TFR", _HALF_POWER)), (("FC", _HALF_POWER),)),
    "TBC": ((("TBL", _HALF_POWER), ("TBR", _HALF_POWER)), (("BC", _HALF_POWER),)),
    "BFC": ((("FC", _HALF_POWER),),),
    "LFE": ((("LFE2", 1.0),), ()),
    "LFE2": ((("LFE", 1.0),), ()),
}


def _mirrored(speaker: str) -> str:
    """The right side's speaker for one of the left."""
    return speaker.replace("LC", "RC") if speaker == "FLC" else re.sub("L$", "R", speaker)


_WAYS = {
    **_LEFT_WAYS,
    **_MIDDLE_WAYS,
    **{
        _mirrored(speaker): tuple(tuple((_mirrored(s), gain) for s, gain in way) for way in ways)
        for speaker, ways in _LEFT_WAYS.items()
    },
}


@dataclass(frozen=True)
class Layout:
    """The speakers of a sound's channels, in the channels' order, such as ("FL", "FR").

    Channels that are for no speaker in particular are called "CH1", "CH2" and so on. Raises SettingsError where
    there is none, one that nobody knows, or one twice.
    """

    speakers: tuple[str, ...]

    def __post_init__(self) -> None:
        strange = [s for s in self.speakers if s not in _RANK and not s.startswith("CH")]
        if not self.speakers or strange or len(set(self.speakers)) < len(self.speakers):
            raise SettingsError(
                f"'{'+'.join(self.speakers)}' is not a channel layout; use a name such as stereo or 5.1."
            )

    @classmethod
    def of_count(cls, channels: int) -> Self:
        """What a number of channels is where nothing says more: 5.1 in WAV order for six, and so on up to eight."""
        if channels in _ASSUMED:
            return cls(_NAMED[_ASSUMED[channels]])
        return cls.discrete(channels)

    @classmethod
    def of_mask(cls, mask: int, channels: int) -> Self:
        """A WAV file's dwChannelMask; one that names another number of speakers says nothing."""
        found = tuple(speaker for bit, speaker in enumerate(_MASKED) if mask >> bit & 1)
        return cls(found) if len(found) == channels else cls.of_count(channels)

    @classmethod
    def named(cls, text: str) -> Self:
        """A layout by any name that FFmpeg or a host has for it, or by its speakers.

        "5.1(side)", "Quad", "LRC", "5.1film", "Adaptive 6", "6 channels", "6 channels (FL+FC+FR+SL+SR+LFE)" and
        "FL+FR+FC" are such names. Raises SettingsError for others.
        """
        name = text.strip()
        known = _NAMED.get(name.lower()) or _HOSTS.get(name.lower())
        if known is not None:
            return cls(known)
        counted = _COUNTED.fullmatch(name.lower())
        if counted is not None and int(counted[1]):
            return cls.of_count(int(counted[1]))
        listed = _LISTED.fullmatch(name)
        if listed is None:
            raise SettingsError(f"{text!r} is not a channel layout; use a name such as stereo or 5.1.")
        return cls(tuple(speaker.partition("@")[0] for speaker in listed[1].split("+")))

    @classmethod
    def discrete(cls, channels: int) -> Self:
        """Channels that are for no speaker in particular, such as ambisonics or a recordist's microphones."""
        return cls(tuple(f"CH{n + 1}" for n in range(channels)))

    @classmethod
    def joined(cls, parts: Sequence[Layout]) -> Self:
        """Streams or files side by side that are one sound.

        Single channels that are for speakers of their own are those; several mono ones are what their number says
        (broadcasters lay 5.1 on six tracks as L R C LFE Ls Rs, EBU R 123). Two are a stereo pair; of anything else
        no speaker is known.
        """
        speakers = tuple(speaker for part in parts for speaker in part.speakers)
        if len(parts) == 1 or len(speakers) <= 2:
            return cls(speakers) if len(parts) == 1 else cls.of_count(len(speakers))
        if len(parts) < len(speakers):
            return cls.discrete(len(speakers))
        distinct = len(set(speakers)) == len(speakers) and all(speaker in _RANK for speaker in speakers)
        return cls(speakers) if distinct else cls.of_count(len(speakers))

    @classmethod
    def called(cls, figures: str) -> tuple[Self, ...]:
        """The layouts whose `figures` these are, the usual one first; none for figures that no layout has."""
        found = [cls(speakers) for speakers in _NAMED.values()]
        usual = [cls.of_count(channels) for channels in _ASSUMED]
        return tuple(dict.fromkeys(layout for layout in (*usual, *found) if layout.figures == figures))

    def pick(self, channels: Sequence[int]) -> Self:
        """The layout of some of the channels, played as a sound of their own.

        All of them play as they are, one is mono and two are a stereo pair, in whichever order they are taken:
        that is how a host's track takes them. Others keep their speakers if they are in order.
        """
        whole = type(self)
        if len(channels) == self.channels:
            return whole(self.speakers)
        taken = tuple(self.speakers[channel] for channel in channels)
        if len(channels) <= 2 or not self.placed or list(channels) != sorted(set(channels)):
            return whole.of_count(len(channels))
        return whole(taken)

    @property
    def channels(self) -> int:
        """How many channels there are."""
        return len(self.speakers)

    @property
    def placed(self) -> bool:
        """Whether every channel is for a speaker."""
        return all(speaker in _RANK for speaker in self.speakers)

    @cached_property
    def wav_order(self) -> tuple[int, ...]:
        """The channels' numbers in the order of a WAV file; as they are where not all have a place."""
        if not self.placed:
            return tuple(range(self.channels))
        return tuple(sorted(range(self.channels), key=lambda channel: _RANK[self.speakers[channel]]))

    def in_wav_order(self) -> Self:
        """The same speakers in the order of a WAV file."""
        return type(self)(tuple(self.speakers[channel] for channel in self.wav_order))

    @property
    def mask(self) -> int:
        """A WAV file's dwChannelMask; 0 where it cannot say this layout."""
        if self.speakers != self.in_wav_order().speakers or not set(self.speakers) <= set(_MASKED):
            return 0
        return sum(1 << _RANK[speaker] for speaker in self.speakers)

    @property
    def weights(self) -> Matrix:
        """BS.1770's weight of every channel (channels,): 0 for LFE, 1.41 for speakers beside the listener, else 1.

        ITU-R BS.1770-4 annex 1 and BS.1770-5 annex 3. Back speakers count as beside where there are no side ones
        (5.1's at 110°; 7.1's are at 135°), left and right where a layout of three levels has them at 60° (22.2). A
        single channel is a programme of its own, whichever speaker it was made for.
        """
        if self.channels == 1:
            return np.ones(1)
        beside = set(_BESIDE)
        beside |= set() if beside & {"SL", "SR"} & set(self.speakers) else {"BL", "BR"}
        beside |= {"FL", "FR"} if "BFL" in self.speakers else set()
        return np.array([0.0 if s in _LFE else _LOUDER if s in beside else 1.0 for s in self.speakers])

    @property
    def mono(self) -> Weights:
        """Weights (channels,) of the mono sound a model hears: the mean of BS.775's downmix to stereo, to 4 places."""
        if not self.placed or self.channels == 1:
            return np.full(self.channels, 1 / self.channels, np.float32)
        both = self.routing(Layout(_NAMED["stereo"]))
        return np.asarray(np.round(both.mean(axis=0), 4), np.float32)

    def routing(self, target: Layout) -> Matrix:
        """Gains (target channels, channels) that bring this sound to another layout's speakers.

        Every channel goes to its own speaker. A mono sound goes to the centre, or as it is to both sides where there
        is none. Side and back surrounds stand in for each other, at -3 dB where two pairs share one. What has no
        place is folded down by ITU-R BS.775-3; only the LFE is then left out, as there. Channels without a place
        keep their number, or are heard in equal parts in front where there is no room.
        """
        return _routing(self, target)

    @property
    def ffmpeg(self) -> str:
        """FFmpeg's name, which its filters and encoders understand."""
        if not self.placed:
            return f"{self.channels} channels"
        return _FFMPEG.get(self.speakers) or "+".join(self.speakers)

    @property
    def figures(self) -> str:
        """Channels around the listener, LFEs and heights as file names have them: "2.0", "5.1", "7.1.4"."""
        low = sum(speaker in _LFE for speaker in self.speakers)
        high = sum(speaker.startswith("T") for speaker in self.speakers)
        return f"{self.channels - low - high}.{low}" + (f".{high}" if high else "")

    @property
    def title(self) -> str:
        """The layout as a person is told it: "mono", "stereo", "5.1", "12 channels"."""
        if self.ffmpeg in ("mono", "stereo", "quad"):
            return self.ffmpeg
        return self.figures if self.placed else self.ffmpeg

    @property
    def labels(self) -> tuple[str, ...]:
        """What mixing rooms call the channels: ("L", "R", "C", "LFE", "Ls", "Rs"); mono is "M".

        The back ones are Ls and Rs, or Lrs and Rrs beside side ones.
        """
        if self.speakers == _NAMED["mono"]:
            return ("M",)
        rear = ("Lrs", "Rrs") if "SL" in self.speakers or "SR" in self.speakers else ("Ls", "Rs")
        names = {**_LABELS, "BL": rear[0], "BR": rear[1]}
        return tuple(names.get(s, s.removeprefix("CH")) for s in self.speakers)

    @property
    def resolve(self) -> str:
        """DaVinci Resolve's audio type of a track that plays every channel as it is."""
        return _RESOLVE.get(self.ffmpeg.removesuffix("(side)"), f"adaptive{self.channels}")

    @property
    def premiere(self) -> str:
        """Premiere's channel type."""
        return _PREMIERE.get(self.figures if self.placed else "", "Adaptive")


@lru_cache(maxsize=256)
def _routing(source: Layout, target: Layout) -> Matrix:
    there = _speakers(target)
    if source.channels == 1:
        found = [_mono_into(there)]
    elif source.placed and _has_front(there):
        found = [_fold(speaker, frozenset(there)) for speaker in source.speakers]
        found = _shared(source.speakers, there, found)
    else:
        found = _side_by_side(source.channels, there)
    matrix = np.zeros((target.channels, source.channels))
    for channel, gains in enumerate(found):
        for speaker, gain in gains.items():
            matrix[there.index(speaker), channel] = gain
    matrix.flags.writeable = False
    return matrix


def _speakers(target: Layout) -> tuple[str, ...]:
    """The speakers to go to; a single one is mono, whichever it is called, and Lt and Rt are left and right."""
    if target.channels == 1:
        return ("FC",)
    return _NAMED["stereo"] if target.ffmpeg == "downmix" else target.speakers


def _has_front(there: Iterable[str]) -> bool:
    return "FC" in there or {"FL", "FR"} <= set(there)


def _mono_into(there: tuple[str, ...]) -> dict[str, float]:
    if "FC" in there:
        return {"FC": 1.0}
    return dict.fromkeys(("FL", "FR") if _has_front(there) else there[:1], 1.0)


def _fold(speaker: str, there: frozenset[str], seen: frozenset[str] = frozenset()) -> dict[str, float]:
    """Where one speaker's sound goes: gains by speaker."""
    if speaker in there:
        return {speaker: 1.0}
    ways = _WAYS[speaker]
    way = next((way for way in ways if all(s in there for s, _ in way)), ways[-1])
    found: dict[str, float] = {}
    for via, gain in way:
        if via in seen:
            continue
        for end, rest in _fold(via, there, seen | {speaker}).items():
            found[end] = found.get(end, 0.0) + gain * rest
    return found


def _shared(
    speakers: tuple[str, ...], there: tuple[str, ...], found: list[dict[str, float]]
) -> list[dict[str, float]]:
    """Both surround pairs 3 dB down where one pair has to take them."""
    around = ("SL", "SR", "BL", "BR")
    if not set(around) <= set(speakers) or set(around) <= set(there):
        return found
    return [
        {end: gain * _HALF_POWER for end, gain in gains.items()} if speaker in around else gains
        for speaker, gains in zip(speakers, found, strict=True)
    ]


def _side_by_side(channels: int, there: tuple[str, ...]) -> list[dict[str, float]]:
    """Channels by their number, or all of them in equal parts in front where there are too many."""
    if channels <= len(there):
        return [{speaker: 1.0} for speaker in there[:channels]]
    front = ("FL", "FR") if {"FL", "FR"} <= set(there) else ("FC",) if "FC" in there else there[:1]
    return [dict.fromkeys(front, 1 / channels) for _ in range(channels)]
