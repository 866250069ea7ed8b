"""What leads out of the window: the pages for export and Foley, and DaVinci Resolve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject

from ..control.foley import Heard
from ..control.host import IDLE, LAUNCHED, LAYING, HostTimeline, Laid
from .export_view import ExportView
from .foley_view import FoleyView
from .notices import Notice
from .reasons import reason
from .side_page import SidePage

_KEY = "resolve"  # of notices


class Outside(QObject):
    """Binds the commands export, foley, open_resolve and lay of a main window to its panel, and says what came of it.

    `hear` is told of Foley that somebody wants to hear.
    """

    def __init__(self, window: Any, hear: Callable[[Heard], object] | None = None) -> None:
        super().__init__(window)
        self._window, self._panel = window, window.panel
        self._to_choose: HostTimeline | None = None
        panel = self._panel
        self.export_page = SidePage(window, self.tr("Export"), lambda: ExportView(panel.exporting))
        self.foley_page = SidePage(window, self.tr("Foley"), self._make_foley)
        self.export_page.opened.connect(lambda: panel.exporting.look(True))
        self.export_page.closed.connect(lambda: panel.exporting.look(False))
        self.export_page.opened.connect(self.foley_page.close_)
        self.foley_page.opened.connect(self.export_page.close_)
        self._bind()
        self._leave = [
            panel.clips.opened.subscribe(lambda *_: self._opened()),
            panel.clips.state_changed.subscribe(self._closed),
            panel.host.opened.subscribe(self._came),
            panel.host.laid.subscribe(self._laid),
            panel.host.waiting.subscribe(self._waits),
            panel.host.changed.subscribe(window.keys.refresh),
        ]
        if hear is not None:
            self._leave.append(panel.foley.heard.subscribe(hear))

    def stop(self) -> None:
        """Listen to nothing any more: the window has closed."""
        for leave in self._leave:
            leave()
        self._leave.clear()
        self.export_page.stop()
        self.foley_page.stop()

    def launched(self) -> None:
        """The panel was started beside Resolve: open what is open there."""
        self._panel.host.open(LAUNCHED)

    def _bind(self) -> None:
        bind = self._window.keys.bind
        bind("export", self.export_page.toggle, self._nothing_open)
        bind("foley", self.foley_page.toggle, self._nothing_open)
        bind("open_resolve", self._panel.open_from_host, self._busy)
        bind("lay", self._lay, self._cannot_lay)

    def _make_foley(self) -> FoleyView:
        view = FoleyView(self._panel.foley, self._frame)
        view.went.connect(self._panel.transport.go)
        return view

    def _frame(self) -> float:
        document = self._panel.clips.document
        return float(1 / document.rate) if document is not None else 0.04

    def _lay(self) -> None:
        self._panel.lay_in_host(bool(self._panel.options.value("stems")))

    # Why not

    def _nothing_open(self) -> str:
        return reason("" if self._panel.clips.document is not None else "empty")

    def _busy(self) -> str:
        return reason("" if self._panel.host.state == IDLE else "resolve_busy")

    def _cannot_lay(self) -> str:
        panel = self._panel
        document = panel.clips.document
        if document is None or not panel.host.owns(document.source):
            return reason("not_resolve" if document is not None else "empty")
        return self._busy() or reason("" if panel.result is not None else "no_result")

    # What happens

    def _came(self, timeline: HostTimeline) -> None:
        self._to_choose = timeline

    def _opened(self) -> None:
        came, document = self._to_choose, self._panel.clips.document
        if came is not None and document is not None and came.source.path == document.source.path:
            self._to_choose = None
            if came.selected:
                self._panel.clips.choice.choose(came.selected)

    def _closed(self) -> None:
        if self._panel.clips.document is None:
            self.export_page.close_()
            self.foley_page.close_()

    def _waits(self, text: str) -> None:
        host = self._panel.host
        stop = (self.tr("Stop"), host.cancel)
        if text:
            self._window.notice(Notice(text, deeds=(stop,), key=_KEY))
        elif host.state == LAYING:
            words = self.tr("Laying the result on a copy in Resolve …")
            self._window.notice(Notice(words, deeds=(stop,), key=_KEY))
        else:
            self._window.notices.take_back(_KEY)

    def _laid(self, laid: Laid) -> None:
        words = self.tr("In Resolve: “{timeline}”, on {tracks}.").format(
            timeline=laid.timeline, tracks=", ".join(laid.tracks)
        )
        self._window.notice(Notice("\n".join([words, *laid.notes]), "good", key=_KEY))
