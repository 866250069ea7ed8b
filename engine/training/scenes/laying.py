"""Soundtracks laid from recordings, many scenes at once: speech in turns, cues of music, effects over ambiences."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..material.levels import HOP, SAMPLE_RATE
from .blocks import BLOCK, CHUNK, Blocks, Speeds, blocks_in, play, rows
from .colour import GRAIN, Rooms, colour
from .dice import Dice
from .recordings import LOUD, SILENT, Excerpt, Recordings

LEVEL_DB = -23.0  # mean square of the loud frames of what is laid, dBFS
LONGEST_LINE = 6 * SAMPLE_RATE
LONGEST_EVENT = 6 * SAMPLE_RATE
EVENTS, REPEATS = 6, 5
LINES_A_SECOND = 2.2
PIECES = 4  # recordings of a cue, where one is too short for it
CROWD = 2  # further voices of speech in which several speak at once
_MUSIC_SPEEDS = Speeds(0.886, 1.128)
_EVENT_SPEEDS = Speeds(0.637, 1.42)


@dataclass(frozen=True)
class LayingConfig:
    """How scenes are laid. Shares and chances are 0…1.

    `silent` are the shares of shots without speech, music and effects. `augment` allows other speeds and colours:
    `low_pass` and `reverb` are shares of stems with a narrow band and in a plain room; `rooms` the share of scenes in
    rooms with walls, `codecs` that of stems that came through a telephone, a radio, a small loudspeaker or a low
    bit rate, `hard_speech` that of scenes whose voices speak at once, move and are off the microphone. A scene has
    `shots` shots: at each cut there are a new room and new effects, and voices and music each go on by the chance
    `goes_on`.
    """

    silent: tuple[float, float, float] = (0.42, 0.04, 0.05)
    augment: bool = True
    low_pass: float = 0.3
    reverb: float = 0.15
    rooms: float = 0.0
    codecs: float = 0.0
    hard_speech: float = 0.0
    shots: int = 1
    goes_on: float = 0.7


@dataclass(frozen=True)
class Laid:
    """Laid scenes.

    `stems` (B, 3, samples) lie at about the same level, silent where absent; `present` (B, shots, 3) is what was to
    sound. `transient` (B,) is the share of hits against bed of the effects, 0…1. `events` (B, E, 2) are the seconds
    in which effects sound, where `event_valid` (B, E), and `event_picture` (B, E) the numbers of the pictures that
    show them (-1: none). `cuts` (B, shots - 1) are the seconds at which shots begin, `packages` (B, 3) the numbers of
    the packages of the stems' main recordings (-1: silent), `hard` (B,) says which speech is hard.
    """

    stems: Tensor
    present: Tensor
    transient: Tensor
    events: Tensor
    event_valid: Tensor
    event_picture: Tensor
    cuts: Tensor
    packages: Tensor
    hard: Tensor


@dataclass(frozen=True)
class _Shots:
    """Shots of scenes: first sample and end (B, S), and what goes on of the shot before.

    `voices` and `music` (B, S) are the number of the shot whose voices and cue a shot has; `longest` is the greatest
    length there can be, in samples, of `samples` in all, and `of` (B, N) the shot of each block.
    """

    start: Tensor
    end: Tensor
    voices: Tensor
    music: Tensor
    samples: int
    longest: int
    of: Tensor


@dataclass(frozen=True)
class _Slots:
    """What plays one after another (R, K): start and length in samples as heard, packed place, gain and fades."""

    start: Tensor
    samples: Tensor
    source: Tensor
    gain: Tensor
    rise: Tensor
    fall: Tensor


def lay(recordings: Recordings, dice: Dice, samples: int, config: LayingConfig | None = None) -> Laid:
    """Lay one scene of `samples` for each of the dice's."""
    config = config or LayingConfig()
    blocks = blocks_in(samples)
    shots = _cut(dice, samples, blocks, config)
    present = _presence(dice, shots, config)
    hard = dice.chance("speech.hard", config.hard_speech)
    stems = torch.zeros(len(dice), 3, blocks, BLOCK, device=recordings.device)
    speech = _lay_speech(stems, recordings, dice, shots, present[..., 0], hard, config)
    music = _lay_music(stems, recordings, dice, shots, present[..., 1], config)
    effects = _lay_effects(stems, recordings, dice, shots, present[..., 2], config)
    rooms = Rooms(config.augment, config.low_pass, config.reverb, config.rooms, config.codecs)
    origins = torch.stack(
        [shots.voices, shots.music, torch.arange(config.shots, device=dice.device).expand_as(shots.music)], -1
    )
    sound = stems.view(len(dice), 3, -1)[..., :samples]
    sound = colour(sound, dice, rooms, shots.start, origins, hard, present.any(1))
    return Laid(
        sound,
        present,
        effects.transient,
        effects.events,
        effects.valid,
        effects.picture,
        shots.start[:, 1:] / SAMPLE_RATE,
        torch.stack([speech, music, effects.package], 1),
        hard,
    )


