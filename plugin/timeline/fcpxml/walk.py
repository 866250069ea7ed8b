"""A sequence of FCPXML as pieces of media at record times: clips of clips opened, lanes and clocks worked out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import NamedTuple
from xml.etree.ElementTree import Element

from ....engine.edit.losses import Losses
from ....engine.edit.timemap import TimeMap
from ....engine.errors import TimelineError
from .document import Asset, Resources
from .parts import (
    KINDS,
    ONE,
    ZERO,
    Joint,
    Kind,
    Mark,
    Part,
    Place,
    RoleRule,
    Treatment,
    Window,
    both,
)
from .retime import eased, fitted, speed_map
from .sound import silent, stacked, treatment

MOST = 200_000  # elements met on one timeline: compound clips inside each other can stand for any number
_MEDIA = ("asset-clip", "video", "audio", "title")
_REFERRING = ("ref-clip", "mc-clip")
_COMPOUNDS = ("clip", "sync-clip", "ref-clip", "mc-clip")
_STORY = (*_MEDIA, *_COMPOUNDS, "gap", "audition", "spine")
_SIDES: dict[str, frozenset[Kind]] = {
    "all": frozenset(KINDS),
    "video": frozenset(("video",)),
    "audio": frozenset(("audio",)),
    "none": frozenset(),
}
_MARKS = {"marker": "BLUE", "chapter-marker": "ORANGE"}
_LEFT_OUT = {"caption": "Captions", "live-drawing": "Live drawings"}
_TO_DO = {"0": "RED", "1": "GREEN"}


class Extent(NamedTuple):
    """An element's own clock at its start, its length on that clock, and its start on the record."""

    start: Fraction
    length: Fraction
    record: Fraction
    end: Fraction


