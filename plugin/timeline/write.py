"""Writing results back: composed first, then saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ...engine.edit.nodes import follow
from .categories import remember_categories
from .compose import compose
from .results import Result, Ridden
from .save import check_target, save, save_plain
from .timeline import Timeline

_NEVER_MUTED = (".fcpxml", ".aaf")  # OTIO's adapters for these leave every track and clip on


def write_result(
    timeline: Timeline,
    results: Mapping[int, Sequence[Result]],
    out: Path | str,
    mute_originals: bool = False,
    provenance: Mapping[str, object] | None = None,
    losses: list[str] | None = None,
    categories: Mapping[str, str] | None = None,
    dialect: str = "",
) -> Path:
    """Write the timeline with new audio tracks for `results` (by clip index) to `out`, and return that path.

    What goes into it, and what `mute_originals` does, is told by `compose`. Earlier results of ours in the
    timeline are replaced. The suffix of `out` says the format: .otio, .otioz, .otiod, or .xml, .fcpxml and .aaf
    through OTIO's adapters, which carry no gain curves, nor in FCPXML and AAF what is muted: results with either go
    through our own writers.
    A `dialect` "plain" makes an .otio a plain one (`exporters.otio_plain`) instead.
    What that format could not carry is added to `losses`, a sentence each. `categories` is what the user said of tracks
    (`engine.edit.categories.said`), remembered in the timeline. Raises WriteError or TimelineError
    with one sentence.
    """
    out = Path(out)
    check_target(timeline, out)
    for index in results:
        timeline.clip(index)
    moves = (
        out.suffix.lower() != ".otio" or out.absolute().parent.resolve() != timeline.document.base.resolve()
    )
    root = compose(timeline, results, provenance or {}, mute_originals, moves)
    remember_categories(follow(root, timeline.pointer), categories or {})
    placed = [result for found in results.values() for result in found]
    keyframed = any(isinstance(result, Ridden) or result.gain is not None for result in placed)
    own = keyframed or (mute_originals and out.suffix.lower() in _NEVER_MUTED)
    plainly = dialect == "plain" and out.suffix.lower() == ".otio"
    lost = save_plain(root, timeline, out) if plainly else save(root, timeline, out, own)
    if losses is not None:
        losses += lost
    return out
