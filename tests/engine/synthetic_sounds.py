"""A source of invented speech, music and effects for the trainer's tests."""

import numpy as np
from sightmix.engine.training.scenes.scene import Drawn

RATE = 44_100


class SyntheticSource:
    """Gated tones are speech, chords music, decaying noise effects; picture pk shows effect k."""

    def __init__(self):
        rng = np.random.default_rng(5)
        t = np.arange(12 * RATE) / RATE
        self.sounds = {"speech": [], "music": [], "effects": []}
        for k in range(4):
            s = t[: RATE * (1 + k % 3)]
            voice = np.sin(2 * np.pi * (130 + 40 * k) * s) * np.abs(
                np.sin(9 * s)
            ) + 0.02 * rng.standard_normal(s.size)
            self.sounds["speech"].append(voice)
        for root in (196.0, 247.0):
            chord = sum(np.sin(2 * np.pi * root * r * t) / r for r in (1, 1.25, 1.5, 3))
            self.sounds["music"].append(chord * (1.3 + np.sin(2.5 * t)))
        for seconds in (0.3, 1.0, 3.0):
            n = int(seconds * RATE)
            self.sounds["effects"].append(rng.standard_normal(n) * np.exp(-np.arange(n) / (0.2 * n)))
        self.sounds = {k: [0.3 * x.astype(np.float32) for x in v] for k, v in self.sounds.items()}
        self.asked_near = 0

    def draw(self, kind, rng, samples, near=None):
        self.asked_near += near is not None
        k = int(rng.integers(len(self.sounds[kind])))
        audio = self.sounds[kind][k]
        if audio.size > samples:
            start = int(rng.integers(audio.size - samples + 1))
            audio = audio[start : start + samples]
        return Drawn(audio, f"{kind}{k}", "invented", f"p{k}" if kind == "effects" else None)

    def draw_picture(self, rng):
        return f"p{int(rng.integers(3))}"

    def draw_subject(self, rng, kind):
        return self.draw_picture(rng) if kind == "effects" else None


class BlindSource(SyntheticSource):
    """The same without pictures."""

    def draw_picture(self, rng):
        return None
