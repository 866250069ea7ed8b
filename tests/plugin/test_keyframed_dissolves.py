"""Stems times their curves are the baked mix in the handles too, where dissolves play them."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import timeline_kit as kit
from job_helpers import ALONE, RATE, heard
from sightmix.engine.progress import Progress
from sightmix.plugin.jobs.plan import Job, make_plan
from sightmix.plugin.jobs.rebalance import stage_for
from sightmix.plugin.jobs.run import run
from sightmix.plugin.jobs.settings import JobSettings
from sightmix.plugin.timeline import open_timeline


def film_sound(path: Path) -> str:
    """Twelve seconds that swell, so that gains move all the time."""
    rng = np.random.default_rng(7)
    t = np.arange(12 * RATE) / RATE
    swell = 0.06 * (1.1 + np.sin(t * 2.1))
    x = (
        swell[:, None] * rng.standard_normal((t.size, 2))
        + 0.1 * np.sin(t * 900 * (1 + 0.1 * np.sin(t)))[:, None]
    )
    sf.write(path, x, RATE, subtype="PCM_24")
    return str(path)


def reel(folder: Path, dialect: str) -> Path:
    """Two clips with a dissolve of two seconds, and one more after it that fades out."""
    url = film_sound(folder / "a.wav")
    host = {"Resolve_OTIO": {}} if dialect == "resolve" else {}

    def clip(start: float) -> dict:
        return kit.clip(
            "x", kit.tr(start, 75, 25.0), kit.external(url, kit.tr(0, 300, 25.0)), metadata=dict(host)
        )

    def fade(tail: float = 25) -> dict:
        return {
            "OTIO_SCHEMA": "Transition.1",
            "metadata": {},
            "name": "",
            "in_offset": kit.rt(25, 25.0),
            "out_offset": kit.rt(tail, 25.0),
            "transition_type": "SMPTE_Dissolve",
        }

    track = kit.track("Audio", clip(50), fade(), clip(175), fade(0), name="A1")
    track["metadata"] = {"Resolve_OTIO": {"Audio Type": "Stereo"}} if dialect == "resolve" else {}
    return kit.save(folder / "reel.otio", kit.timeline(track, start=kit.rt(90000, 25.0)))


@pytest.mark.parametrize("dialect", ["resolve", "otio"])
def test_keyframed_stems_are_the_baked_mix_through_dissolves(
    tiny_model: str, tmp_path: Path, dialect: str
) -> None:
    source = reel(tmp_path, dialect)
    sums = []
    for form in ("baked", "keyframes"):
        settings = JobSettings(
            model=tiny_model,
            context="none",
            device="cpu",
            handles=30,
            effects=-9.0,
            **(ALONE | {"as_": form, "keep_originals": False}),
        )
        stage = stage_for(settings)
        request = Job(source, tmp_path / f"{form}.otio", settings)
        sums.append(heard(run(make_plan(request, open_timeline(source), stage), stage, Progress()).out, 6))
    baked, keyed = sums
    curves = json.loads((tmp_path / "keyframes.otio").read_text())["tracks"]["children"][-1]["children"]
    gains = next(
        c["metadata"]["sightmix"]["gain"]["db"] for c in curves if "gain" in c["metadata"].get("sightmix", {})
    )
    assert max(gains) - min(gains) > 0.1
    error = np.sqrt(((baked - keyed) ** 2).reshape(-1, RATE // 5 * 2).mean(axis=1))
    level = np.sqrt((baked**2).reshape(-1, RATE // 5 * 2).mean(axis=1))
    assert (20 * np.log10((error + 1e-12) / level)).max() <= -60
