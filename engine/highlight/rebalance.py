"""Rebalancing a passage: sound and picture in, new sound, gain curves and figures out, as a stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..context.captions import TextEncoder, load_text_encoder
from ..context.encoders import PictureEncoder, load_encoder
from ..context.subjects import nearest
from ..errors import MediaError, ModelError
from ..media.container import layout_of
from ..media.loudness import Meter
from ..media.reader import probe, read_blocks
from ..media.takes import Takes
from ..media.time import to_samples
from ..media.writer import Bext, Ixml, Subtype, WavWriter, time_reference
from ..passage import GainCurves, Passage, Rendition
from ..progress import Progress
from ..roles import STEMS
from ..version import SHIPPED_MODEL, engine_version
from ..weights.store import load_card
from .backends import Network, open_network
from .bounce import frame_times
from .config import (
    HOP,
    LEVEL_BANDS,
    MODEL_RATE,
    REFERENCE_LUFS,
    WINDOW_FRAMES,
    WINDOW_SAMPLES,
    to_reference,
)
from .context import Glances, WindowContext, captions_context, empty_context, frames_context
from .identity import encoder_for, identity_of
from .listening import Listening, Score, listen
from .quality import masks_quality
from .settings import RebalanceSettings
from .spectral import GainRamps, MaskedStems, magnitudes
from .stream import WindowStream
from .told import Told
from .windows import cut_frames

Array = NDArray[np.float32]

CURVE_STEP = 4  # frames between points of the curves handed back: 93 ms
# A clip claiming more than this is a broken header, not a clip.
LONGEST = Fraction(24 * 3600)


class Rebalancer:
    """A loaded model with its context encoder, ready for any number of passages.

    `model` is a card's name; `device` "auto", "cpu", "cuda" or "cuda:n"; `context` one of `CONTEXTS` ("auto": frames,
    by the encoder the model was trained with). Raises `ModelError` in one sentence if anything is missing.
    """

    def __init__(
        self,
        model: str = SHIPPED_MODEL,
        device: str = "auto",
        context: str = "auto",
        *,
        backend: str = "auto",
        threads: int | None = None,
    ) -> None:
        card = load_card(model)
        self.model_name, self.weights_sha256 = card.name, card.sha256
        self.network: Network = open_network(card, device, backend, threads)
        self.device = self.network.device
        self.context = context
        self.glances: Glances | None = None  # of who asks about the same pictures again at once
        self.pictures: PictureEncoder | None = None
        self.texts: TextEncoder | None = None
        self.encoder_sha256 = ""
        encoder = encoder_for(card, context)
        if encoder:
            self.encoder_sha256 = identity_of(model, context).encoder_sha256
            self._load_encoder(encoder, context)

    def _load_encoder(self, name: str, context: str) -> None:
        device = "cuda" if self.device != "cpu" else "cpu"
        if context == "captions":
            self.texts = load_text_encoder(name, device)
        else:
            self.pictures = load_encoder(name, device, threads=1)

    def render(
        self, passage: Passage, settings: RebalanceSettings, folder: Path, stem_name: str, progress: Progress
    ) -> Rendition:
        """Rebalance a passage into `folder`/`stem_name`.wav, and with stems into `stem_name`.speech.wav and so on.

        24-bit BWF at the media's own rate and channels; 32-bit float only where a sample passes full scale, so that
        the loudness stage can bring it back. Raises `MediaError`, `WriteError`, `Cancelled`; nothing half-written
        remains.
        """
        return _Job(self, passage, settings, folder, stem_name, progress).run()

    def listen(self, score: Score, progress: Progress) -> Listening:
        """What the network says of a whole programme (`listening.listen`). Raises MediaError and Cancelled."""
        return listen(self, score, progress)

    def warm_up(self) -> None:
        """Run all of it once on nothing, so that who asks first does not wait for what is opened late."""
        seen = empty_context(self.network.config.context_dim or 1)
        sound = np.zeros((1, WINDOW_SAMPLES), np.float32)
        window = (magnitudes(sound[0])[None], sound, seen.features[None], seen.times[None], seen.valid[None])
        self.network.run(*window)
        levels = np.zeros((1, len(STEMS) * len(LEVEL_BANDS), WINDOW_FRAMES), np.float32)
        unsure, unheard = np.zeros((1, len(STEMS)), np.float32), np.zeros(1, np.float32)
        self.network.gains(*window, Told(levels, unsure, unheard))
        Meter(MODEL_RATE, 1).push(sound)
        if self.pictures is not None:
            picture = np.zeros((1, self.pictures.size, self.pictures.size, 3), np.uint8)
            with suppress(ModelError):  # of the subjects, which cost nothing but their names
                nearest(self.pictures.encode(picture))

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know of how the encoder runs, a sentence each."""
        return tuple(getattr(self.pictures or self.texts, "warnings", ()))

    def window_context(
        self, passage: Passage, start: Fraction, duration: Fraction, progress: Progress
    ) -> WindowContext:
        """Context of the window [start, start + duration) of passage time."""
        if self.pictures is not None and passage.shots:
            return frames_context(passage, start, duration, self.pictures, progress, self.glances)
        if self.texts is not None and passage.notes:
            return captions_context(passage, start, duration, self.texts)
        return empty_context(self.network.config.context_dim or 1)


