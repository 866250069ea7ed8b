"""Rebalancing a passage: sound and picture in, new sound, gain curves and figures out, as a stream."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..context.captions import TextEncoder, load_text_encoder
from ..context.encoders import PictureEncoder, load_encoder
from ..errors import MediaError
from ..media.container import layout_of
from ..media.loudness import Meter
from ..media.reader import probe, read_blocks
from ..media.resample import Resampler
from ..media.takes import Takes
from ..media.time import to_samples
from ..media.writer import Bext, Ixml, Subtype, WavWriter, time_reference
from ..passage import GainCurves, Passage, Rendition, SeenFrame
from ..progress import Progress
from ..roles import STEMS
from ..version import SHIPPED_MODEL, engine_version
from ..weights.store import load_card
from .backends import Network, open_network
from .config import HOP, MODEL_RATE, WINDOW_FRAMES, WINDOW_SAMPLES, frames_of
from .context import WindowContext, captions_context, empty_context, frames_context
from .identity import encoder_for, identity_of
from .settings import RebalanceSettings
from .spectral import GainRamps, MaskedStems, magnitudes
from .windows import Joiner, Window, choose_join, cut_frames, next_window

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

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know of how the encoder runs, a sentence each."""
        return tuple(getattr(self.pictures or self.texts, "warnings", ()))

    def window_context(
        self, passage: Passage, start: Fraction, duration: Fraction, progress: Progress
    ) -> WindowContext:
        """Context of the window [start, start + duration) of passage time."""
        if self.pictures is not None and passage.shots:
            return frames_context(passage, start, duration, self.pictures, progress)
        if self.texts is not None and passage.notes:
            return captions_context(passage, start, duration, self.texts)
        return empty_context(self.network.config.context_dim or 1)