@dataclass
class Walk:
    """Walks one sequence; `parts` and `marks` are what it comes to, `losses` what of it nobody here can play."""

    resources: Resources
    rate: Fraction
    parts: list[Part] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    losses: Losses = field(default_factory=Losses)
    unheard: Losses = field(default_factory=Losses)
    _met: int = 0
    _links: int = 0
    _reaches: dict[int, Fraction] = field(default_factory=dict)

    def sequence(self, element: Element) -> None:
        """Everything on a sequence, in seconds from its first moment."""
        self._contents(element, Place(local=self._time(element, "tcStart")))

    # ---- clocks

    def _time(self, element: Element, key: str, default: Fraction = ZERO) -> Fraction:
        found = self.resources.time(element, key, None)
        return default if found is None else found

    def _begin(self, element: Element) -> Fraction:
        """Where an element's own clock stands at its start, where it does not say."""
        if element.tag in ("asset-clip", "video", "audio"):
            asset = self.resources.asset(element.get("ref"))
            return asset.start if asset is not None else ZERO
        inner = self._inner(element)
        return self._time(inner, "tcStart") if inner is not None else ZERO

    def _full(self, element: Element, start: Fraction) -> Fraction:
        """An element's length where it does not say: up to the end of what is in it."""
        if element.tag in ("asset-clip", "video", "audio"):
            asset = self.resources.asset(element.get("ref"))
            known = asset.duration if asset is not None else None
            return asset.start + known - start if asset is not None and known is not None else ZERO
        inner = self._inner(element)
        if inner is not None and "duration" in inner.attrib:
            return self._time(inner, "duration")
        holders = [element] if inner is None else [inner, *inner.findall("mc-angle")]
        return max((self._reach(holder) for holder in holders), default=start) - start

    def _reach(self, holder: Element) -> Fraction:
        """Where the contents of an element end, on the clock they lie on."""
        if id(holder) not in self._reaches:
            self._reaches[id(holder)] = self._furthest(holder)
        return self._reaches[id(holder)]

    def _furthest(self, holder: Element) -> Fraction:
        at = self._time(holder, "tcStart")
        furthest = at
        for child in holder:
            if child.tag == "spine" and not _lane(child):
                furthest = max(furthest, self._reach(child))
            elif child.tag in _STORY and not _lane(child):
                chosen = _picked(child)
                start = self._time(chosen, "start", self._begin(chosen))
                length = self.resources.time(chosen, "duration", None)
                at = self._time(chosen, "offset", at) + (
                    length if length is not None else self._full(chosen, start)
                )
                furthest = max(furthest, at)
        return furthest

    def _extent(self, element: Element, place: Place, at: Fraction) -> Extent:
        """Where an element lies in its parent: at its offset, at `at` where it has none."""
        start = self._time(element, "start", self._begin(element))
        length = self.resources.time(element, "duration", None)
        if length is None:
            length = self._full(element, start)
        record = place.at(self._time(element, "offset", at))
        return Extent(start, max(length, ZERO), record, record + max(length, ZERO) / place.pace)

    def _windows(self, element: Element, place: Place, extent: Extent) -> tuple[Window, Window]:
        """What is seen and what is heard of an element: sound may be split off and reach further than picture."""
        heard = self._heard(element, place, extent)
        return both(place.windows[0], (extent.record, extent.end)), both(place.windows[1], heard)

    def _heard(self, element: Element, place: Place, extent: Extent) -> tuple[Fraction, Fraction]:
        """The record times at which an element's sound begins and ends."""
        first = self._time(element, "audioStart", extent.start)
        length = self._time(element, "audioDuration", extent.start + extent.length - first)
        begin = extent.record + (first - extent.start) / place.pace
        return begin, begin + max(length, ZERO) / place.pace

    # ---- the story

    def _contents(self, holder: Element, place: Place) -> None:
        """What an element plays itself: its spine or its clips, not what is connected to it from outside."""
        origin = self._time(holder, "tcStart")
        for child in holder:
            if child.tag == "spine" and not _lane(child):
                self._run(list(child), place, origin)
        self._run([c for c in holder if c.tag != "spine" and self._is_inside(c, holder)], place, origin)

    def _is_inside(self, child: Element, holder: Element) -> bool:
        """Whether an element in another is part of it, or connected to it: what has a lane is connected.

        The picture and sound that a clip consists of are always part of it, and so is the sound in lanes of a
        synchronized clip that has no spine.
        """
        if not _lane(child) or holder.tag not in _COMPOUNDS:
            return True
        if holder.tag == "clip":
            return child.tag in ("video", "audio")
        return holder.tag == "sync-clip" and _is_direct(holder) and self._only_sounds(child)

    def _only_sounds(self, element: Element) -> bool:
        asset = self.resources.asset(_picked(element).get("ref"))
        return _lane(element) < 0 or (asset is not None and asset.sound and not asset.picture)

    def _run(self, elements: Sequence[Element], place: Place, at: Fraction) -> None:
        """Elements one after the other from `at` on, where they do not say where, with the transitions between them."""
        items: list[tuple[Element, Extent]] = []
        dissolves: list[tuple[Element, int]] = []
        for element in elements:
            if element.tag == "transition":
                dissolves.append((element, len(items)))
            elif element.tag in _STORY:
                chosen = _picked(element)
                extent = self._extent(chosen, place, at)
                items.append((chosen, extent))
                if not _lane(chosen):
                    at = self._time(chosen, "offset", at) + extent.length
            elif element.tag in _LEFT_OUT:
                self.losses.add(f"{_LEFT_OUT[element.tag]} are left out", 1)
        before: dict[int, Joint] = {}
        after: dict[int, Joint] = {}
        for element, number in dissolves:
            joint = self._joint(
                element, items[max(number - 1, 0) : number], items[number : number + 1], place
            )
            before[number], after[number - 1] = joint, joint
        for number, (chosen, extent) in enumerate(items):
            self._story(chosen, replace(place, joints=(before.get(number), after.get(number))), extent)

    def _joint(
        self,
        element: Element,
        before: Sequence[tuple[Element, Extent]],
        after: Sequence[tuple[Element, Extent]],
        place: Place,
    ) -> Joint:
        """A transition with the cut that it lies over, between the elements before and after it."""
        first = place.at(self._time(element, "offset", place.local))
        last = first + self._time(element, "duration") / place.pace
        cuts = [extent.end for _, extent in before] + [extent.record for _, extent in after]
        cut = next((cut for cut in cuts if first <= cut <= last), (first + last) / 2)
        tags: tuple[tuple[str, Kind], ...] = (("filter-video", "video"), ("filter-audio", "audio"))
        kinds = frozenset(kind for tag, kind in tags if element.find(tag) is not None)
        return Joint(
            cut, cut - first, last - cut, element.get("name") or "Transition", kinds or frozenset(KINDS)
        )

    def _story(self, element: Element, place: Place, extent: Extent) -> None:
        """One element of the story and all that is connected to it."""
        self._met += 1
        if self._met > MOST:
            limit = f"it comes to more than {MOST} clips; split the project"
            raise TimelineError(f"{self.resources.path} cannot be read as FCPXML: {limit}.")
        lane = _lane(element)
        here = replace(place, path=(*place.path, lane) if lane else place.path)
        if element.tag == "spine":
            self._run(list(element), replace(here, local=ZERO, record=extent.record), ZERO)
            return
        self._mark(element, here, extent)
        if element.tag in _MEDIA:
            self._media(element, here, extent)
        elif element.tag in _COMPOUNDS:
            self._compound(element, here, extent)
        self._anchored(element, here, extent)

    def _anchored(self, element: Element, place: Place, extent: Extent) -> None:
        """What is connected to an element: it lies on the element's clock, and plays on its own."""
        hung = replace(place, local=extent.start, record=extent.record, joints=(None, None), note="")
        inner = replace(hung, path=(*hung.path, 0))
        for child in element:
            if child.tag in _LEFT_OUT and element.tag not in _COMPOUNDS:
                self.losses.add(f"{_LEFT_OUT[child.tag]} are left out", 1)
            if child.tag in _STORY and not (element.tag in _COMPOUNDS and self._is_inside(child, element)):
                chosen = _picked(child)
                own = element.tag == "video" and chosen.tag == "audio"  # the sound of this very picture
                where = inner if own else hung
                self._story(chosen, where, self._extent(chosen, where, hung.local))

    # ---- clips of clips

    def _inner(self, element: Element) -> Element | None:
        """The sequence or multicam that a clip refers to."""
        if element.tag not in _REFERRING:
            return None
        media = self.resources.element(element.get("ref"), "media")
        return (
            media.find("sequence" if element.tag == "ref-clip" else "multicam") if media is not None else None
        )

    def _compound(self, element: Element, place: Place, extent: Extent) -> None:
        inner = self._inner(element)
        refers = element.tag in _REFERRING
        name, identity = element.get("name") or place.name, element.get("ref", "")
        if refers and (inner is None or identity in place.opened):
            why = "the document does not have its contents" if inner is None else "it holds itself"
            self._lost(f"“{name or identity}” is left out: {why}", heard=True)
            return
        windows = self._windows(element, place, extent)
        if all(window[1] is not None and window[1] <= window[0] for window in windows):
            return
        opened = self._opened(element, place, extent, windows, name)
        opened = replace(opened, opened=place.opened | {identity} if refers else place.opened)

        def rules(source: Element) -> tuple[RoleRule, ...]:
            return self._rules(source, element, place, extent, len(opened.path))

        if element.tag == "mc-clip" and inner is not None:
            self._angles(element, inner, opened, rules)
            return
        sources = element.findall("sync-source") or [element]
        said = [rule for source in sources for rule in rules(source)]
        self._contents(inner if inner is not None else element, replace(opened, rules=(*opened.rules, *said)))

    def _opened(
        self, element: Element, place: Place, extent: Extent, windows: tuple[Window, Window], name: str
    ) -> Place:
        """The place of what is in a clip of clips: its clock, its windows, its levels."""
        plan = speed_map(element, self.resources, self.rate)
        self._note_speed(element, plan)
        entry, pace, problem = extent.start, place.pace, place.problem
        if plan is not None:
            last = extent.start + extent.length
            entry, slope = plan.at(extent.start), plan.slope(extent.start)
            steady = plan.slope(last) == slope and len(plan.breaks(extent.start, last)) == 2
            if slope <= 0 or not steady:
                problem = (
                    problem or f"It lies inside “{name}”, whose speed is not steady; render that clip first."
                )
                mean = (plan.at(last) - entry) / extent.length if extent.length else ONE
                slope = abs(mean) or ONE
                entry = min(entry, plan.at(last))
            pace = place.pace * slope
        plain = element.tag == "clip"
        return replace(
            place,
            local=entry,
            record=extent.record,
            pace=pace,
            windows=windows,
            path=(*place.path, 0),
            enabled=place.enabled and _is_on(element),
            sides=place.sides & _SIDES.get(element.get("srcEnable", "all"), _SIDES["all"]),
            sound=(*place.sound, self._treatment(element, place, extent)),
            effects=(*place.effects, *_filters(element)),
            outer=tuple(own or around for own, around in zip(place.joints, place.outer, strict=True)),
            joints=(None, None),
            name=name if plain else "",
            note=_note(element) if plain else "",
            problem=problem,
        )

    def _treatment(
        self, element: Element, place: Place, extent: Extent, of: Element | None = None
    ) -> Treatment:
        """What an element, or a part `element` of the clip `of`, does to the clip's sound, in record time."""
        clip = of if of is not None else element
        return treatment(
            element,
            self.resources,
            lambda time: extent.record + (time - extent.start) / place.pace,
            place.pace,
            self._heard(clip, place, extent),
        )

    def _rules(
        self, source: Element, of: Element, place: Place, extent: Extent, depth: int
    ) -> tuple[RoleRule, ...]:
        """What a `source` of the clip of clips `of`, met at `place`, says of the roles in it, `depth` lanes deep."""
        where = source.get("sourceID", "") if source.tag == "sync-source" else ""
        return tuple(
            RoleRule(
                role.get("role", "").strip(),
                where,
                _is_on(role) and not silent(role),
                self._treatment(role, place, extent, of),
                depth,
            )
            for role in source.findall("audio-role-source")
        )

    def _angles(
        self,
        element: Element,
        multicam: Element,
        place: Place,
        rules: Callable[[Element], tuple[RoleRule, ...]],
    ) -> None:
        """The angles of a multicam clip that are seen and heard; the first where none is named."""
        angles = multicam.findall("mc-angle")
        sources = element.findall("mc-source")
        for angle in angles[:1] if not sources else ():
            self._contents(angle, place)
        for source in sources:
            sides = place.sides & _SIDES.get(source.get("srcEnable", "all"), _SIDES["all"])
            named = [angle for angle in angles if angle.get("angleID") == source.get("angleID")]
            if not named:
                what = f"An angle of “{element.get('name', '')}” is left out"
                self._lost(f"{what}: the document has no {source.get('angleID')!r}", heard=bool(sides))
                continue
            effects = (*place.effects, *_filters(source))
            self._contents(
                named[0], replace(place, sides=sides, rules=(*place.rules, *rules(source)), effects=effects)
            )

    # ---- media

    def _media(self, element: Element, place: Place, extent: Extent) -> None:
        """The picture and the sounds of one clip."""
        if not extent.length:
            self.losses.add("Clips without a length are left out", 1)
            return
        asset = self._asset(element)
        kinds = self._kinds(element, asset) & place.sides
        plan = fitted(speed_map(element, self.resources, self.rate), asset, extent.start)
        self._note_speed(element, plan)
        self._links += 1
        for kind, window in zip(KINDS, self._windows(element, place, extent), strict=True):
            if kind not in kinds or (window[1] is not None and window[1] <= window[0]):
                continue
            part = self._part(kind, element, place, extent, window, plan, asset)
            self.parts += [part] if kind == "video" else self._sounds(element, place, extent, part, asset)

    def _asset(self, element: Element) -> Asset | None:
        """The file a clip plays; one without an address where the document does not have it, None for a generator."""
        if element.tag == "title" or self.resources.element(element.get("ref"), "effect") is not None:
            return None
        found = self.resources.asset(element.get("ref"))
        return found or Asset(
            element.get("name", ""), ZERO, None, element.tag != "audio", element.tag != "video", 1, ()
        )

    @staticmethod
    def _kinds(element: Element, asset: Asset | None) -> frozenset[Kind]:
        if element.tag == "audio":
            return _SIDES["audio"]
        if element.tag in ("video", "title") or asset is None:
            return _SIDES["video"]
        has = {kind for kind, there in zip(KINDS, (asset.picture, asset.sound), strict=True) if there}
        return frozenset(has) & _SIDES.get(element.get("srcEnable", "all"), _SIDES["all"])

    def _part(
        self,
        kind: Kind,
        element: Element,
        place: Place,
        extent: Extent,
        window: Window,
        plan: TimeMap | None,
        asset: Asset | None,
    ) -> Part:
        first, last = window[0], window[1] if window[1] is not None else extent.end

        def clock(record: Fraction) -> Fraction:
            return extent.start + (record - extent.record) * place.pace

        bends = plan.breaks(clock(first), clock(last))[1:-1] if plan is not None else []
        times = [first, *(extent.record + (bend - extent.start) / place.pace for bend in bends), last]
        points = tuple((t - first, plan.at(clock(t)) if plan is not None else clock(t)) for t in times)
        word = "audioRole" if kind == "audio" else "videoRole"
        role = (element.get("role") or element.get(word) or "").strip()
        joints = (own or around for own, around in zip(place.joints, place.outer, strict=True))
        before, after = (joint if joint and kind in joint.kinds else None for joint in joints)
        video_effects = _filters(element) if kind == "video" else ()
        return Part(
            kind=kind,
            name=_called(element, place) or (asset.name if asset is not None else ""),
            start=first,
            duration=last - first,
            points=points,
            asset=asset,
            path=_trimmed(place.path),
            role=role,
            enabled=place.enabled and _is_on(element),
            sound=Treatment(effects=(*place.effects, *video_effects) if kind == "video" else ()),
            before=before if before and before.cut == first else None,
            after=after if after and after.cut == last else None,
            note=_note(element) or place.note,
            link=self._links,
            facts=_facts(element, word, role),
            problem=place.problem,
        )

    def _sounds(
        self, element: Element, place: Place, extent: Extent, part: Part, asset: Asset | None
    ) -> Iterator[Part]:
        """The sounds of one clip: one for each of its channel sources, or for each stream of its file."""
        own = self._treatment(element, place, extent)
        enabled = part.enabled and not silent(element)
        components = element.findall("audio-channel-source")
        if components:
            for component in components:
                if _is_on(component) and not silent(component):
                    role = component.get("role", "").strip() or part.role
                    inner = self._treatment(component, place, extent, element)
                    sound = replace(
                        part, role=role, channels=_numbers(component.get("srcCh")), enabled=enabled
                    )
                    yield self._ruled(sound, place, (own, inner))
            return
        stream, channels = None, None
        if element.tag == "audio":
            numbered = _numbers(element.get("srcID"))
            channels = _numbers(element.get("srcCh"))
            stream = numbered[0] if numbered and (numbered[0] or channels) else None
        several = asset.sources if asset is not None and element.tag == "asset-clip" else 1
        for number in range(several) if several > 1 else (stream,):
            yield self._ruled(replace(part, stream=number, channels=channels, enabled=enabled), place, (own,))

    def _ruled(self, part: Part, place: Place, own: Sequence[Treatment]) -> Part:
        """A sound under its own level, those of everything around it, and what that says of its role."""
        rules = [rule for rule in place.rules if rule.fits(part.role, place.path)]
        plays = all(rule.plays for rule in rules)
        treatments = [*own, *(rule.sound for rule in rules), *place.sound]
        facts = {**part.facts, "audioRole": part.role} if part.role else part.facts
        return replace(
            part,
            sound=stacked(treatments, part.start, part.end),
            enabled=part.enabled and plays,
            facts=facts,
        )

    # ---- what is said of it

    def _lost(self, sentence: str, heard: bool = False) -> None:
        self.losses.add(f"{sentence}.")
        if heard:
            self.unheard.add(f"{sentence}.")

    def _note_speed(self, element: Element, plan: TimeMap | None) -> None:
        if plan is not None and eased(element):
            self.losses.add("Speed changes that ease are read as straight lines", 1)
            self.unheard.add("Speed changes that ease are read as straight lines", 1)

    def _mark(self, element: Element, place: Place, extent: Extent) -> None:
        """The markers on an element that lie within it."""
        for marker in element:
            color = _MARKS.get(marker.tag)
            if color is None:
                continue
            at = extent.record + (self._time(marker, "start") - extent.start) / place.pace
            seen = both(place.windows[0], (extent.record, extent.end))
            if at < seen[0] or (seen[1] is not None and at >= seen[1]):
                continue
            length = max(self._time(marker, "duration"), ZERO) / place.pace
            color = _TO_DO.get(marker.get("completed", ""), color)
            self.marks.append(Mark(at, length, marker.get("value", ""), marker.get("note", ""), color))