class Analysis:
    """Masks and gains over a passage's sound as it streams by; the network hears it at the reference loudness.

    `lufs` is how loud the passage is, so that the same passage at another level gets the same masks and gains.
    """

    def __init__(
        self,
        network: Network,
        context: Callable[[Fraction, Fraction], WindowContext],
        rate: int,
        samples: int,
        weights: Array,
        cuts: NDArray[np.intp],
        origin: Fraction,
        lufs: float = REFERENCE_LUFS,
        check: Callable[[], None] | None = None,
    ) -> None:
        self.network, self._weights = network, weights * np.float32(to_reference(lufs))
        self.stream = WindowStream(self._predict, context, rate, samples, 1, cuts, origin, check)

    def push(self, block: Array, last: bool = False) -> Iterator[tuple[Array, Array, Array]]:
        """Take in sound (channels, n); yields masks (3, 2048, k), gains (3, k) dB and quality (3, k) dB of the stems.

        They come in order, as they become final.
        """
        for found in self.stream.push((self._weights @ block)[None].astype(np.float32), last):
            yield found[0], found[1], found[2]

    def _predict(self, sound: Array, context: WindowContext) -> tuple[Array, Array, Array]:
        spectrogram = magnitudes(sound[0])
        masks, gains = self.network.run(
            spectrogram[None],
            sound,
            context.features[None],
            context.times[None],
            context.valid[None],
        )
        return masks[0], gains[0], masks_quality(masks[0], spectrogram)


def _by_second(quality: Array) -> dict[str, tuple[float, ...]]:
    """Quality (3, T) as a figure a second for each stem."""
    step = round(MODEL_RATE / HOP)
    starts = np.arange(0, quality.shape[1], step)
    counts = np.diff([*starts, quality.shape[1]])
    means = np.add.reduceat(quality, starts, axis=1) / counts
    return {stem: tuple(round(float(v), 2) for v in row) for stem, row in zip(STEMS, means, strict=True)}


class _StemLevels:
    """Integrated loudness of each stem, before and after its gain, on a mono downmix."""

    def __init__(self, rate: int, weights: Array) -> None:
        self._weights = weights
        self._meters = [(Meter(rate, 1, true_peak=False), Meter(rate, 1, true_peak=False)) for _ in STEMS]

    def push(self, stems: Array, gains: Array) -> None:
        """Stems (3, channels, n) before their gains (3, n)."""
        mono = np.einsum("scn,c->sn", stems, self._weights)
        for (before, after), sound, gain in zip(self._meters, mono, gains, strict=True):
            before.push(sound[None])
            after.push((sound * gain)[None])

    def result(self) -> dict[str, tuple[float, float]]:
        return {
            name: (before.result().integrated, after.result().integrated)
            for name, (before, after) in zip(STEMS, self._meters, strict=True)
        }


