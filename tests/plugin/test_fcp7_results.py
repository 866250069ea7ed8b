"""Clip levels of an FCP 7 timeline count once, in the originals and in the results, baked or keyframed."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
from job_helpers import ALONE, heard
from sightmix.engine.progress import Progress
from sightmix.plugin.jobs.plan import Job, make_plan
from sightmix.plugin.jobs.rebalance import stage_for
from sightmix.plugin.jobs.run import run
from sightmix.plugin.jobs.settings import JobSettings
from sightmix.plugin.timeline import open_timeline

RATE = 48_000
DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE xmeml>
<xmeml version="5"><sequence id="s1"><name>seq</name><duration>150</duration>
<rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate>
<timecode><rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate><string>01:00:00:00</string><frame>90000</frame>
<displayformat>NDF</displayformat></timecode>
<media><audio><track><clipitem id="c1"><name>a.wav</name><duration>250</duration>
<rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate><start>0</start><end>150</end><in>25</in><out>175</out>
<file id="f1"><name>a.wav</name><pathurl>{url}</pathurl>
<rate><timebase>25</timebase><ntsc>FALSE</ntsc></rate><duration>250</duration><media><audio>
<samplecharacteristics><depth>24</depth><samplerate>48000</samplerate></samplecharacteristics>
<channelcount>2</channelcount></audio></media></file>
<filter><effect><name>Audio Levels</name><effectid>audiolevels</effectid><effectcategory>audiolevels</effectcategory>
<effecttype>audiolevels</effecttype><mediatype>audio</mediatype><parameter authoringApp="PremierePro">
<parameterid>level</parameterid><name>Level</name><valuemin>0</valuemin><valuemax>3.98109</valuemax>
<value>0.25</value>{keys}</parameter></effect></filter></clipitem></track></audio></media></sequence></xmeml>"""
KEYS = "".join(
    f"<keyframe><when>{when}</when><value>{value}</value></keyframe>"
    for when, value in ((25, "1"), (75, "0.25"), (125, "0.25"), (150, "2"))
)


def timeline(folder: Path, keys: str) -> Path:
    rng = np.random.default_rng(1)
    x = 0.05 * rng.standard_normal((10 * RATE, 2)) + 0.05 * np.sin(np.arange(10 * RATE) / 9)[:, None]
    sf.write(folder / "a.wav", x, RATE, subtype="PCM_24")
    path = folder / "reel.xml"
    path.write_text(DOCUMENT.format(url=(folder / "a.wav").as_uri(), keys=keys))
    return path


def levels(x: np.ndarray) -> np.ndarray:
    """dB of every 40 ms."""
    blocks = x[: len(x) // 1920 * 1920].reshape(-1, 1920 * 2)
    return 10 * np.log10((blocks**2).mean(axis=1))


@pytest.mark.parametrize("keys", ["", KEYS], ids=["level", "keyed"])
@pytest.mark.parametrize("form", ["baked", "keyframes"])
@pytest.mark.parametrize("suffix", [".otio", ".xml"])
def test_results_sound_as_loud_as_the_originals(
    tiny_model: str, tmp_path: Path, keys: str, form: str, suffix: str
) -> None:
    source = timeline(tmp_path, keys)
    given = {"model": tiny_model, "context": "none", "device": "cpu", "strength": 0.0}
    settings = JobSettings(**(ALONE | given | {"as_": form, "keep_originals": False}))
    stage = stage_for(settings)
    request = Job(source, tmp_path / f"out{suffix}", settings)
    result = run(make_plan(request, open_timeline(source), stage), stage, Progress())
    before, after = heard(source, 6), heard(result.out, 6)
    assert len(before) == len(after) == 6 * RATE
    media = np.asarray(sf.read(tmp_path / "a.wav", start=RATE, frames=6 * RATE)[0])
    assert levels(before)[75] - levels(media)[75] == pytest.approx(-12.04, abs=0.1)
    np.testing.assert_allclose(levels(after), levels(before), atol=0.1)


@pytest.mark.parametrize("where", ["</clipitem>", "</track>"])
def test_what_is_muted_in_the_document_does_not_play(tmp_path: Path, where: str) -> None:
    source = timeline(tmp_path, "")
    source.write_text(source.read_text().replace(where, f"<enabled>FALSE</enabled>{where}"))
    assert not heard(source, 6).any()
    assert not open_timeline(source).clips[0].enabled