def _gain(excerpt: Excerpt, level_db: Tensor | float) -> Tensor:
    """The factor that brings excerpts to a level; 0 for silent ones."""
    level = torch.as_tensor(level_db, dtype=torch.float32, device=excerpt.mean_square.device)
    there = excerpt.mean_square > 0.0
    root = torch.where(there, excerpt.mean_square, 1.0).sqrt()
    return torch.where(there, 10.0 ** (level / 20.0) / root, 0.0)


def _whole_blocks(samples: Tensor) -> Tensor:
    """Samples rounded up to whole blocks."""
    return (samples + BLOCK - 1) // BLOCK * BLOCK


def _seconds(drawn: Tensor) -> Tensor:
    """Samples of so many seconds."""
    return (drawn * SAMPLE_RATE).round().to(torch.int64)


def _arranged(slots: _Slots, blocks: int, hop: Tensor | None = None) -> Blocks:
    """What plays in each of a row's blocks (R, N): the last slot that has begun. Valid slots never share a block."""
    count = slots.start.shape[1]
    device = slots.start.device
    used = (slots.gain != 0.0) & (slots.samples > 0)
    begins = torch.where(used, slots.start // BLOCK, -(1 << 40)).cummax(1).values
    last = torch.where(used, torch.arange(count, device=device), -1).cummax(1).values
    n = torch.arange(blocks, device=device)
    found = torch.searchsorted(begins, n.expand(len(begins), -1).contiguous(), right=True) - 1
    slot = last.gather(1, found.clamp_min(0))
    there = slot >= 0
    slot = slot.clamp_min(0)
    start, gain = slots.start.gather(1, slot), slots.gain.gather(1, slot)
    place = n * BLOCK - start
    into = place if hop is None else place // BLOCK * hop[:, None]
    return Blocks(
        slots.source.gather(1, slot) + into,
        place,
        slots.samples.gather(1, slot),
        torch.where(there, gain, 0.0),
        slots.rise.gather(1, slot),
        slots.fall.gather(1, slot),
    )


# Shots -------------------------------------------------------------------------------------------------


def _origin(dice: Dice, name: str, count: int, goes_on: float) -> Tensor:
    """For each shot the number of the one it goes on from, itself where something new begins (B, S)."""
    number = torch.arange(count, device=dice.device)
    new = ~dice.chance(name, goes_on, count) | (number == 0)
    return torch.where(new, number, 0).cummax(1).values


def _cut(dice: Dice, samples: int, blocks: int, config: LayingConfig) -> _Shots:
    """Cuts about evenly apart, each up to a third of a shot early or late, at whole grains of the colours."""
    count = config.shots
    number = torch.arange(count, device=dice.device)
    moved = number + torch.where(number > 0, dice.uniform("shots.cuts", count, low=-0.33, high=0.33), 0.0)
    start = (moved * (samples / count) / GRAIN).round().to(torch.int64) * GRAIN
    end = torch.cat([start[:, 1:], torch.full_like(start[:, :1], samples)], 1)
    n = (torch.arange(blocks, device=dice.device) * BLOCK).expand(len(dice), -1).contiguous()
    return _Shots(
        start,
        end,
        _origin(dice, "shots.voices", count, config.goes_on),
        _origin(dice, "shots.music", count, config.goes_on),
        samples,
        min(samples, int(1.66 * samples / count) + GRAIN),
        torch.searchsorted(start, n, right=True) - 1,
    )


def _presence(dice: Dice, shots: _Shots, config: LayingConfig) -> Tensor:
    """Which stems sound in which shots (B, S, 3) by the shares of silence; what goes on keeps what it had."""
    combinations = [[bool(k & 1), bool(k & 2), bool(k & 4)] for k in range(1, 8)]
    shares = []
    for sounds in combinations:
        share = 1.0
        for silent, there in zip(config.silent, sounds, strict=True):
            share *= (1.0 - silent) if there else silent
        shares.append(share)
    drawn = dice.pick("presence", shares, shots.start.shape[1])
    present = torch.tensor(combinations, device=dice.device)[drawn]
    speech = present[..., 0].gather(1, shots.voices)
    music = present[..., 1].gather(1, shots.music)
    return torch.stack([speech, music, present[..., 2]], -1)


# Speech ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Lines:
    """Lines of speakers (B, V, S, U): what is said, at which factor, and when it begins after the first (samples)."""

    said: Excerpt
    gain: Tensor
    after: Tensor
    speaker: Tensor


def _speak(
    recordings: Recordings, dice: Dice, shots: _Shots, hard: Tensor, shape: tuple[int, int, int]
) -> _Lines:
    """One or two speakers a voice in turns, with pauses, from dense talk to a sentence or two."""
    voices, count, lines = shape
    origin = shots.voices[:, None, :].expand(-1, voices, -1)

    def of_origin(drawn: Tensor) -> Tensor:
        """Of numbers a shot (B, V, S, …), those of the shot whose voices speak."""
        index = origin.reshape(*origin.shape, *[1] * (drawn.dim() - 3)).expand(drawn.shape)
        return drawn.gather(2, index)

    speakers = of_origin(recordings.draw(dice, "speech.speaker", "speech", voices, count, 2))
    two = of_origin(dice.chance("speech.two", 0.35, voices, count))
    pause = of_origin(dice.pick("speech.pause", [0.4, 0.4, 0.2], voices, count))
    mean = torch.tensor([0.35, 0.9, 2.5], device=dice.device)[pause]
    offsets = of_origin(dice.uniform("speech.offset", voices, count, 2, low=-2.0, high=2.0))
    turns = dice.chance("speech.turn", 0.5, voices, count, lines)
    turns[..., 0] = False
    who = turns.cumsum(-1) % 2 * two[..., None]
    speaker = speakers.gather(-1, who)
    near = recordings.near(dice, "speech.line", "speech", speaker)
    first = torch.arange(lines, device=dice.device) == 0
    item = torch.where(first & (origin == torch.arange(count, device=dice.device))[..., None], speaker, near)
    said = recordings.excerpt(dice, "speech.excerpt", "speech", item, LONGEST_LINE, LONGEST_LINE)
    level = LEVEL_DB + offsets.gather(-1, who) + 1.2 * dice.normal("speech.level", *shape)
    if voices > 1:
        # The others of several that speak at once are about as loud, and there only where speech is hard.
        level[:, 1:] -= dice.uniform("speech.behind", voices - 1, count, 1, low=0.0, high=6.0)
    gain = _gain(said, level)
    if voices > 1:
        gain[:, 1:] *= hard[:, None, None, None]
    gap = _seconds(mean[..., None] * dice.exponential("speech.gap", *shape) + 0.08)
    spent = said.samples + gap
    return _Lines(said, gain, spent.cumsum(-1) - spent, speakers[..., 0])


def _begin(dice: Dice, shots: _Shots, lines: _Lines, present: Tensor) -> tuple[Tensor, Tensor]:
    """When each line begins (B, V, S, U) in samples, and whether it is spoken: shots one after another."""
    voices, count = lines.after.shape[1:3]
    late = dice.exponential("speech.late", voices, count, mean=0.8).clamp_max(5.0)
    late = _seconds(late - dice.chance("speech.early", 0.3, voices, count).float())
    free = torch.full_like(late[..., 0], -(1 << 40))
    starts, spoken = [], []
    for shot in range(count):
        first = torch.maximum(shots.start[:, None, shot] + late[..., shot], free)
        start = first[..., None] + lines.after[:, :, shot]
        there = (start < shots.end[:, shot, None, None] - SAMPLE_RATE // 4) & present[:, shot, None, None]
        end = torch.where(there, start + lines.said.samples[:, :, shot], -(1 << 40)).amax(-1)
        free = torch.maximum(free, end + SAMPLE_RATE // 8)
        starts.append(start)
        spoken.append(there)
    return torch.stack(starts, 2), torch.stack(spoken, 2)


def _lay_speech(
    stems: Tensor,
    recordings: Recordings,
    dice: Dice,
    shots: _Shots,
    present: Tensor,
    hard: Tensor,
    config: LayingConfig,
) -> Tensor:
    """Add speech to its stem; returns the package of the first speaker (B,), -1 where nobody speaks."""
    voices = 1 + (CROWD if config.hard_speech > 0.0 else 0)
    count = present.shape[1]
    shape = (voices, count, 2 + int(LINES_A_SECOND * shots.longest / SAMPLE_RATE))
    lines = _speak(recordings, dice, shots, hard, shape)
    start, spoken = _begin(dice, shots, lines, present)
    gain = torch.where(spoken, lines.gain, 0.0)
    second = torch.full_like(gain, SAMPLE_RATE)
    for voice in range(voices):
        slots = _Slots(
            *(
                part[:, voice].flatten(1)
                for part in (
                    start,
                    lines.said.samples,
                    lines.said.source,
                    gain,
                    0.005 * second,
                    0.02 * second,
                )
            )
        )
        play_into(stems, 0, recordings, _arranged(slots, stems.shape[2]))
    if config.hard_speech > 0.0:
        _move(stems, dice, hard)
    return _package(recordings, "speech", lines.speaker[:, 0], present)


def _package(recordings: Recordings, kind: str, item: Tensor, present: Tensor) -> Tensor:
    """The package of the first shot's recording that sounds (B,): `item` and `present` are (B, S)."""
    first = present.to(torch.int8).argmax(1, keepdim=True)
    package = recordings.kinds[kind].package[item.gather(1, first)[:, 0]]
    return torch.where(present.any(1), package, -1)


def play_into(
    stems: Tensor,
    stem: int,
    recordings: Recordings,
    blocks: Blocks,
    hop: Tensor | None = None,
    speeds: Speeds | None = None,
) -> None:
    """Add blocks (B, N) to one of the stems (B, 3, N, 128)."""
    lane = torch.zeros_like(stems[:, stem])
    play(lane, recordings, blocks, hop, speeds)
    stems[:, stem] += lane


def _move(stems: Tensor, dice: Dice, hard: Tensor) -> None:
    """Hard speech comes and goes: its level drifts by up to 6 dB either way over some seconds."""
    depth = dice.uniform("speech.move.depth", 1, low=2.0, high=6.0)
    rate = dice.uniform("speech.move.rate", 1, low=0.08, high=0.4)
    phase = dice.uniform("speech.move.phase", 1)
    times = torch.arange(stems.shape[2] + 1, device=stems.device) * (BLOCK / SAMPLE_RATE)
    drift_db = depth * torch.sin(2.0 * torch.pi * (rate * times + phase)) * hard[:, None]
    gain = 10.0 ** (drift_db / 20.0)
    ramp = torch.arange(BLOCK, device=stems.device) / BLOCK
    here = rows(hard)
    now, then = gain[here, :-1, None], gain[here, 1:, None]
    stems[here, 0] *= now + (then - now) * ramp


# Music -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cues:
    """Cues (B, C): first sample and end of each as heard, whole blocks, fades in samples, and which are played."""

    start: Tensor
    end: Tensor
    rise: Tensor
    fall: Tensor
    used: Tensor


def _cues(dice: Dice, shots: _Shots, present: Tensor) -> _Cues:
    """The cues of scenes: of one shot, one or two that cross-fade; of several, a new one where music does not go on."""
    count, samples = present.shape[1], shots.samples
    if count == 1:
        return _cues_of_a_shot(dice, samples, present[:, 0])
    number = torch.arange(count, device=dice.device)
    new = shots.music == number
    starts = torch.cat([shots.start, torch.full_like(shots.start[:, :1], samples)], 1)
    # Both cues of a cut use the cross-fade of that cut; there is none where all begins and ends.
    cross = _seconds(dice.uniform("music.cross", count + 1, low=0.04, high=0.75)) // BLOCK * BLOCK
    cross = torch.where((starts > 0) & (starts < samples), cross, 0)
    following = _next(shots.music, count)
    start = shots.start - cross[:, :count]
    stop = starts.gather(1, following) + cross.gather(1, following)
    fades = (2 * cross).clamp_min(SAMPLE_RATE // 100).float()
    return _Cues(start, stop.clamp_max(samples), fades[:, :count], fades.gather(1, following), new & present)


def _next(origin: Tensor, count: int) -> Tensor:
    """The number of the next shot at which something new begins, `count` where there is none (B, S)."""
    number = torch.arange(count, device=origin.device)
    new = torch.where(origin == number, number, count)[:, 1:]
    return torch.cat([new.flip(1).cummin(1).values.flip(1), torch.full_like(origin[:, :1], count)], 1)


def _cues_of_a_shot(dice: Dice, samples: int, present: Tensor) -> _Cues:
    """One cue, or two that cross-fade; a single one may begin late or end early, with a fade."""
    two = dice.chance("music.two", 0.15)
    turn = (dice.uniform("music.turn", low=0.25, high=0.75) * samples).to(torch.int64) // BLOCK * BLOCK
    # A cue is at least twice as long as its cross-fade: fades are never cut short, and the sum stays constant.
    shorter = torch.minimum(turn, samples - turn)
    cross = (
        torch.minimum(_seconds(dice.uniform("music.cross", low=0.2, high=1.5)), shorter // 2) // BLOCK * BLOCK
    )
    is_late = dice.chance("music.is_late", 0.15) & ~two
    is_early = dice.chance("music.is_early", 0.15) & ~two
    late = _seconds(dice.uniform("music.late", low=0.5, high=5.0)) * is_late
    early = _seconds(dice.uniform("music.early", low=0.5, high=4.0)) * is_early
    length = (samples - late - early).clamp_min(2 * SAMPLE_RATE)
    fades = dice.uniform("music.fades", 2, low=0.05, high=2.5) * SAMPLE_RATE
    late = late // BLOCK * BLOCK
    short = torch.full_like(fades[:, 0], 0.01 * SAMPLE_RATE)
    rise = torch.where(is_late, fades[:, 0], short)
    fall = torch.where(two, cross.float(), torch.where(is_early, fades[:, 1], short))
    end = torch.where(two, turn + cross, late + length).clamp_max(samples)
    return _Cues(
        torch.stack([late, turn], 1),
        torch.stack([end, torch.full_like(end, samples)], 1),
        torch.stack([rise, cross.float()], 1),
        torch.stack([fall, short], 1),
        torch.stack([present, present & two], 1),
    )


def _lay_music(
    stems: Tensor, recordings: Recordings, dice: Dice, shots: _Shots, present: Tensor, config: LayingConfig
) -> Tensor:
    """Add music to its stem; returns the package of the first cue (B,), -1 without music."""
    cues = _cues(dice, shots, present)
    count = cues.start.shape[1]
    speed = torch.exp(dice.uniform("music.speed", low=-0.12, high=0.12))
    changed = dice.chance("music.respeed", 0.4 if config.augment else 0.0)
    hop = torch.where(changed, _MUSIC_SPEEDS.hop(speed), BLOCK)
    item = recordings.draw(dice, "music.item", "music", count, PIECES)
    wanted = (cues.end - cues.start) * hop[:, None] // BLOCK + HOP
    most = shots.samples * _MUSIC_SPEEDS.high // BLOCK + HOP
    found = recordings.excerpt(dice, "music.excerpt", "music", item, wanted[..., None], most)
    slots = _pieces(cues, found, hop, present.shape[1] > 1)
    # Cues take turns in two lanes, so that those of a lane never overlap.
    lane = (cues.used.long().cumsum(1) % 2)[..., None].expand(-1, -1, PIECES).flatten(1)
    for k in (0, 1):
        own = replace(slots, gain=torch.where(lane == k, slots.gain, 0.0))
        blocks = _arranged(own, stems.shape[2], hop)
        play_into(stems, 1, recordings, blocks, hop if config.augment else None, _MUSIC_SPEEDS)
    return _package(recordings, "music", item[:, : present.shape[1], 0], present)


def _pieces(cues: _Cues, found: Excerpt, hop: Tensor, full: bool) -> _Slots:
    """The recordings of each cue one after another (B, C·P), each at the level, until there is enough or all."""
    heard = found.samples * BLOCK // hop[:, None, None]
    spent = _whole_blocks(heard)
    before = spent.cumsum(-1) - spent
    length = (cues.end - cues.start)[..., None]
    # Enough is half of the cue and a second, at most the cue.
    enough = length if full else torch.minimum(length, length.new_tensor(SAMPLE_RATE) + length // 2)
    used = cues.used[..., None] & (before < torch.minimum(enough, length))
    samples = torch.minimum(heard, length - before).clamp_min(0)
    last = used & ~torch.cat([used[..., 1:], torch.zeros_like(used[..., :1])], -1)
    first = torch.arange(PIECES, device=used.device) == 0
    join = torch.full_like(cues.rise, 0.01 * SAMPLE_RATE)[..., None]
    gain = torch.where(used, _gain(found, LEVEL_DB), 0.0)
    parts = (
        cues.start[..., None] + before,
        samples,
        found.source,
        gain,
        torch.where(first, cues.rise[..., None], join),
        torch.where(last, cues.fall[..., None], join),
    )
    return _Slots(*(part.flatten(1) for part in parts))


# Effects -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Effects:
    """Laid effects: `transient`, `package` (B,), events as `Laid` has them."""

    transient: Tensor
    package: Tensor
    events: Tensor
    valid: Tensor
    picture: Tensor


@dataclass(frozen=True)
class _Events:
    """Events (B, S, 6): what plays, how it is heard (samples), first block, blocks to the next repeat, repeats."""

    found: Excerpt
    hop: Tensor
    samples: Tensor
    gain: Tensor
    first: Tensor
    step: Tensor
    repeats: Tensor


def _draw_events(
    recordings: Recordings, dice: Dice, shots: _Shots, wanted: Tensor, config: LayingConfig
) -> _Events:
    """One to six events a shot that is `wanted` to have some: some faster or slower, some repeated, within ±5 dB."""
    shape = (wanted.shape[1], EVENTS)
    used = torch.arange(EVENTS, device=dice.device) < 1 + dice.below("effects.count", EVENTS, shape[0], 1)
    used = used & wanted[..., None]
    item = recordings.draw(dice, "effects.item", "effects", *shape)
    longest = _seconds(dice.uniform("effects.longest", *shape, low=1.0, high=6.0))
    found = recordings.excerpt(dice, "effects.excerpt", "effects", item, longest, LONGEST_EVENT)
    speed = torch.exp(dice.uniform("effects.speed", *shape, low=-0.45, high=0.35))
    changed = dice.chance("effects.respeed", 0.5 if config.augment else 0.0, *shape)
    hop = torch.where(changed, _EVENT_SPEEDS.hop(speed), BLOCK)
    samples = found.samples * BLOCK // hop
    gain = _gain(found, LEVEL_DB + dice.uniform("effects.level", *shape, low=-5.0, high=5.0))
    again = dice.chance("effects.again", 0.3, *shape) & (samples < 1.5 * SAMPLE_RATE)
    repeats = torch.where(again, 2 + dice.below("effects.repeats", REPEATS - 1, *shape), 1)
    length = (shots.end - shots.start)[..., None]
    low, high = -samples // 4, (length - samples // 2).clamp_min(1)
    place = low + dice.below("effects.place", (high - low).clamp_min(1), *shape)
    step = _whole_blocks(samples + _seconds(dice.exponential("effects.gap", *shape, mean=0.3))) // BLOCK
    first = (shots.start[..., None] + place) // BLOCK
    return _Events(found, hop, samples, torch.where(used, gain, 0.0), first, step, repeats)


def _play_events(stems: Tensor, recordings: Recordings, shots: _Shots, events: _Events) -> None:
    """Play each event once, whole chunks of it, and add them to the stem as often as they are repeated."""
    device = stems.device
    chunks = -(-LONGEST_EVENT // (_EVENT_SPEEDS.low * CHUNK))
    number = torch.arange(chunks, device=device)
    needed = (number * CHUNK * BLOCK < events.samples[..., None]) & (events.gain != 0.0)[..., None]
    # What lies outside of its shot, however often it is repeated, is never heard.
    earliest = events.first[..., None] + number * CHUNK
    latest = earliest + ((events.repeats - 1) * events.step)[..., None] + CHUNK
    needed &= (earliest * BLOCK < shots.end[..., None, None]) & (
        latest * BLOCK > shots.start[..., None, None]
    )
    here = rows(needed)
    event, chunk = here // chunks, here % chunks
    k = chunk[:, None] * CHUNK + torch.arange(CHUNK, device=device)
    hop = events.hop.flatten()[event]

    def own(numbers: Tensor) -> Tensor:
        return numbers.flatten()[event][:, None].expand(k.shape)

    fade = torch.ones(k.shape, device=device) * SAMPLE_RATE
    blocks = Blocks(
        own(events.found.source) + k * hop[:, None],
        k * BLOCK,
        own(events.samples),
        own(events.gain),
        0.002 * fade,
        0.05 * fade,
    )
    sound = torch.zeros(*k.shape, BLOCK, device=device)
    play(sound, recordings, blocks, hop, _EVENT_SPEEDS)
    order = torch.zeros(needed.numel(), dtype=torch.int64, device=device)
    order[here] = torch.arange(here.numel(), device=device)
    _place_events(stems, sound.view(-1, BLOCK), order.view(needed.shape), shots, events)


def _place_events(stems: Tensor, sound: Tensor, order: Tensor, shots: _Shots, events: _Events) -> None:
    """Add events' blocks (n, 128) to the stem; `order` (B, S, 6, chunks) is where each of their chunks lies."""
    n = torch.arange(stems.shape[2], device=stems.device)
    scene = torch.arange(stems.shape[0], device=stems.device)[:, None]
    lane = torch.zeros_like(stems[:, 2])
    target = lane.view(-1, BLOCK)
    for event in range(EVENTS):
        first, step, repeats, samples = (
            numbers[..., event].gather(1, shots.of)
            for numbers in (events.first, events.step, events.repeats, events.samples)
        )
        there = events.gain[..., event].gather(1, shots.of) != 0.0
        since = n - first
        again = since // step.clamp_min(1)
        k = since - again * step
        there &= (since >= 0) & (again < repeats) & (k * BLOCK < samples)
        k = torch.where(there, k, 0)
        at = order[scene, shots.of, event, k // CHUNK] * CHUNK + k % CHUNK
        here = rows(there)
        found = sound[at.flatten()[here]]
        target[here] += found * there.flatten()[here, None]
    stems[:, 2] += lane


def _draw_bed(recordings: Recordings, dice: Dice, shots: _Shots) -> Excerpt:
    """An ambience for each shot (B, S): the longest of three recordings."""
    count = shots.start.shape[1]
    items = recordings.draw(dice, "bed.item", "effects", count, 3)
    length = shots.end - shots.start
    whole = torch.minimum(recordings.kinds["effects"].samples[items], length[..., None])
    item = items.gather(-1, whole.argmax(-1, keepdim=True))[..., 0]
    return recordings.excerpt(dice, "bed.excerpt", "effects", item, length, shots.longest)


def _lay_bed(
    stems: Tensor, recordings: Recordings, dice: Dice, shots: _Shots, bed: Excerpt, gain: Tensor
) -> None:
    """Add ambiences to the stem, looped with cross-fades where they are shorter than their shot.

    `gain` (B, S) is the factor against the level (0: none); the level is that of the loop, not of the recording.
    """
    length = shots.end - shots.start
    looped = bed.samples < length
    cross = torch.minimum(bed.samples // 3, bed.samples.new_tensor(SAMPLE_RATE // 2))
    period = ((bed.samples - cross) // BLOCK).clamp_min(HOP // BLOCK)
    ahead = dice.below("bed.ahead", period, shots.start.shape[1]) * looped
    fade = torch.where(looped, (bed.samples - period * BLOCK).float(), 1.0)
    period = torch.where(looped, period, 1 << 40)
    there = torch.where((bed.samples >= HOP) & (gain != 0.0), 1.0, 0.0)
    lane = torch.zeros_like(stems[:, 2])

    def here(numbers: Tensor) -> Tensor:
        return numbers.gather(1, shots.of)

    n = torch.arange(stems.shape[2], device=stems.device)
    turn = here(period)
    since = (n - here(shots.start // BLOCK - ahead)) % turn
    for place in (since, since + turn):
        blocks = Blocks(
            here(bed.source) + place * BLOCK,
            place * BLOCK,
            here(bed.samples),
            here(there),
            here(fade),
            here(fade),
        )
        play(lane, recordings, blocks)
    root = _loud(lane, shots).sqrt()
    factor = torch.where(
        root > 0.0, gain * 10.0 ** (LEVEL_DB / 20.0) / torch.where(root > 0.0, root, 1.0), 0.0
    )
    stems[:, 2] += lane.mul_(here(factor)[..., None])


def _loud(lane: Tensor, shots: _Shots) -> Tensor:
    """Mean square of the loud frames of each shot (B, S) of blocks (B, N, 128), 0 where it is silent."""
    power = lane.flatten(1).unflatten(1, (-1, HOP)).square().mean(-1)
    frames = torch.arange(power.shape[1], device=power.device)
    shot = torch.where(frames * HOP < shots.samples, shots.of[:, :: HOP // BLOCK], -1)
    inside = shot[:, None] == torch.arange(shots.start.shape[1], device=power.device)[:, None]
    power = torch.where(inside, power[:, None], 0.0)
    loud = inside & (power >= LOUD * power.amax(-1, keepdim=True))
    mean = (power * loud).sum(-1) / loud.sum(-1).clamp_min(1)
    return torch.where(mean < SILENT, 0.0, mean)


def _soften_cuts(stems: Tensor, shots: _Shots) -> None:
    """Effects fade to silence and back within some milliseconds about a cut, instead of a click."""
    n = torch.arange(stems.shape[2], device=stems.device)
    edges = [shots.start[:, 1:] // BLOCK - 1, shots.start[:, 1:] // BLOCK]
    ramp = (torch.arange(BLOCK, device=stems.device) + 0.5) / BLOCK
    for edge, shape in zip(edges, (1.0 - ramp, ramp), strict=True):
        at = (n == edge[..., None]).any(1)
        stems[:, 2] *= torch.where(at[..., None], shape, 1.0)


def _lay_effects(
    stems: Tensor, recordings: Recordings, dice: Dice, shots: _Shots, present: Tensor, config: LayingConfig
) -> _Effects:
    """Add effects to their stem: events over an ambience or none, or an ambience alone."""
    count = present.shape[1]
    alone = dice.chance("effects.alone", 0.12, count)
    under = (alone | dice.chance("effects.bed", 0.45, count)) & present
    below = torch.where(alone, 0.0, dice.uniform("effects.below", count, low=6.0, high=18.0))
    events = _draw_events(recordings, dice, shots, present & ~alone, config)
    _play_events(stems, recordings, shots, events)
    bed = _draw_bed(recordings, dice, shots)
    _lay_bed(stems, recordings, dice, shots, bed, torch.where(under, 10.0 ** (-below / 20.0), 0.0))
    if count > 1:
        _soften_cuts(stems, shots)
    hits = torch.where(under, (below / 14.0).clamp_max(1.0), 1.0)
    transient = torch.where(present, hits, 0.0).sum(1) / present.sum(1).clamp_min(1)
    main = torch.where(alone, bed.item, events.found.item[..., 0])
    return _Effects(
        torch.where(present.any(1), transient, 1.0),
        _package(recordings, "effects", main, present),
        *_times(recordings, shots, events),
    )


def _times(recordings: Recordings, shots: _Shots, events: _Events) -> tuple[Tensor, Tensor, Tensor]:
    """When events sound in seconds (B, E, 2), which of them do (B, E), and the pictures that show them (B, E)."""
    again = torch.arange(REPEATS, device=events.first.device)
    start = (events.first[..., None] + again * events.step[..., None]) * BLOCK
    end = torch.minimum(start + events.samples[..., None], shots.end[..., None, None])
    start = torch.maximum(start, shots.start[..., None, None])
    valid = (again < events.repeats[..., None]) & (events.gain != 0.0)[..., None] & (start < end)
    picture = recordings.kinds["effects"].picture[events.found.item][..., None].expand(valid.shape)
    times = torch.stack([start, end], -1) / SAMPLE_RATE
    return times.flatten(1, 3), valid.flatten(1), torch.where(valid, picture, -1).flatten(1)
