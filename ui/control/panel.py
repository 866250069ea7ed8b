"""The panel as a whole, without a window: its parts, and how what happens in one reaches the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ...engine.errors import SightmixError
from ...engine.media.time import to_samples
from ...plugin.jobs.defaults import Defaults
from ...plugin.jobs.hand import to_data
from ...plugin.jobs.laid import Laid
from ...plugin.jobs.mix import Mix, read_mix
from ...plugin.session.surveyed import Surveyed, decode
from ..base.asking import Engine, Failure, Ticket
from ..base.pump import Pump
from ..base.source import Source
from ..base.topics import Topic
from ..remote.client import READY
from ..remote.table import WORK
from .clips import Clips
from .curves import Curves
from .deck import Deck
from .exporting import Exporting
from .foley import Foley
from .frames import Frames
from .history import History
from .host import Host, HostTimeline
from .live import LiveMix
from .lying import laid_of
from .meters import Meters
from .needs import Target
from .options import ANEW, LIVE, Options, acting
from .planning import EMPTY, NO_CLIPS, Planning
from .player import AFTER
from .presets import Presets
from .queue import Entry, JobQueue
from .recent import Recent, recent_path
from .results import free_result, is_newer, is_result
from .state import Document
from .takeback import TakeBack
from .transport import Transport
from .workspace import Workspace, Workspaces, workspaces_folder

REGION = 10.0  # s that a preview hears
OPENING = "opening"
_PASSED_ON_AFTER = 0.015  # s: while a curve is dragged its mix is made again and again
_KEPT_AFTER = 1.0  # s from a change until the workspace is written
_TARGETS = ("loudness", "delivery", "true_peak")


@dataclass(frozen=True)
class Keep:
    """Where the panel keeps what outlasts it; None of each keeps it for as long as the panel runs."""

    recent: Path | None = None
    workspaces: Path | None = None
    presets: Path | None = None
    queue: Path | None = None

    @classmethod
    def of_user(cls) -> Keep:
        """The user's own places, beside their defaults."""
        recent = recent_path()
        if recent is None:
            return cls()
        return cls(recent, workspaces_folder(), recent.with_name("presets"), recent.with_name("queue.json"))


@dataclass(frozen=True)
class Hearing:
    """A preview that is being made: the stretch in record seconds, and how much of it is done (None: not known)."""

    first: float
    last: float
    share: float | None = None