def _lane(element: Element) -> int:
    text = element.get("lane", "0").strip()
    digits = text.removeprefix("-").removeprefix("+")
    return int(text) if digits.isascii() and digits.isdecimal() and len(digits) < 6 else 0


def _trimmed(path: tuple[int, ...]) -> tuple[int, ...]:
    """A path of lanes without the noughts at its end."""
    while path and not path[-1]:
        path = path[:-1]
    return path


def _picked(element: Element) -> Element:
    """The element itself, or the pick of an audition (its first clip), where the audition lies."""
    while element.tag == "audition":
        first = next((child for child in element if child.tag in _STORY and child.tag != "spine"), None)
        if first is None:
            return Element("gap", {**element.attrib, "duration": "0s"})
        moved = {key: value for key, value in element.attrib.items() if key in ("offset", "lane")}
        picked = Element(first.tag, {**first.attrib, **moved})
        picked.extend(list(first))
        element = picked
    return element


def _is_direct(sync: Element) -> bool:
    """Whether a synchronized clip holds its clips itself, without a spine."""
    return not any(child.tag == "spine" and not _lane(child) for child in sync)


def _is_on(element: Element) -> bool:
    return element.get("enabled") != "0" and element.get("active") != "0"


def _called(element: Element, place: Place) -> str:
    """What editors call it: the picture and sound that a clip consists of have the clip's name."""
    own = element.get("name", "")
    return place.name or own if element.tag in ("video", "audio") else own or place.name


def _filters(element: Element) -> tuple[str, ...]:
    """Names of an element's effects on the picture."""
    found = (c for c in element if c.tag in ("filter-video", "filter-video-mask") and c.get("enabled") != "0")
    return tuple(child.get("name") or "video effect" for child in found)


def _note(element: Element) -> str:
    note = element.find("note")
    return (note.text or "").strip() if note is not None else ""


def _numbers(text: str | None) -> tuple[int, ...] | None:
    """Channels such as "1, 2", counted from 0; None where there are none."""
    words = [word.strip() for word in (text or "").split(",")]
    found = tuple(int(word) - 1 for word in words if word.isascii() and word.isdecimal() and len(word) < 5)
    return tuple(number for number in found if number >= 0) or None


def _facts(element: Element, own: str, role: str) -> dict[str, object]:
    """What the document says of a clip, as it says it: attributes, keywords and metadata."""
    facts: dict[str, object] = {"element": element.tag, **element.attrib}
    if role:
        facts[own] = role
    keywords = [word.get("value", "") for word in element.findall("keyword")]
    if keywords:
        facts["keywords"] = keywords
    told = {md.get("key", ""): md.get("value", "") for md in element.findall("metadata/md")}
    if told:
        facts["metadata"] = told
    return facts
