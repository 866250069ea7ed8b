"""Clicks through the whole house: a timeline in, new tracks out, every sample where it was.

The timelines are built with OpenTimelineIO and the written ones are read with it too, so that neither end of the
check is our own reader. What a host plays is worked out here by the rule hosts follow: a time in frames becomes the
nearest sample.
"""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
import soundfile as sf

RATES = {
    "23.976": Fraction(24000, 1001),
    "24": Fraction(24),
    "25": Fraction(25),
    "29.97": Fraction(30000, 1001),
    "30": Fraction(30),
    "50": Fraction(50),
    "59.94": Fraction(60000, 1001),
    "60": Fraction(60),
}
SECONDS = 24


def clicks(path: Path, rate: int, channels: int, seed: int) -> np.ndarray:
    """Clicks of distinct heights at odd places over a quiet floor, exact in 24 bits, (samples, channels)."""
    rng = np.random.default_rng(seed)
    n = rate * SECONDS
    x = 1e-3 * rng.standard_normal((n, channels))
    at = np.cumsum(rng.integers(rate // 9, rate // 5, size=8 * SECONDS))
    at = at[at < n]
    x[at] = rng.uniform(0.2, 0.9, (at.size, channels))
    x = np.round(x * 2**23) / 2**23
    sf.write(path, x, rate, subtype="PCM_24")
    return x


def half_up(value: Fraction) -> int:
    return int((value + Fraction(1, 2)) // 1)


def frames(count: float, rate: Fraction) -> otio.opentime.RationalTime:
    return otio.opentime.RationalTime(count, float(rate))


def span(start: float, length: float, rate: Fraction) -> otio.opentime.TimeRange:
    return otio.opentime.TimeRange(frames(start, rate), frames(length, rate))


def clip(
    name: str, path: Path, start: float, length: float, rate: Fraction, first: float = 0
) -> otio.schema.Clip:
    """A clip of `length` units from `start` units into its media, whose own time begins at `first` units."""
    units = int(Fraction(SECONDS) * rate // 1)
    reference = otio.schema.ExternalReference(path.as_uri(), span(first, units, rate))
    return otio.schema.Clip(
        name, reference, span(first + start, length, rate), metadata={"theirs": {"keep": [1.0, 2]}}
    )


class Programme:
    """A timeline with trims, gaps, nesting, mixed rates and an hour's offset, and what it plays where."""

    def __init__(self, folder: Path, rate: Fraction) -> None:
        self.rate = rate
        one, two = folder / "one 48k.wav", folder / "two.wav"
        self.media = {
            str(one): (48_000, clicks(one, 48_000, 2, 1)),
            str(two): (44_100, clicks(two, 44_100, 1, 2)),
        }
        self.played: list[tuple[Fraction, Path, Fraction, Fraction]] = []  # record, media, start, length
        self.timeline = otio.schema.Timeline(
            "clicks", global_start_time=frames(half_up(3600 * rate), rate), metadata={"theirs": {"show": "x"}}
        )
        first = otio.schema.Track("A1", kind="Audio")
        first.append(otio.schema.Gap(source_range=span(0, 13, rate)))
        first.append(clip("trim", one, 31, 67, rate))
        first.append(clip("offset media", two, 7, 41, rate, first=half_up(36_000 * rate)))
        inner = otio.schema.Track("inner", kind="Audio")
        inner.append(otio.schema.Gap(source_range=span(0, 9, rate)))
        inner.append(clip("nested", one, 101, 37, rate))
        stack = otio.schema.Stack("compound", children=[inner], source_range=span(5, 30, rate))
        first.append(otio.schema.Gap(source_range=span(0, 2, rate)))
        first.append(stack)
        second = otio.schema.Track("A2", kind="Audio")
        second.append(otio.schema.Gap(source_range=span(0, 48_001, Fraction(48_000))))
        second.append(clip("in samples", one, 12_347, 60_013, Fraction(48_000)))
        other = Fraction(25) if rate != 25 else Fraction(24)
        second.append(clip("another rate", one, 50, 29, other))
        self.timeline.tracks.extend([first, second])

        def play(record: Fraction, path: Path, start: Fraction, length: Fraction) -> None:
            self.played.append((record, path, start, length))

        play(13 / rate, one, 31 / rate, 67 / rate)
        play(80 / rate, two, 7 / rate, 41 / rate)
        # The compound is entered at frame 5: four frames of its gap remain, then 26 frames of the clip.
        play((80 + 41 + 2 + 4) / rate, one, 101 / rate, 26 / rate)
        play(Fraction(48_001, 48_000), one, Fraction(12_347, 48_000), Fraction(60_013, 48_000))
        play(Fraction(108_014, 48_000), one, 50 / other, 29 / other)
        self.path = folder / "in.otio"
        otio.adapters.write_to_file(self.timeline, str(self.path))


def exact(time: otio.opentime.RationalTime) -> Fraction:
    """A RationalTime in exact seconds, NTSC rates meant as they are meant."""
    near = {round(float(r), 2): r for r in RATES.values()}
    rate = near.get(round(time.rate, 2), Fraction(time.rate))
    return Fraction(time.value).limit_denominator(10**6) / rate


def rendered(path: Path, role: str = "rebalanced") -> list[tuple[Fraction, Path, Fraction, Fraction]]:
    """What the written timeline's new tracks of a role play, as OpenTimelineIO reads it."""
    out = []
    timeline = otio.adapters.read_from_file(str(path))
    for track in timeline.audio_tracks():
        if track.metadata.get("sightmix", {}).get("role") != role:
            continue
        at = Fraction(0)
        for child in track:
            length = exact(child.source_range.duration)
            if isinstance(child, otio.schema.Clip):
                reference = child.media_reference
                offset = exact(child.source_range.start_time) - exact(reference.available_range.start_time)
                media = Path(otio.url_utils.filepath_from_url(reference.target_url))
                available = exact(reference.available_range.duration)
                assert offset >= 0
                assert offset + length <= available
                out.append((at, media, offset, length))
            at += length
    return out


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sightmix.plugin.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", RATES)
def test_every_click_stays_on_its_sample(name: str, tmp_path: Path, tiny_model: str) -> None:
    programme = Programme(tmp_path, RATES[name])
    out = tmp_path / "out.otio"
    mixes = ("--category", "A1=mix", "--category", "A2=mix")
    options = ("--strength", 0, "--model", tiny_model, "--context", "none", *mixes)
    done = run("rebalance", programme.path, "-o", out, *options)
    assert done.returncode == 0, done.stderr
    found = sorted(rendered(out))
    wanted = sorted(programme.played)
    assert [(record, length) for record, _, _, length in found] == [(r, n) for r, _, _, n in wanted]
    for (_, path, offset, length), (_, media, start, _) in zip(found, wanted, strict=True):
        rate, original = programme.media[str(media)]
        sound, written_rate = sf.read(path, always_2d=True)
        assert written_rate == rate
        n = half_up((start + length) * rate) - half_up(start * rate)
        first, there = half_up(offset * rate), half_up(start * rate)
        assert np.array_equal(sound[first : first + n], original[there : there + n])
        assert first > 0, "handles are there"


def stripped(node: object) -> object:
    """A parsed timeline without what we add: our tracks, and nothing else."""
    if isinstance(node, dict):
        kept = {k: stripped(v) for k, v in node.items()}
        if isinstance(kept.get("children"), list):
            kept["children"] = [
                c
                for c in kept["children"]
                if not (isinstance(c, dict) and "sightmix" in (c.get("metadata") or {}))
            ]
        return kept
    return [stripped(v) for v in node] if isinstance(node, list) else node


def test_a_rerun_replaces_its_own_and_theirs_survives_to_the_byte(tmp_path: Path, tiny_model: str) -> None:
    programme = Programme(tmp_path, RATES["29.97"])
    raw = json.loads(programme.path.read_text())
    raw["metadata"]["theirs"]["odd"] = {
        "float": 24.0,
        "int": 24,
        "text": "ä\u2028",
        "none": None,
        "deep": [[1e-9]],
    }
    raw["tracks"]["children"][0]["unknown_key"] = {"OTIO_SCHEMA": "Marker.3", "new": True}
    programme.path.write_text(json.dumps(raw, indent=4))
    out, again, third = tmp_path / "out.otio", tmp_path / "again.otio", tmp_path / "third.otio"
    model = ("--model", tiny_model, "--context", "none", "--stems", "--unit", "clip")
    options = (*model, "--keep-originals")
    assert run("rebalance", programme.path, "-o", out, *options).returncode == 0
    first = out.read_bytes()
    assert run("rebalance", programme.path, "-o", out, *options).returncode == 0
    assert out.read_bytes() == first
    written = json.loads(first)
    assert json.dumps(stripped(written)) == json.dumps(raw)
    assert len(written["tracks"]["children"]) == 2 + 2 * 4

    # A run over our own result finds the editor's clips only, and puts its tracks in the place of the old ones.
    assert run("rebalance", out, "-o", again, *options).returncode == 0
    redone = json.loads(again.read_bytes())
    assert len(redone["tracks"]["children"]) == 2 + 2 * 4
    assert json.dumps(stripped(redone)) == json.dumps(raw)
    assert run("rebalance", again, "-o", third, *model).returncode == 0
    muted = json.loads(third.read_bytes())["tracks"]["children"]
    assert [track["enabled"] for track in muted[:2]] == [False, False]


def test_stems_on_the_timeline_sum_to_the_rebalanced_track(tmp_path: Path, tiny_model: str) -> None:
    programme = Programme(tmp_path, RATES["25"])
    out = tmp_path / "out.otio"
    mixes = ("--category", "A1=mix", "--category", "A2=mix")
    options = ("--model", tiny_model, "--context", "none", "--stems", *mixes)
    done = run("rebalance", programme.path, "-o", out, *options)
    assert done.returncode == 0, done.stderr
    mixes = sorted(rendered(out))
    stems = [sorted(rendered(out, role)) for role in ("dialogue", "music", "effects")]
    for place, mix in enumerate(mixes):
        parts = [stem[place] for stem in stems]
        assert {(p[0], p[2], p[3]) for p in parts} == {(mix[0], mix[2], mix[3])}
        total = sum(sf.read(p[1], dtype="float64", always_2d=True)[0] for p in parts)
        error = np.abs(total - sf.read(mix[1], dtype="float64", always_2d=True)[0]).max()
        assert 20 * np.log10(error + 1e-12) <= -120
