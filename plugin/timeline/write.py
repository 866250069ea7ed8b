"""Writing results back: composed first, then saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from ...engine.edit.nodes import follow
from .categories import remember_categories
from .compose import compose
from .load import BUNDLES
from .results import Result
from .save import check_target, exported, save
from .timeline import Timeline


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
    timeline are replaced. The suffix of `out` says the format: .otio, .otioz and .otiod are the document itself, every
    other is what `exporters` makes of it. A `dialect` "plain" makes an .otio a plain one (`exporters.otio_plain`)
    instead.
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
    plainly = dialect == "plain" and out.suffix.lower() == ".otio"
    lost = exported(root, timeline, out, "otio-plain") if plainly else save(root, timeline, out)
    if losses is not None:
        losses += lost
    return out


def rehearse(
    timeline: Timeline, results: Mapping[int, Sequence[Result]], out: Path, mute_originals: bool
) -> tuple[str, ...]:
    """What writing such results to `out` will not carry, a sentence each, found by doing it in a scratch folder.

    Their files need not be there. Raises what `write_result` would. A document of OTIO's carries everything.
    """
    if out.suffix.lower() in (".otio", *BUNDLES):
        return ()
    root = compose(timeline, results, {}, mute_originals, moves=True)
    with TemporaryDirectory() as scratch:
        return exported(root, timeline, Path(scratch) / out.name)