class Panel:
    """All of the panel's parts over an `engine`; it belongs to the pump's thread.

    `changed` tells that what can be done has become another; `failed` why something did not come, `heard` that a
    preview has come, `done` that a result has been written. `hearing` is the preview on its way.
    """

    def __init__(
        self,
        engine: Engine,
        pump: Pump,
        keep: Keep = Keep(),
        defaults: Defaults | None = None,
        states: Topic[[str, str]] | None = None,
    ) -> None:
        self.changed: Topic[[]] = Topic()
        self.failed: Topic[[Failure]] = Topic()
        self.heard: Topic[[Mix]] = Topic()
        self.done: Topic[[Entry]] = Topic()
        self.hearing: Hearing | None = None
        self.out: Path | None = None
        self.engine, self.pump = engine, pump
        self.history = History()
        self.clips = Clips(engine, pump, self.history, Recent(keep.recent))
        self.options = Options(self.history, defaults)
        self.presets = Presets(self.history, self.options, keep.presets)
        self.planning = Planning(engine, pump, self.options)
        self.live = LiveMix()
        self.curves = Curves(self.history, self.live)
        self.deck = Deck(engine, pump)
        self.transport = Transport(self.deck, self.clips)
        self.meters = Meters(self.deck, pump)
        self.frames = Frames(engine, pump)
        self.queue = JobQueue(engine, keep.queue, self.history, states)
        self.exporting = Exporting(engine)
        self.foley = Foley(engine, self.history)
        self.host = Host(engine)
        self.takeback = TakeBack(engine, self.history)
        self._spaces = Workspaces(keep.workspaces)
        self._source: Source | None = None
        self._mix_path: Path | None = None
        self._lying = Laid()
        self._preview: Ticket | None = None
        self._survey: Ticket | None = None
        self._relay: Ticket | None = None  # the survey of a preview's lanes
        self._whole: Ticket | None = None  # the same of a job's
        self._wish: object = None
        self._leave_keep: Callable[[], None] | None = None
        self._leave_mix: Callable[[], None] | None = None
        self._opened_by_host: HostTimeline | None = None
        self._wire()
        self._leave_states = states.subscribe(self._engine_is) if states is not None else None

    # What can be done.

    @property
    def why_not_preview(self) -> str:
        """Why there can be no preview now, as a key or a sentence; "" where there can."""
        if self.clips.document is None:
            return OPENING if self.clips.state == OPENING else EMPTY
        if not any(row.online for row in self.clips.rows):
            return NO_CLIPS
        return self.options.faults[0] if self.options.faults else ""

    @property
    def why_not_rebalance(self) -> str:
        """Why no job can be asked for now, as a key or a sentence; "" where one can."""
        return self.why_not_preview or self.planning.blocked

    @property
    def result(self) -> Path | None:
        """The last result that was written of this timeline, as long as it is there."""
        return self.out if self.out is not None and self.out.exists() else None

    def preview(self, at: float | None = None, seconds: float = REGION) -> None:
        """Hear a stretch around the playhead, or from `at` on, and play it; the newest wish wins."""
        document = self.clips.document
        if document is None or self.why_not_preview:
            return
        total = float(document.duration)
        seconds = min(seconds, total)
        first = self.transport.seconds - seconds / 2 if at is None else at
        first = min(max(0.0, first), max(0.0, total - seconds))
        wish = self._wish = object()
        if self._relay is not None:
            self._relay.cancel()  # what came of an earlier wish is nobody's any more
        self.hearing = Hearing(first, first + seconds)
        data = {**self._request(), "told": self._known(), "start": first, "seconds": seconds}
        self._preview = self.engine.ask(
            "preview",
            data,
            slot="panel.preview",
            event=lambda told, _: self._previewing(told),
            done=lambda told, _: self._previewed(Path(told["mix"]), wish),
            failed=lambda failure: self._no_preview(failure, wish),
        )
        self.changed.emit()

    def cancel_preview(self) -> None:
        """Do not hear what is being heard."""
        for ticket in (self._preview, self._relay):
            if ticket is not None and self.hearing is not None:
                ticket.cancel()

    def rebalance(self) -> Entry | None:
        """Put the job on the queue; None where none can be asked for."""
        document = self.clips.document
        if document is None or self.why_not_rebalance:
            return None
        self.out = self.out or self._free()
        data = {**self._request(), "out": str(self.out), "clips": self.clips.ranges}
        entry = self.queue.add(data, document.name)
        self._soon()
        return entry

    def withdraw(self, clips: Iterable[int]) -> None:
        """Take the results of clips off the written timeline: they sound again as they were, until that is undone."""
        if self.result is not None and self._source is not None:
            self.takeback.take(self.result, tuple(clips), self._source)

    def open_from_host(self) -> None:
        """Open what is open in the host beside the panel."""
        self.host.open()

    def lay_in_host(self, stems: bool = False) -> None:
        """Lay the written result on a copy of the host's timeline."""
        if self.result is not None:
            self.host.write(self.result, stems)

    def close(self) -> None:
        """Keep what is to be kept, stop what runs and ask for nothing more."""
        self._keep()
        self._source = None  # nothing is kept, planned or asked for any more
        self._stop_asking()
        self.clips.stop()
        self.queue.close()
        self.planning.close()
        self.deck.close()
        self.frames.close()
        self.exporting.cancel()
        self.host.cancel()
        self.foley.show(None)
        self.curves.close()
        for leave in (self._leave_mix, self._leave_states):
            if leave is not None:
                leave()

    # What happens.

    def _wire(self) -> None:
        self.clips.opened.subscribe(self._opened)
        self.clips.state_changed.subscribe(self._closed)
        self.clips.kinds_changed.subscribe(self._kinds)
        self.clips.selection.subscribe(self._plan)
        self.options.changed.subscribe(self._option)
        self.live.changed.subscribe(self._mixed)
        self.queue.finished.subscribe(self._finished)
        self.queue.failed.subscribe(lambda entry: self._fail(entry.failure))
        self.host.opened.subscribe(self._came)
        self.takeback.changed.subscribe(lambda *_: self.changed.emit())
        self.deck.moved.subscribe(lambda _: self._soon())
        self.changed.subscribe(lambda: self.clips.rest(self.hearing is not None))
        for failed in (self.exporting.failed, self.foley.failed, self.host.failed, self.takeback.failed):
            failed.subscribe(self._fail)
        self._aim()

    def _opened(self, document: Document) -> None:
        if self._source is not None:
            self._keep()  # what was done in the last moment, to the timeline it was done to
        again = self._source is not None and _is_same(self._source, document.source)
        drawn, at = self.live.drawn, self.deck.position
        self._stop_asking()
        self._source = document.source
        self.live.open(document)
        self._lie()
        if again:
            self.live.drawn, self._mix_path = drawn, None
        else:
            at = self._restore(document.source)
        self.deck.load(document.source, to_samples(document.duration, self.deck.rate), self.live.laid)
        self._aim()
        self.deck.seek(at)
        self.frames.open(document.source)
        self.curves.open(document)
        self._pass_on()
        self._look_over()
        self.exporting.show(self._exported(), self.result is not None)
        self.foley.show(document.source)
        self._plan()
        self.options.ask_devices(self.engine)
        self.engine.ask("warm", self._warm(), slot="panel.warm")

    def _restore(self, source: Source) -> int:
        """Take up what the user made of the timeline; the sample that they were at."""
        space = self._spaces.read(source)
        # Where something else lies by now, a result would not be written, nor is it one to be heard or exported.
        self.out, self._mix_path = (
            (space.out if space.out is not None and is_result(space.out) else None),
            None,
        )
        self.live.drawn = space.drawn
        self.options.restore(space.settings)
        if self.result is not None and is_newer(self.result, source.path):
            self._take_whole(space.mix, lambda mix, _: self.live.hear(mix))
        return round(space.position * self.deck.rate)

    def _closed(self) -> None:
        if self.clips.state == "empty" and self._source is not None:
            self._keep()
            self._stop_asking()
            self._source = self.out = self._mix_path = None
            self.deck.load(None)
            self.frames.open(None)
            self.curves.open(None)
            self.exporting.show(None)
            self.foley.show(None)
            self.live.open(None)
        self._plan()

    def _kinds(self) -> None:
        """Other categories: other lanes, and what was heard of the old ones is no longer true."""
        if self._source is not None and laid_of(self.clips.rows) != self._lying:
            self._unhear()
        self._plan()

    def _option(self, name: str) -> None:
        if name in acting(LIVE):
            self._aim()
        elif name in acting(ANEW) and self._source is not None:
            if self.live.heard or self.hearing is not None or self._whole is not None:
                self._unhear()
            self.engine.ask("warm", self._warm(), slot="panel.warm")
        if name in _TARGETS:
            self._target()
        self._soon()

    def _aim(self) -> None:
        if not self.options.faults:
            self.live.settings = self.options.settings()
        self._target()

    def _target(self) -> None:
        if not self.options.faults:
            self.clips.set_target(Target.of(self.options.settings()))

    def _mixed(self) -> None:
        """The mix that is heard has changed: pass it on, once for all that changes now."""
        if self._leave_mix is None:
            self._leave_mix = self.pump.later(_PASSED_ON_AFTER, self._pass_on)
        self._soon()

    def _pass_on(self) -> None:
        self._leave_mix = None
        times, gains = self.live.table()
        self.deck.set_gains(times, gains)
        self.deck.set_match(self.live.match_db)

    def _engine_is(self, process: str, state: str) -> None:
        """An engine that was brought back has nothing loaded."""
        if (process, state) == (WORK, READY) and self._source is not None:
            self.engine.ask("warm", self._warm(), slot="panel.warm")

    def _unhear(self) -> None:
        """What the network said is no longer true: other lanes, another model."""
        if self._whole is not None:
            self._whole.cancel()
            self._whole = None
        self.live.unhear()
        self._lie()
        self._mix_path = None
        self._lay()
        if self.hearing is not None:  # what is on its way is no more true than what has come
            first, last = self.hearing.first, self.hearing.last
            self.cancel_preview()
            self.preview(first, last - first)

    def _lie(self) -> None:
        """Clips lie as the list says what they hold."""
        self._lying = laid_of(self.clips.rows)
        self.live.lie(self._lying)

    def _lay(self) -> None:
        """Play and survey the lanes as they lie now."""
        self.deck.lay(self.live.laid)
        self._look_over()

    def _look_over(self) -> None:
        if self._source is not None:
            data = {"source": self._source.to_dict(), "laid": self.live.laid.to_dict()}
            self._survey = self.engine.ask(
                "survey",
                data,
                slot="panel.survey",
                event=lambda facts, payload: self.live.survey(decode(facts, payload)),
                failed=self._fail,
            )

    def _hear(self, mix: Mix, then: Callable[[], object], wish: object = None) -> None:
        """Take in what was heard, with a survey of the lanes that it makes: both at once, so that levels are right.

        `wish` is the preview's; a job's mix has none, and previews do not take its place.
        """
        laid = self.live.lying(mix)
        if laid == self.live.laid or self._source is None:
            self.live.hear(mix)
            then()
            return
        stretches: list[Surveyed] = []

        def done(*_: object) -> None:
            if self.live.lying(mix) != laid:  # something else was heard meanwhile
                self._hear(mix, then, wish)
                return
            self.live.hear(mix, stretches)
            self.deck.lay(self.live.laid)
            then()

        def failed(failure: Failure) -> None:
            self._fail(failure) if wish is None else self._no_preview(failure, wish)

        ticket = self.engine.ask(
            "survey",
            {
                "source": self._source.to_dict(),
                "laid": laid.to_dict(),
                "first": mix.start,
                "seconds": mix.duration,
            },
            slot="panel.survey of a mix" if wish is None else "panel.survey of a preview",
            event=lambda facts, payload: stretches.append(decode(facts, payload)),
            done=done,
            failed=failed,
        )
        if wish is None:
            self._whole = ticket
        else:
            self._relay = ticket

    # Previews and results.

    def _previewing(self, told: Mapping[str, Any]) -> None:
        if self.hearing is not None and told.get("total"):
            share = min(1.0, told["done"] / told["total"])
            self.hearing = Hearing(self.hearing.first, self.hearing.last, share)
            self.changed.emit()

    def _previewed(self, path: Path, wish: object) -> None:
        self._preview = None
        try:
            mix = read_mix(path)
        except SightmixError as error:
            self._no_preview(Failure(str(error), type(error).__name__), wish)
            return
        self._hear(mix, lambda: self._play_preview(mix), wish)

    def _play_preview(self, mix: Mix) -> None:
        hearing, self.hearing = self.hearing, None
        if hearing is not None:
            self.transport.mark((hearing.first, hearing.last))
            self.transport.go(hearing.first)
            self.deck.set_side(AFTER)
            self.deck.play()
        self.heard.emit(mix)
        self.changed.emit()

    def _no_preview(self, failure: Failure, wish: object) -> None:
        if wish is self._wish:  # else another has taken its place
            self.hearing = self._preview = self._relay = None
        self._fail(failure)
        self.changed.emit()

    def _finished(self, entry: Entry) -> None:
        answer = entry.answer or {}
        if entry.do == "rebalance" and "result" in answer:
            self.takeback.forget(Path(entry.data["out"]))
            self.planning.learn(answer["result"])
            self._written(entry, answer.get("mix"))
        self.done.emit(entry)
        self._plan()

    def _written(self, entry: Entry, mix: str | None) -> None:
        """A result is there: it is taken up, or kept for when its timeline is opened again."""
        source, out = Source.from_dict(entry.data["source"]), Path(entry.data["out"])
        if self._source is None or not _is_same(self._source, source):
            kept = self._spaces.read(source)
            self._spaces.write(source, replace(kept, out=out, mix=None if mix is None else Path(mix)))
            return
        self.out = out
        if self._is_heard_so(entry.data):
            self._take_whole(mix, self._hear)
        self.exporting.show(self._exported(), self.result is not None)
        self._keep()

    def _is_heard_so(self, data: Mapping[str, Any]) -> bool:
        """Whether the network would hear now what a job asked for: since then categories or the model may be others."""
        now = self.options.settings().to_dict()
        asked = acting(ANEW) - {"device"}  # it was sent to one that there is
        then = data.get("settings", {})
        same = all(then.get(name, now[name]) == now[name] for name in asked)
        return same and list(data.get("told", ())) == self.clips.told_words

    def _take_whole(
        self, path: str | Path | None, take: Callable[[Mix, Callable[[], object]], object]
    ) -> None:
        """Take in what the network said of all of it, if that is there."""
        if path is None:
            return
        try:
            mix = read_mix(Path(path))
        except SightmixError:
            return  # only what is heard and drawn: the next preview or job makes it anew
        self._mix_path = Path(path)
        take(mix, self.changed.emit)

    def _exported(self) -> Source | None:
        """What an export is made of: the result where there is one, else the timeline itself."""
        if self._source is None:
            return None
        return Source(self.result) if self.result is not None else self._source

    def _came(self, timeline: HostTimeline) -> None:
        self._opened_by_host = timeline
        self.clips.open(timeline.source)

    # What the engine is asked.

    def _request(self) -> dict[str, Any]:
        assert self._source is not None
        return {
            "source": self._source.to_dict(),
            "told": self.clips.told_words,
            "settings": self.options.settings().to_dict(),
            "drawn": to_data(self.live.drawn),
        }

    def _known(self) -> list[str]:
        """What tracks hold, by whoever knows it: nobody listens to tracks for a preview."""
        sure = {track.number: track.kind for track in self.clips.tracks if track.certain}
        said = zip(sorted(self.clips.told), self.clips.told_words, strict=True)
        others = (word for number, word in said if number not in sure)
        return [*(f"A{number}={kind}" for number, kind in sure.items()), *others]

    def _warm(self) -> dict[str, Any]:
        settings = self.options.settings()  # on a device that can be used
        return {name: getattr(settings, name) for name in ("model", "context", "device")}

    def _free(self) -> Path:
        assert self._source is not None
        came = self._opened_by_host
        own = came is not None and came.source.path == self._source.path
        document = self.clips.document
        name = document.name if document is not None and len(document.timelines) > 1 else ""
        taken = {
            Path(entry.data["out"])
            for entry in self.queue.unfinished
            if entry.do == "rebalance" and not _is_same(Source.from_dict(entry.data["source"]), self._source)
        }
        folder = came.folder if came is not None and own else None
        return free_result(self._source.path, folder, name, taken)

    def _plan(self) -> None:
        if self._source is None or self.clips.document is None:
            self.planning.want(None, EMPTY)
        elif not any(row.online for row in self.clips.rows):
            self.planning.want(None, NO_CLIPS)
        else:
            request = {**self._request_of_plan(), "clips": self.clips.ranges}
            self.planning.want(request)
        self.changed.emit()

    def _request_of_plan(self) -> dict[str, Any]:
        assert self._source is not None
        out = self.out or self._free()
        return {"source": self._source.to_dict(), "told": self.clips.told_words, "out": str(out)}

    def _stop_asking(self) -> None:
        for ticket in (self._preview, self._survey, self._relay, self._whole):
            if ticket is not None:
                ticket.cancel()
        self._preview = self._survey = self._relay = self._whole = self.hearing = None

    def _fail(self, failure: Failure | None) -> None:
        if failure is not None and not failure.cancelled:
            self.failed.emit(failure)

    # What is kept.

    def _soon(self) -> None:
        """Keep the workspace once nothing has changed for a moment."""
        if self._leave_keep is None and self._source is not None:
            self._leave_keep = self.pump.later(_KEPT_AFTER, self._keep)

    def _keep(self) -> None:
        if self._leave_keep is not None:
            self._leave_keep()
            self._leave_keep = None
        if self._source is None:
            return
        kept = Workspace(
            self.live.drawn,
            self.options.differences,
            self.out,
            self._mix_path,
            self.transport.seconds,
        )
        self._spaces.write(self._source, kept)


def _is_same(one: Source, other: Source) -> bool:
    """Whether both are the same timeline, wherever its media are looked for."""
    return (one.path, one.timeline) == (other.path, other.timeline)