class _Job:
    """One rendering of one passage."""

    def __init__(
        self,
        owner: Rebalancer,
        passage: Passage,
        settings: RebalanceSettings,
        folder: Path,
        stem_name: str,
        progress: Progress,
    ) -> None:
        self.owner, self.passage, self.settings, self.progress = owner, passage, settings, progress
        self.path = folder / f"{stem_name}.wav"
        self.stem_paths = (
            {name: folder / f"{stem_name}.{name}.wav" for name in STEMS} if settings.stems else {}
        )
        sound = passage.sound
        if sound.stamp is not None:
            sound.stamp.check(sound.path)
        info = probe(sound.path)
        self.told = list(info.remarks)
        if not info.audio:
            raise MediaError(f"{sound.path} has no sound; choose a file with an audio stream.")
        layout = layout_of(info, sound.channels)
        self.rate = info.audio[sound.channels[0].stream if sound.channels else 0].sample_rate
        self.layout, self.channels = layout.in_wav_order(), layout.channels
        self.picks = sound.channels and tuple(sound.channels[channel] for channel in layout.wav_order)
        # The host finds the clip at round(head · rate) of our file, so count the head in whole samples first.
        head = to_samples(passage.head, self.rate)
        clip = to_samples(sound.start, self.rate)
        self.first = clip - head
        self.samples = (
            head
            + to_samples(sound.start + sound.duration, self.rate)
            - clip
            + to_samples(passage.tail, self.rate)
        )
        if sound.duration <= 0 or self.samples <= 0:
            raise MediaError(f"The clip '{passage.name}' has no length; remove it or give it a duration.")
        if sound.duration > LONGEST:
            raise MediaError(
                f"The clip '{passage.name}' claims to last {float(sound.duration) / 3600:.1f} hours; "
                "its range is damaged, so relink or trim it."
            )

    def run(self) -> Rendition:
        """Render the passage in one pass over its sound."""
        weights = self.layout.mono
        before = Meter(self.rate, self.channels, self.layout)
        after = Meter(self.rate, self.channels, self.layout)
        levels = _StemLevels(self.rate, weights)
        spent = {"mix": 0.0, "write": 0.0, "read": 0.0}
        analysis = self._analysis(weights, self._loudness(weights, spent))
        mixer = MaskedStems(self.rate, self.channels, 2)
        ramps = GainRamps(self.rate, len(STEMS))
        curves: list[Array] = []
        qualities: list[Array] = []
        done = 0
        with ExitStack() as stack:
            stack.callback(analysis.stream.close)
            out = stack.enter_context(Takes([self.path, *self.stem_paths.values()], self._writer))
            for block, last in self._blocks(spent):
                for masks, gains, quality in analysis.push(block, last):
                    qualities.append(quality)
                    curves.append(self.settings.strength * gains + self.settings.offsets_db)
                    ramps.extend(curves[-1])
                    mixer.extend(masks[:2])
                clock = time.perf_counter()
                mixer.push(block)
                dry, wet = mixer.pull(last)
                mixed, stems, applied = self._mix(dry, wet, ramps)
                before.push(dry)
                after.push(mixed)
                levels.push(stems, applied)
                spent["mix"] += (now := time.perf_counter()) - clock
                out.write([mixed, *self._written(stems, applied)])
                spent["write"] += time.perf_counter() - now
                done += dry.shape[1]
                self.progress.report(
                    "rebalance", self.passage.name, done / self.rate, self.samples / self.rate
                )
            result = after.result()
            out.set_loudness(0, result)
        return Rendition(
            identifier=self.passage.identifier,
            path=self.path,
            start=-self.passage.head,
            samples=self.samples,
            sample_rate=self.rate,
            channels=self.channels,
            before=before.result(),
            after=result,
            gains=self._curves(np.concatenate(curves, axis=1)),
            stems=dict(self.stem_paths),
            raw_stems=bool(self.stem_paths) and self.settings.raw_stems,
            stem_levels=levels.result(),
            stem_quality=_by_second(np.concatenate(qualities, axis=1)),
            frames=tuple(analysis.stream.frames),
            provenance=self._provenance(analysis, spent),
            warnings=(*self.owner.remarks, *analysis.stream.warnings, *dict.fromkeys(self.told)),
        )

    def _written(self, stems: Array, applied: Array) -> list[Array]:
        """Stems (3, channels, n) as their files get them: after their gains (3, n), or before; none if unasked."""
        if not self.stem_paths:
            return []
        return list(stems) if self.settings.raw_stems else list(stems * applied[:, None])

    def _loudness(self, weights: Array, spent: dict[str, float]) -> float:
        """How loud the passage's downmix is, LUFS."""
        meter = Meter(self.rate, 1, true_peak=False)
        for block, _ in self._blocks(spent):
            meter.push((weights @ block)[None].astype(np.float32))
            self.progress.check()
        return meter.result().integrated

    def _analysis(self, weights: Array, lufs: float) -> Analysis:
        origin = -self.passage.head
        cuts = [shot.start for shot in self.passage.shots[1:]]

        def context(start: Fraction, duration: Fraction) -> WindowContext:
            return self.owner.window_context(self.passage, start, duration, self.progress)

        at = cut_frames(cuts, origin)
        return Analysis(
            self.owner.network,
            context,
            self.rate,
            self.samples,
            weights,
            at,
            origin,
            lufs,
            self.progress.check,
        )

    def _blocks(self, spent: dict[str, float]) -> Iterator[tuple[Array, bool]]:
        """The passage's sound, each block with whether it is the last."""
        taken = 0
        clock = time.perf_counter()
        span = self.first, self.samples, self.picks
        for block in read_blocks(
            self.passage.sound.path, *span, tell=self.told.append, stamp=self.passage.sound.stamp
        ):
            spent["read"] += time.perf_counter() - clock
            taken += block.shape[1]
            yield block, taken == self.samples
            clock = time.perf_counter()

    def _mix(self, dry: Array, wet: Array, ramps: GainRamps) -> tuple[Array, Array, Array]:
        """Rebalanced sound (channels, n), stems (3, channels, n) that sum to the dry sound, gains (3, n)."""
        gains = ramps.pull(dry.shape[1])
        stems = np.concatenate([wet, (dry - wet[0] - wet[1])[None]])
        # Written as changes to the dry sound, so that equal gains cost no precision and 0 dB is the identity.
        speech, music, effects = gains
        mixed = effects * dry + (speech - effects) * wet[0] + (music - effects) * wet[1]
        return mixed.astype(np.float32), stems, gains

    def _writer(self, path: Path, subtype: Subtype) -> WavWriter:
        passage = self.passage
        start = passage.record_offset + passage.record_start - passage.head
        bext = Bext(
            description=f"{passage.name} rebalanced by sightmix",
            time_reference=time_reference(start, self.rate),
        )
        ixml = Ixml(note=bext.description, timecode_rate=passage.timecode_rate, drop_frame=passage.drop_frame)
        return WavWriter(
            path, self.rate, self.channels, subtype=subtype, bext=bext, ixml=ixml, layout=self.layout
        )

    def _curves(self, gains_db: Array) -> GainCurves:
        # Whoever applies the curves needs every point, and finely enough that the product is the mix to 24 bits.
        step, places, digits = (1, 9, 6) if self.settings.raw_stems else (CURVE_STEP, 4, 3)
        times = frame_times(gains_db.shape[1])[::step] - float(self.passage.head)
        rows = [tuple(round(float(g), digits) for g in row[::step]) for row in gains_db]
        return GainCurves(tuple(round(float(t), places) for t in times), dict(zip(STEMS, rows, strict=True)))

    def _provenance(self, analysis: Analysis, spent: Mapping[str, float]) -> dict[str, object]:
        encoder = self.owner.pictures or self.owner.texts
        seconds = {
            "decode": spent["read"] + analysis.stream.seconds["decode"],
            "context": analysis.stream.seconds["context"],
            "network": analysis.stream.seconds["network"],
            "mix": spent["mix"],
            "write": spent["write"],
            "wait": analysis.stream.seconds["wait"],
        }
        return {
            "model": self.owner.model_name,
            "weights_sha256": self.owner.weights_sha256,
            "version": engine_version(),
            "settings": self.settings.to_dict(),
            "context": encoder.name if encoder and analysis.stream.frames else "none",
            "context_sha256": self.owner.encoder_sha256 if encoder and analysis.stream.frames else "",
            "device": self.owner.device,
            "seconds": {name: round(value, 4) for name, value in seconds.items()},
        }
