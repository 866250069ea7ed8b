"""The ear that jobs and `inspect` lend a timeline: opens a network when it is first asked, and hears nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ...engine.edit.categories import Category
from ...engine.passage import Sound
from ...engine.progress import Progress
from ...engine.version import SHIPPED_MODEL
from ..timeline import AudioClip

if TYPE_CHECKING:
    from ...engine.highlight.backends import Network


class Listener:
    """A `Listener` for `plugin.timeline.categories.held`.

    `network` gives the network to listen with; without it the shipped model is opened. Raises `ModelError` where none
    can run, `Cancelled`.
    """

    def __init__(self, progress: Progress, network: Callable[[], Network] | None = None) -> None:
        self._progress = progress
        self._open = network if network is not None else shipped_network
        self._network: Network | None = None
        self._heard: dict[tuple[Sound, ...], Category] = {}

    def __call__(self, clips: Sequence[AudioClip]) -> Category:
        """What the sounds of clips hold together."""
        from ...engine.highlight.ear import heard_category

        sounds = tuple(dict.fromkeys(sound for clip in clips if (sound := _sound(clip)) is not None))
        if sounds not in self._heard:
            self._progress.report("listen", clips[0].track, 0, 1, "tracks")
            if self._network is None:
                self._network = self._open()
            self._heard[sounds] = heard_category(sounds, self._network, self._progress)
            self._progress.report("listen", clips[0].track, 1, 1, "tracks")
        return self._heard[sounds]


def shipped_network() -> Network:
    """The shipped model's network, opened; raises ModelError."""
    from ...engine.highlight.backends import open_network
    from ...engine.weights.store import load_card

    return open_network(load_card(SHIPPED_MODEL))


def _sound(clip: AudioClip) -> Sound | None:
    """What a clip plays of its file; the same stretch played twice is heard once."""
    cue = clip.timeline.cue(clip.leaf) if clip.online else None
    return (
        None if cue is None or clip.path is None else Sound(clip.path, cue.start, cue.duration, clip.channels)
    )