class Analysis:
    """Windows over a passage's sound as it streams by: push sound at its own rate, get finished masks and gains."""

    def __init__(
        self,
        network: Network,
        context: Callable[[Fraction, Fraction], WindowContext],
        rate: int,
        samples: int,
        weights: Array,
        cuts: NDArray[np.intp],
        origin: Fraction,
    ) -> None:
        self.network, self._context, self._origin = network, context, origin
        self._weights, self._cuts = weights, cuts
        self.total = frames_of(to_samples(Fraction(samples, rate), MODEL_RATE))
        self.frames: list[SeenFrame] = []
        self.warnings: dict[str, None] = {}
        self.seconds = {"decode": 0.0, "context": 0.0, "network": 0.0, "wait": 0.0}
        self._resampler = Resampler(rate, MODEL_RATE, 1)
        self._mono = np.zeros(0, np.float32)
        self._mono_start = 0
        self._window: Window | None = Window(0, 0, 0) if self.total else None
        self._joiner = Joiner()
        self._pool = ThreadPoolExecutor(1)
        self._next: Future[WindowContext] | None = None
        if self._window is not None:
            self._next = self._ahead(self._window)

    def push(self, block: Array, last: bool = False) -> Iterator[tuple[Array, Array]]:
        """Take in sound (channels, n); yields (masks (3, 2048, k), gains (3, k)) in order as they become final."""
        mono = self._resampler.process((self._weights @ block)[None].astype(np.float32), last)[0]
        self._mono = np.concatenate([self._mono, mono])
        while self._window is not None:
            needed = min((self._window.start + WINDOW_FRAMES), self.total) * HOP - self._mono_start
            if self._mono.size < needed and not last:
                return
            yield self._run(self._window)

    def close(self) -> None:
        """End the look-ahead thread."""
        self._pool.shutdown(cancel_futures=True)

    def _ahead(self, window: Window) -> Future[WindowContext]:
        start = self._origin + Fraction(window.start * HOP, MODEL_RATE)
        frames = min(WINDOW_FRAMES, self.total)
        return self._pool.submit(self._context, start, Fraction(frames * HOP, MODEL_RATE))

    def _run(self, window: Window) -> tuple[Array, Array]:
        sound = self._cut_out(window)
        end = self.total
        following: Window | None = None
        if window.start + WINDOW_FRAMES < self.total:
            energy = np.square(sound.reshape(WINDOW_FRAMES, HOP)).mean(axis=1)
            following = next_window(choose_join(window.start, self._cuts, energy), self.total)
            end = following.fade_start
        assert self._next is not None
        began = time.perf_counter()
        context = self._next.result()
        waited = time.perf_counter()
        if following is not None:
            self._next = self._ahead(following)
        masks, gains = self.network.run(
            magnitudes(sound)[None],
            sound[None],
            context.features[None],
            context.times[None],
            context.valid[None],
        )
        self._note(context, time.perf_counter() - waited, waited - began)
        out = self._joiner.add(window, (masks[0], gains[0]), end, self.total)
        self._window = following
        if following is not None:
            done = following.start * HOP - self._mono_start
            self._mono = self._mono[done:]
            self._mono_start += done
        return out[0], out[1]

    def _cut_out(self, window: Window) -> Array:
        """The window's sound (441344,); a passage shorter than a window is continued by its own mirror image."""
        first = window.start * HOP - self._mono_start
        sound = self._mono[first : first + WINDOW_SAMPLES]
        if sound.size < WINDOW_SAMPLES:
            if window.start or sound.size < HOP:
                return np.pad(sound, (0, WINDOW_SAMPLES - sound.size))
            return np.pad(sound, (0, WINDOW_SAMPLES - sound.size), mode="symmetric")
        return sound

    def _note(self, context: WindowContext, network: float, waited: float) -> None:
        self.seconds["network"] += network
        self.seconds["wait"] += waited
        for name, value in context.seconds.items():
            self.seconds[name] += value
        newest = self.frames[-1].time if self.frames else float("-inf")
        self.frames += [frame for frame in context.frames if frame.time > newest]
        self.warnings.update(dict.fromkeys(context.warnings))


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
        info = probe(sound.path)
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
        analysis = self._analysis(weights)
        mixer = MaskedStems(self.rate, self.channels, 2)
        ramps = GainRamps(self.rate, len(STEMS))
        curves: list[Array] = []
        spent = {"mix": 0.0, "write": 0.0, "read": 0.0}
        done = 0
        with ExitStack() as stack:
            stack.callback(analysis.close)
            out = stack.enter_context(Takes([self.path, *self.stem_paths.values()], self._writer))
            for block, last in self._blocks(spent):
                for masks, gains in analysis.push(block, last):
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
            frames=tuple(analysis.frames),
            provenance=self._provenance(analysis, spent),
            warnings=(*self.owner.remarks, *analysis.warnings),
        )

    def _written(self, stems: Array, applied: Array) -> list[Array]:
        """Stems (3, channels, n) as their files get them: after their gains (3, n), or before; none if unasked."""
        if not self.stem_paths:
            return []
        return list(stems) if self.settings.raw_stems else list(stems * applied[:, None])

    def _analysis(self, weights: Array) -> Analysis:
        origin = -self.passage.head
        cuts = [shot.start for shot in self.passage.shots[1:]]

        def context(start: Fraction, duration: Fraction) -> WindowContext:
            return self.owner.window_context(self.passage, start, duration, self.progress)

        return Analysis(
            self.owner.network, context, self.rate, self.samples, weights, cut_frames(cuts, origin), origin
        )

    def _blocks(self, spent: dict[str, float]) -> Iterator[tuple[Array, bool]]:
        """The passage's sound, each block with whether it is the last."""
        taken = 0
        clock = time.perf_counter()
        for block in read_blocks(self.passage.sound.path, self.first, self.samples, self.picks):
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
        index = np.arange(0, gains_db.shape[1], step)
        times = (index * HOP + HOP / 2) / MODEL_RATE - float(self.passage.head)
        rows = [tuple(round(float(g), digits) for g in row[index]) for row in gains_db]
        return GainCurves(tuple(round(float(t), places) for t in times), dict(zip(STEMS, rows, strict=True)))

    def _provenance(self, analysis: Analysis, spent: Mapping[str, float]) -> dict[str, object]:
        encoder = self.owner.pictures or self.owner.texts
        seconds = {
            "decode": spent["read"] + analysis.seconds["decode"],
            "context": analysis.seconds["context"],
            "network": analysis.seconds["network"],
            "mix": spent["mix"],
            "write": spent["write"],
            "wait": analysis.seconds["wait"],
        }
        return {
            "model": self.owner.model_name,
            "weights_sha256": self.owner.weights_sha256,
            "version": engine_version(),
            "settings": self.settings.to_dict(),
            "context": encoder.name if encoder and analysis.frames else "none",
            "context_sha256": self.owner.encoder_sha256 if encoder and analysis.frames else "",
            "device": self.owner.device,
            "seconds": {name: round(value, 4) for name, value in seconds.items()},
        }
