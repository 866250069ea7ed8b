"""Exact time: seconds as fractions, one rounding rule, NTSC rates and SMPTE timecode."""

from __future__ import annotations

import re
from fractions import Fraction
from math import floor, isfinite

from ..errors import SettingsError

_NTSC = tuple(Fraction(n * 1000, 1001) for n in (24, 30, 48, 60, 120))
_NTSC_TOLERANCE = Fraction(1, 200)
_HALF = Fraction(1, 2)
_TIMECODE = re.compile(r"([0-9]{1,2})([:;])([0-9]{2})([:;])([0-9]{2})([:;.])([0-9]{2,3})")


def round_half_up(value: Fraction) -> int:
    """The nearest integer, halves upwards (also below zero): the only rounding of time in sightmix."""
    return floor(value + _HALF)


def snap_rate(rate: float | Fraction) -> Fraction:
    """The exact frame rate meant by `rate` in Hz: 23.976, 23.98, 29.97 … 119.88 become n·1000/1001.

    Raises SettingsError for a rate that is not a positive number.
    """
    if isinstance(rate, float) and not isfinite(rate):
        raise SettingsError(
            f"A frame rate of {rate} is not a number; give frames per second, such as 25 or 29.97."
        )
    exact = Fraction(rate)
    if exact <= 0:
        raise SettingsError(f"A frame rate of {rate} is not possible; give frames per second above zero.")
    for ntsc in _NTSC:
        if abs(exact - ntsc) <= _NTSC_TOLERANCE:
            return ntsc
    simple = exact.limit_denominator(1001)
    return simple if float(simple) == float(exact) else exact


def to_samples(t: Fraction, rate: int) -> int:
    """Seconds to whole samples at `rate` Hz, halves upwards."""
    return round_half_up(t * rate)


def to_frames(t: Fraction, fps: Fraction) -> int:
    """Seconds to whole picture frames at `fps` Hz, halves upwards."""
    return round_half_up(t * fps)


def _nominal(fps: Fraction) -> int:
    """Frames counted per timecode second: 30 for 29.97."""
    if fps <= 0:
        raise SettingsError(f"A frame rate of {fps} is not possible; give frames per second above zero.")
    return max(1, round_half_up(fps))


def _dropped(fps: Fraction) -> int:
    """Frame numbers left out per minute by drop-frame timecode (SMPTE ST 12-1): 2 at 29.97, 4 at 59.94."""
    nominal = _nominal(fps)
    if fps != Fraction(nominal * 1000, 1001) or nominal % 30:
        raise SettingsError(
            f"Drop-frame timecode does not exist at {float(fps):.6g} frames per second; use 29.97 or 59.94."
        )
    return nominal // 15


def timecode(t: Fraction, fps: Fraction, drop_frame: bool = False) -> str:
    """Time of day `t` in seconds as SMPTE timecode "hh:mm:ss:ff", with ";" before the frames when dropping.

    Times wrap at 24 h in both directions. Raises SettingsError for drop-frame at a rate that has none.
    """
    nominal = _nominal(fps)
    dropped = _dropped(fps) if drop_frame else 0
    day = 24 * (3600 * nominal - 54 * dropped)
    count = to_frames(t, fps) % day
    if dropped:
        tens, rest = divmod(count, 600 * nominal - 9 * dropped)
        count += 9 * dropped * tens
        if rest >= 60 * nominal:
            count += dropped * ((rest - 60 * nominal) // (60 * nominal - dropped) + 1)
    seconds, frames = divmod(count, nominal)
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours:02d}:{minutes:02d}:{seconds % 60:02d}{';' if drop_frame else ':'}{frames:02d}"


def parse_timecode(text: str, fps: Fraction) -> Fraction:
    """Seconds since midnight of an SMPTE timecode at `fps` Hz; ";" or "." before the frames: drop-frame.

    Raises SettingsError for text that is no timecode, or names a frame that does not exist at this rate.
    """
    match = _TIMECODE.fullmatch(text.strip())
    if match is None:
        raise SettingsError(f"{text!r} is not a timecode; write hh:mm:ss:ff, or hh:mm:ss;ff for drop-frame.")
    hours, minutes, seconds, frames = (int(match.group(i)) for i in (1, 3, 5, 7))
    nominal = _nominal(fps)
    if hours > 23 or minutes > 59 or seconds > 59 or frames >= nominal:
        raise SettingsError(f"Timecode {text!r} does not exist at {float(fps):.6g} frames per second.")
    count = ((hours * 60 + minutes) * 60 + seconds) * nominal + frames
    if match.group(6) != ":":
        dropped = _dropped(fps)
        if minutes % 10 and not seconds and frames < dropped:
            raise SettingsError(
                f"Timecode {text!r} is one of the numbers that drop-frame timecode leaves out."
            )
        whole_minutes = hours * 60 + minutes
        count -= dropped * (whole_minutes - whole_minutes // 10)
    return count / fps
