"""What leads out of the window: the pages for export and Foley, and DaVinci Resolve."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from ...plugin.jobs.results import FAILED, LEFT_OUT
from ..base.source import Source
from ..control.exporting import Exporting
from ..control.foley import Foley, Heard
from ..control.host import IDLE, LAUNCHED, LAYING, Host, HostTimeline, Laid
from ..control.takeback import TakeBack
from .export_view import ExportView
from .foley_view import FoleyView
from .notices import Notice
from .reasons import reason
from .side_page import SidePage

_KEY = "resolve"  # of notices


class Outside(QObject):
    """Binds the commands export, foley, open_resolve and lay of a main window, and keeps their parts on what is open.

    `window` has `panel` (with `clips`, `deck`, and maybe `queue`), `keys`, `notice` and `failed`. The result of a job
    that has ended is what is exported from then on, what can be laid in Resolve, and what clips are taken off. `hear`
    is told of Foley that somebody wants to hear.
    """

    def __init__(
        self,
        window: Any,
        exporting: Exporting,
        foley: Foley,
        host: Host,
        hear: Callable[[Heard], object] | None = None,
        takeback: TakeBack | None = None,
    ) -> None:
        super().__init__(window)
        self._window, self._panel = window, window.panel
        self.exporting, self.foley, self.host, self.takeback = exporting, foley, host, takeback
        self.results: dict[Path, Path] = {}  # by the timeline's file: the newest result of it
        self._to_choose: tuple[int, ...] = ()
        self.export_page = SidePage(window, self.tr("Export"), lambda: ExportView(exporting))
        self.foley_page = SidePage(window, self.tr("Foley"), self._make_foley)
        self.export_page.opened.connect(lambda: exporting.look(True))
        self.export_page.closed.connect(lambda: exporting.look(False))
        self._bind()
        clips, queue = self._panel.clips, getattr(self._panel, "queue", None)
        self._leave = [
            clips.opened.subscribe(lambda *_: self._opened()),
            clips.state_changed.subscribe(self._closed),
            host.opened.subscribe(self._came),
            host.laid.subscribe(self._laid),
            host.waiting.subscribe(self._waits),
            host.failed.subscribe(window.failed),
            host.changed.subscribe(window.keys.refresh),
        ]
        finished = getattr(queue, "finished", None)
        if finished is not None:
            self._leave.append(finished.subscribe(self.ended))
        if takeback is not None:
            self._leave.append(takeback.failed.subscribe(window.failed))
        if hear is not None:
            self._leave.append(foley.heard.subscribe(hear))

    def stop(self) -> None:
        """Listen to nothing any more: the window has closed."""
        for leave in self._leave:
            leave()
        self._leave.clear()
        self.export_page.stop()
        self.foley_page.stop()

    def launched(self) -> None:
        """The panel was started beside Resolve: open what is open there."""
        self.host.open(LAUNCHED)

    def take_back(self, clips: tuple[int, ...]) -> None:
        """Take the results of clips off the newest result of what is open; nothing where there is none."""
        document = self._panel.clips.document
        out = self.results.get(document.source.path) if document is not None else None
        if self.takeback is not None and document is not None and out is not None:
            self.takeback.take(out, clips, document.source)

    def ended(self, entry: Any) -> None:
        """A job of the queue has ended well: its result is what is exported and laid from now on."""
        answer: Mapping[str, Any] = entry.answer or {}
        clips = answer.get("result", {}).get("clips", ())
        if entry.do != "rebalance" or all(clip.get("status") in (FAILED, LEFT_OUT) for clip in clips):
            return  # no timeline was written
        source, out = Source.from_dict(entry.data["source"]), Path(entry.data["out"])
        self.results[source.path] = out
        if self.takeback is not None:
            self.takeback.forget(out)
        document = self._panel.clips.document
        if document is not None and document.source.path == source.path:
            self.exporting.show(Source(out, source.timeline, source.folders, source.rate))
        self._window.keys.refresh()

    def _bind(self) -> None:
        bind = self._window.keys.bind
        bind("export", self.export_page.toggle, self._nothing_open)
        bind("foley", self.foley_page.toggle, self._nothing_open)
        bind("open_resolve", self.host.open, self._busy)
        bind("lay", self._lay, self._cannot_lay)

    def _make_foley(self) -> FoleyView:
        view = FoleyView(self.foley, self._frame)
        view.went.connect(self._go)
        return view

    def _frame(self) -> float:
        document = self._panel.clips.document
        return float(1 / document.rate) if document is not None else 0.04

    def _go(self, seconds: float) -> None:
        deck = self._panel.deck
        deck.seek(round(seconds * deck.rate))

    # Why not

    def _nothing_open(self) -> str:
        return reason("" if self._panel.clips.document is not None else "empty")

    def _busy(self) -> str:
        return reason("" if self.host.state == IDLE else "resolve_busy")

    def _cannot_lay(self) -> str:
        document = self._panel.clips.document
        if document is None or not self.host.owns(document.source):
            return reason("not_resolve" if document is not None else "empty")
        return self._busy() or reason("" if document.source.path in self.results else "no_result")

    # What happens

    def _opened(self) -> None:
        document = self._panel.clips.document
        if document is None:
            return
        source = document.source
        result = self.results.get(source.path)
        self.exporting.show(Source(result, source.timeline, source.folders) if result is not None else source)
        if self.foley.source != source:
            self.foley.show(source)
        if self._to_choose and self.host.owns(source):
            self._panel.clips.choice.choose(self._to_choose)
            self._to_choose = ()

    def _closed(self) -> None:
        if self._panel.clips.document is None and self.exporting.source is not None:
            self.exporting.show(None)
            self.foley.show(None)
            self.export_page.close_()
            self.foley_page.close_()

    def _came(self, timeline: HostTimeline) -> None:
        self._to_choose = timeline.selected
        self.results.pop(timeline.source.path, None)
        self._panel.clips.open(timeline.source)

    def _lay(self) -> None:
        document = self._panel.clips.document
        if document is not None:
            self.host.write(self.results[document.source.path])

    def _waits(self, text: str) -> None:
        if text:
            stop = (self.tr("Stop"), self.host.cancel)
            self._window.notice(Notice(text, deeds=(stop,), key=_KEY))
        elif self.host.state == LAYING:
            words = self.tr("Laying the result on a copy in Resolve …")
            self._window.notice(Notice(words, deeds=((self.tr("Stop"), self.host.cancel),), key=_KEY))
        else:
            self._window.notices.take_back(_KEY)

    def _laid(self, laid: Laid) -> None:
        words = self.tr("In Resolve: “{timeline}”, on {tracks}.").format(
            timeline=laid.timeline, tracks=", ".join(laid.tracks)
        )
        self._window.notice(Notice("\n".join([words, *laid.notes]), "good", key=_KEY))
