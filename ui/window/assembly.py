"""Puts the panel and its window together: every view over its parts, and what one says told to who can do it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject

from ...plugin.jobs.defaults import read_defaults
from ..base.asking import Engine
from ..base.pump import Pump
from ..base.source import Source
from ..base.topics import Topic
from ..control.demo import Demo
from ..control.needs import Target
from ..control.panel import Keep, Panel
from ..control.preferences import Preferences
from ..control.standing import Standing
from ..control.state import Document
from ..control.stills import Stills, Thumbs
from ..control.withdrawals import Withdrawals
from .body import Parts
from .clips import ClipsView
from .inspector import Inspector
from .lanes.view import LanesView
from .main_window import MainWindow
from .meters import MeterView
from .notices import Notice
from .notify import Notifier
from .outside import Outside
from .picture import PictureView
from .queue_view import QueueView
from .reasons import reason
from .sound import SoundOut
from .sound_devices import add_devices
from .transport import TransportView


class Assembled(QObject):
    """A panel with its window and its sound; `close` leaves nothing of it running.

    `sound` is False for one that is only looked at.
    """

    def __init__(
        self,
        engine: Engine,
        pump: Pump,
        *,
        keep: Keep | None = None,
        states: Topic[[str, str]] | None = None,
        preferences: Preferences | None = None,
        demo: Demo | None = None,
        sound: bool = True,
    ) -> None:
        super().__init__()
        keep = Keep.of_user() if keep is None else keep
        self.panel = panel = Panel(engine, pump, keep, read_defaults(), states)
        self.withdrawals = Withdrawals(engine, panel.queue, panel.takeback)
        self.standing = Standing(panel.clips, panel.queue, self.withdrawals)
        self.thumbs = Thumbs(engine, panel.clips)
        self.stills = Stills(engine, pump, panel.clips, panel.deck)
        self.clips = ClipsView(panel.clips, self.thumbs, self.standing.of)
        self.picture = PictureView(self.stills, panel.clips)
        self.transport = TransportView(panel.transport)
        self.lanes = LanesView(panel.live, panel.curves, panel.frames, panel.deck, panel.clips.document)
        self.meters = MeterView(panel.meters)
        self.inspector = Inspector(panel.options, panel.presets, panel.planning)
        self.queue = QueueView(panel.queue, self.withdrawals)
        self.window = MainWindow(panel, lambda _: self._made_parts(), preferences, demo)
        self.outside = Outside(self.window)
        self.notifier = Notifier(self.window, panel.queue)
        self.sound = SoundOut(panel.deck) if sound else None
        self._leave: list[Callable[[], None]] = []
        self._wire(states)

    def close(self) -> None:
        """Leave nothing running, and nothing listening."""
        for leave in self._leave:
            leave()
        self._leave.clear()
        self.outside.stop()
        for stop in (self.clips.stop, self.picture.stop, self.transport.stop, self.lanes.close_view):
            stop()
        self.meters.release()
        if self.sound is not None:
            self.sound.close()
        self.panel.close()
        self.window.stop()

    def _made_parts(self) -> Parts:
        return Parts(
            clips=self.clips,
            picture=self.picture,
            transport=self.transport,
            lanes=self.lanes,
            meters=self.meters,
            inspector=self.inspector,
            queue=self.queue,
        )

    def _wire(self, states: Topic[[str, str]] | None) -> None:
        panel, window = self.panel, self.window
        trigger = window.keys.trigger
        self.clips.open_wanted.connect(lambda: trigger("open"))
        self.clips.demo_wanted.connect(lambda: trigger("demo"))
        self.clips.find_wanted.connect(lambda: trigger("look_in"))
        self.clips.rebalance_wanted.connect(lambda: trigger("rebalance"))
        self.clips.undo_wanted.connect(panel.withdraw)
        self.clips.went.connect(panel.transport.go_to_clip)
        self.inspector.preview.connect(lambda: trigger("preview"))
        self.inspector.rebalance.connect(lambda: trigger("rebalance"))
        self.queue.opened.connect(self._open_result)
        clips, lanes = panel.clips, self.lanes
        self._leave += [
            clips.opened.subscribe(self._opened),
            clips.state_changed.subscribe(self._state),
            clips.selection.subscribe(lambda: lanes.select_clips(clips.choice.chosen)),
            self.standing.changed.subscribe(self.clips.renew),
            panel.changed.subscribe(lambda: self.inspector.set_preview(reason(panel.why_not_preview))),
            panel.options.changed.subscribe(lambda _: self._aim()),
            self.withdrawals.failed.subscribe(window.failed),
        ]
        if states is not None:
            self._leave.append(states.subscribe(window.engine_is))
        if self.sound is not None:
            self.sound.choose(window.preferences.wishes.sound_device)
            self._leave.append(self.sound.changed.subscribe(self._sound_told))
            self.transport.monitor_extras.append(self._devices)
        self._aim()

    def _opened(self, document: Document) -> None:
        self.lanes.open(document)
        self.lanes.set_side(self.panel.deck.side)  # another programme begins at the side before

    def _state(self) -> None:
        if self.panel.clips.document is None:
            self.lanes.open(None)

    def _open_result(self, path: str) -> None:
        self.panel.clips.open(Source(Path(path)))

    def _aim(self) -> None:
        if not self.panel.options.faults:
            self.meters.set_target(Target.of(self.panel.options.settings()))

    def _sound_told(self) -> None:
        assert self.sound is not None
        if self.sound.sentence:
            self.window.notice(Notice(self.sound.sentence, "warning", key="sound"))
        else:
            self.window.notices.take_back("sound")

    def _devices(self, menu: Any) -> None:
        assert self.sound is not None
        keep = self.window.preferences.set
        add_devices(menu, self.sound, lambda device: keep(sound_device=device))
