"""What compounds add to the level of the clips in them stays on the new clips that stand for those."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from sightmix.engine.edit.media import Library
from sightmix.engine.edit.reader import read_edit
from sightmix.engine.media.layout import Layout
from sightmix.engine.programme.sound import mixed, voices
from sightmix.plugin.timeline import ResultClip, ResultTrack, open_timeline, write_result
from sightmix.plugin.timeline.load import load
from sightmix.plugin.timeline.results import Gain
from timeline_kit import clip, external, rt, save, stack, timeline, tr, track, wav

RATE = 48000
STEREO = Layout.of_count(2)


def volume(level: float = 0.0, keys: dict[int, float] | None = None, **fades: float) -> dict[str, Any]:
    listed = {str(frame): {"Value": db, "Variant Type": "Double"} for frame, db in (keys or {}).items()}
    parameters: list[dict[str, Any]] = [
        {"Parameter ID": "volume", "Parameter Value": level, "Key Frames": listed}
    ]
    parameters += [{"Parameter ID": name, "Parameter Value": frames} for name, frames in fades.items()]
    host = {"Effect Name": "Volume", "Enabled": True, "Name": "Volume", "Type": 62, "Parameters": parameters}
    return {"OTIO_SCHEMA": "Effect.1", "name": "", "effect_name": "", "metadata": {"Resolve_OTIO": host}}


CASES = {
    "compound's level": lambda c: stack(track("Audio", c([])), name="comp", effects=[volume(-12.0)]),
    "compound's line": lambda c: stack(
        track("Audio", c([])), name="comp", effects=[volume(keys={0: 0.0, 48: -20.0})]
    ),
    "compound's fades": lambda c: stack(
        track("Audio", c([])), name="comp", effects=[volume(faderIn=24.0, faderOut=12.0)]
    ),
    "trimmed keys": lambda c: stack(
        track("Audio", c([volume(keys={0: 0.0, 30: 0.0, 36: -20.0, 60: -20.0, 66: 0.0})])),
        name="comp",
        source_range=tr(30, 48),
    ),
    "trimmed fades": lambda c: stack(
        track("Audio", c([volume(faderIn=40.0)])), name="comp", source_range=tr(20, 48)
    ),
    "a clip's own": lambda c: c([volume(-6.0, faderIn=10.0)]),
}


def sounding(path: Path, role: str) -> np.ndarray[Any, Any]:
    """What the tracks of a role play, with their volume lines."""
    document = load(path, keep=True)
    edit = read_edit(document.root, Library(document.base))
    tracks = [t for t in edit.tracks if t.kind == "audio" and t.role == role]
    lanes = [[v for t in tracks for v in voices(t, RATE)]]
    return np.concatenate([b[0] for b in mixed(lanes, RATE, STEREO, 0, 4 * RATE)], axis=1)


@pytest.mark.parametrize("gain", [None, Gain((0.0,), (0.0,))], ids=["baked", "keyframes"])
@pytest.mark.parametrize("case", CASES, ids=list(CASES))
def test_results_are_as_loud_as_what_they_stand_for(tmp_path: Path, case: str, gain: Gain | None) -> None:
    media = tmp_path / "a.wav"
    soundfile.write(media, np.full((10 * RATE, 2), 0.5), RATE, subtype="PCM_24")
    words = {"Resolve_OTIO": {}}

    def playing(effects: list[Any]) -> dict[str, Any]:
        return clip("in", tr(24, 96), external(str(media), tr(0, 240)), effects=effects, metadata=words)

    source = save(
        tmp_path / "in.otio",
        timeline(track("Audio", CASES[case](playing), metadata=words), start=rt(0, 24), metadata=words),
    )
    opened = open_timeline(source)
    [one] = opened.clips
    start = int(one.passage(handles=0).sound.start * RATE)  # type: ignore[arg-type]
    file = ResultClip(media, RATE, 10 * RATE, 2, start)
    out = write_result(opened, {1: [ResultTrack("rebalanced", file, gain=gain)]}, tmp_path / "out.otio")
    before, after = sounding(out, ""), sounding(out, "rebalanced")
    assert np.abs(before).max() > 0.01
    # A line of ours has its points on frames, within 0.05 dB.
    loud = np.abs(before) > 1e-3
    assert np.allclose(after[loud], before[loud], rtol=0.02, atol=2e-3)


def test_a_clip_that_nothing_is_added_to_keeps_its_effects_to_the_byte(tmp_path: Path) -> None:
    words = {"Resolve_OTIO": {}}
    own = volume(-6.0, faderIn=10.0)
    media = external(str(wav(tmp_path / "a.wav")), tr(0, 240))
    kept = clip("in", tr(24, 96), media, effects=[own], metadata=words)
    source = save(
        tmp_path / "in.otio", timeline(track("Audio", kept, metadata=words), start=rt(0, 24), metadata=words)
    )
    file = ResultClip(tmp_path / "r.wav", RATE, 4 * RATE, 2)
    out = write_result(open_timeline(source), {1: [ResultTrack("rebalanced", file)]}, tmp_path / "out.otio")
    made = json.loads(out.read_text())["tracks"]["children"][-1]["children"][0]
    assert made["effects"] == [own]
