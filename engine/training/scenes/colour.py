"""What rooms, microphones and lines do to stems: reverberation, band limits, tilts and codecs, many scenes at once.

Everything linear is one product of spectra in blocks of 0.74 s (overlap-add), so that another room may begin with any
block; what bends the sound, a telephone's clipping or the noise of a low bit rate, comes before it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from ..material.levels import HOP, SAMPLE_RATE, STEMS
from .blocks import rows
from .dice import Dice

GRAIN = 1 << 15  # samples of a block of the spectra: a colour may change from one to the next
_SIZE = 2 * GRAIN
TAIL = round(0.7 * SAMPLE_RATE)  # the longest room; what is left of a block is for the filters to ring
_SPEED_OF_SOUND = 343.0
_BANDS_HZ = (500.0, 2000.0, 6000.0)
_BAND_DECAYS = (1.15, 1.0, 0.75, 0.45)  # of each band's decay time against that at 1 kHz
_REFLECTIONS = 3  # walls that a distinct echo has met at most
TELEPHONE, RADIO, LOUDSPEAKER, BIT_RATE = range(1, 5)
# Which codecs voices, music and effects come through: shares of the four.
_CODECS = ((0.5, 0.25, 0.1, 0.15), (0.0, 0.3, 0.3, 0.4), (0.0, 0.2, 0.3, 0.5))


@dataclass(frozen=True)
class Rooms:
    """Shares of colours, 0…1: as `LayingConfig` has them."""

    augment: bool
    low_pass: float
    reverb: float
    rooms: float
    codecs: float


@dataclass(frozen=True)
class _Colours:
    """Colours of one stem by shot, tensors (B, S).

    `low` and `high` Hz are a low-pass and a high-pass (0: none), `tilt_db` the gain above `tilt_hz`; `plain` says
    where there is a plain room of `seconds` and `wet_db`, `walls` where there is one with walls and `far` how many
    times as far the microphone is in it; `codec` numbers what the sound came through (0: nothing) and `drive` how hard.
    """

    low: Tensor
    high: Tensor
    tilt_db: Tensor
    tilt_hz: Tensor
    plain: Tensor
    walls: Tensor
    far: Tensor
    codec: Tensor
    drive: Tensor

    def at(self, scenes: Tensor) -> _Colours:
        """Those of some of the scenes."""
        return _Colours(**{name: value[scenes] for name, value in vars(self).items()})

    @property
    def any(self) -> Tensor:
        """Which scenes have a colour in any shot (B,)."""
        there = (
            self.plain
            | self.walls
            | (self.codec > 0)
            | (self.low > 0)
            | (self.high > 0)
            | (self.tilt_db != 0)
        )
        return there.any(1)


def colour(
    stems: Tensor, dice: Dice, shares: Rooms, starts: Tensor, origins: Tensor, hard: Tensor, present: Tensor
) -> Tensor:
    """Stems (B, 3, samples) through rooms, band limits, tilts and codecs.

    `starts` (B, S) are the first samples of the shots, `origins` (B, S, 3) the shot from which each stem's colours go
    on, `hard` (B,) says whose speech is off the microphone, `present` (B, 3) which stems sound. Stems without a colour
    come back as they are.
    """
    if not shares.augment:
        return stems
    out = stems.clone()
    blocks = -(-stems.shape[-1] // GRAIN)
    places = (torch.arange(blocks, device=stems.device) * GRAIN).expand(len(dice), -1).contiguous()
    shot = torch.searchsorted(starts.contiguous(), places, right=True) - 1
    for k, kind in enumerate(STEMS):
        colours = _drawn(dice, kind, shares, origins[..., k], hard)
        scenes = rows(colours.any & present[:, k])
        if not scenes.numel():
            continue
        own, chosen = Dice(dice.split, dice.indices[scenes], dice.seed), colours.at(scenes)
        sound = _through_codecs(stems[scenes, k], chosen, shot[scenes], shares)
        response = _filters(chosen, shares) * _rooms(own, kind, chosen, shares)
        coloured = _filtered(sound, response, shot[scenes])
        out[scenes, k] = torch.where(chosen.any[:, None], coloured, stems[scenes, k])
    return out


# Drawing -----------------------------------------------------------------------------------------------


def _drawn(dice: Dice, kind: str, shares: Rooms, origin: Tensor, hard: Tensor) -> _Colours:
    """The colours of one stem; narrow bands fall on every class."""
    count, name = origin.shape[1], f"colour.{kind}"

    def kept(drawn: Tensor) -> Tensor:
        return drawn.gather(1, origin)

    speech, music = kind == "speech", kind == "music"
    plain = kept(dice.chance(f"{name}.reverb", shares.reverb * (0.3 if music else 1.0), count))
    narrow = kept(dice.chance(f"{name}.narrow", shares.low_pass * (0.3 if speech else 1.0), count))
    corner = kept(dice.uniform(f"{name}.corner", count, low=4000.0, high=8000.0))
    tilted = kept(dice.chance(f"{name}.tilted", 0.4, count)) & ~narrow
    tilt = kept(dice.uniform(f"{name}.tilt", count, low=-7.0, high=7.0))
    tilt_hz = kept(dice.uniform(f"{name}.tilt_hz", count, low=math.log(300.0), high=math.log(4000.0))).exp()
    walls = _walls(dice, kind, shares, origin)
    zero = torch.zeros_like(corner)
    colours = _Colours(
        torch.where(narrow, corner, 0.0),
        zero,
        torch.where(tilted, tilt, 0.0),
        tilt_hz,
        plain & ~walls,
        walls,
        torch.ones_like(corner),
        torch.zeros_like(origin),
        zero,
    )
    if speech:
        colours = _off_microphone(colours, dice, hard)
    return _with_codec(colours, dice, kind, shares, origin) if shares.codecs > 0.0 else colours


def _walls(dice: Dice, kind: str, shares: Rooms, origin: Tensor) -> Tensor:
    """Where a stem sounds in a room with walls: voices and effects of a shot more often than not in the same one."""
    count = origin.shape[1]
    if kind == "music":
        return dice.chance("colour.music.walls", 0.2 * shares.rooms, count).gather(1, origin)
    shared = dice.chance("colour.walls.shared", 0.7, count)
    together = dice.chance("colour.walls", shares.rooms, count)
    return torch.where(shared, together, dice.chance(f"colour.{kind}.walls", shares.rooms, count))


def _off_microphone(colours: _Colours, dice: Dice, hard: Tensor) -> _Colours:
    """Half of the hard speech is far from the microphone: more room, less high end."""
    off = (hard & dice.chance("colour.off_microphone", 0.5))[:, None]
    far = dice.uniform("colour.far", 1, low=2.0, high=6.0)
    dull = dice.uniform("colour.dull", 1, low=-12.0, high=-4.0)
    return replace(
        colours,
        walls=colours.walls | off,
        plain=colours.plain & ~off,
        far=torch.where(off, far, colours.far),
        tilt_db=torch.where(off, dull, colours.tilt_db),
        tilt_hz=torch.where(off, 2500.0, colours.tilt_hz),
    )


def _with_codec(colours: _Colours, dice: Dice, kind: str, shares: Rooms, origin: Tensor) -> _Colours:
    count, name = origin.shape[1], f"colour.{kind}.codec"
    through = dice.chance(name, shares.codecs, count)
    which = 1 + dice.pick(f"{name}.which", _CODECS[STEMS.index(kind)], count)
    codec = torch.where(through, which, 0).gather(1, origin)
    place = dice.uniform(f"{name}.place", count).gather(1, origin)
    lows = _by_codec(place, codec, ((3400.0, 3400.0), (4500.0, 6500.0), (9000.0, 14000.0), (7000.0, 12000.0)))
    highs = _by_codec(place, codec, ((300.0, 300.0), (150.0, 250.0), (250.0, 600.0), (0.0, 0.0)))
    narrower = torch.where(colours.low > 0, torch.minimum(colours.low, lows), lows)
    return replace(
        colours,
        low=torch.where(codec > 0, narrower, colours.low),
        high=torch.where(codec > 0, highs, colours.high),
        codec=codec,
        drive=dice.uniform(f"{name}.drive", count).gather(1, origin),
    )


def _by_codec(place: Tensor, codec: Tensor, bounds: tuple[tuple[float, float], ...]) -> Tensor:
    """A number between the bounds of each place's codec."""
    low, high = (torch.tensor((0.0, *side), device=place.device)[codec] for side in zip(*bounds, strict=True))
    return low + (high - low) * place


# Bending -----------------------------------------------------------------------------------------------


def _through_codecs(sound: Tensor, colours: _Colours, shot: Tensor, shares: Rooms) -> Tensor:
    """Soft clipping of telephones and radios, and the noise of low bit rates, in sound (r, samples)."""
    if shares.codecs <= 0.0:
        return sound
    here = rows((colours.codec > 0).any(1))
    frames = -(-sound.shape[-1] // HOP)
    block = torch.arange(frames, device=sound.device) * HOP // GRAIN
    codec, drive = (
        part[here].gather(1, shot[here])[:, block, None] for part in (colours.codec, colours.drive)
    )
    x = torch.nn.functional.pad(sound[here], (0, frames * HOP - sound.shape[-1])).view(-1, frames, HOP)
    push = 10.0 ** ((8.0 + 14.0 * drive) / 20.0)
    bent = torch.where((codec == TELEPHONE) | (codec == RADIO), torch.tanh(push * x) / push, x)
    level = x.square().mean(-1, keepdim=True).sqrt()
    step = level * 10.0 ** (-(12.0 + 14.0 * drive) / 20.0) * math.sqrt(12.0)
    there = (codec == BIT_RATE) & (step > 1e-7)
    bent = torch.where(there, (x / torch.where(there, step, 1.0)).round() * step, bent)
    out = sound.clone()
    out[here] = bent.flatten(1)[:, : sound.shape[-1]]
    return out


# Filters -----------------------------------------------------------------------------------------------


def _warped(device: torch.device) -> Tensor:
    """tan(pi·f / rate) of each bin of the spectra: frequencies as the bilinear transform has them."""
    f = torch.arange(_SIZE // 2 + 1, dtype=torch.float32, device=device) / _SIZE
    return torch.tan(math.pi * f.clamp_max(0.49999)).clamp(1e-6, 1e4)


def _corner(hz: Tensor) -> Tensor:
    return torch.tan(math.pi * hz / SAMPLE_RATE)


def _butterworth(s: Tensor, order: int) -> Tensor:
    """An analogue low-pass of even order at s (complex), its corner at 1."""
    response = torch.ones_like(s)
    for k in range(order // 2):
        damping = 2.0 * math.sin(math.pi * (2 * k + 1) / (2 * order))
        response = response * (s * s + damping * s + 1.0)
    return 1.0 / response


def _filters(colours: _Colours, shares: Rooms) -> Tensor:
    """Responses (r, S, bins) of low-pass (order 6), high-pass (order 4) and first-order tilt, by bilinear transform."""
    t = _warped(colours.low.device)
    bare = colours.low <= 0
    s = t * torch.where(bare, 0.0, 1.0 / _corner(torch.where(bare, 1000.0, colours.low)))[..., None]
    response = _butterworth(torch.complex(torch.zeros_like(s), s), 6)
    v = (10.0 ** (colours.tilt_db / 20.0))[..., None]
    s = t / _corner(colours.tilt_hz)[..., None]
    one = torch.ones_like(s)
    response = response * (torch.complex(one, v * s) / torch.complex(one, s))
    if shares.codecs > 0.0:
        s = _corner(colours.high)[..., None] / t
        response = response * _butterworth(torch.complex(torch.zeros_like(s), -s.clamp_max(1e4)), 4)
    return response


def _filtered(sound: Tensor, response: Tensor, shot: Tensor) -> Tensor:
    """Sound (r, samples) through the responses (r, S, bins) of the shots of its blocks (r, blocks), by overlap-add."""
    count, samples = sound.shape
    blocks = shot.shape[1]
    x = torch.nn.functional.pad(sound, (0, blocks * GRAIN - samples)).view(count, blocks, GRAIN)
    spectrum = torch.fft.rfft(x, _SIZE)
    if response.shape[1] == 1:
        spectrum *= response
    else:
        spectrum *= response[torch.arange(count, device=sound.device)[:, None], shot]
    y = torch.fft.irfft(spectrum, _SIZE)
    out = y[..., :GRAIN]
    out[:, 1:] += y[:, :-1, GRAIN:]
    return out.reshape(count, -1)[:, :samples]


# Rooms -------------------------------------------------------------------------------------------------


def _rooms(dice: Dice, kind: str, colours: _Colours, shares: Rooms) -> Tensor:
    """Responses (r, S, bins) of the rooms, 1 where there is none."""
    count, shots = colours.plain.shape
    response = torch.ones(count, shots, _SIZE // 2 + 1, dtype=torch.complex64, device=dice.device)
    plain = rows(colours.plain.any(1))
    if plain.numel():
        own = Dice(dice.split, dice.indices[plain], dice.seed)
        room = torch.fft.rfft(_plain_room(own, f"room.{kind}", shots), _SIZE)
        response[plain] += torch.where(colours.plain[plain][..., None], room, 0.0)
    walled = rows(colours.walls.any(1))
    if walled.numel() and (shares.rooms > 0.0 or kind == "speech"):
        own = Dice(dice.split, dice.indices[walled], dice.seed)
        room = torch.fft.rfft(_walled_room(own, kind, colours.far[walled]), _SIZE)
        response[walled] += torch.where(colours.walls[walled][..., None], room, 0.0)
    return response


def _noise(dice: Dice, name: str, shots: int) -> Tensor:
    """White noise (r, S, TAIL) of mean square one."""
    return dice.uniform(name, shots, TAIL, low=-math.sqrt(3.0), high=math.sqrt(3.0))


def _brought_to(room: Tensor, energy_db: Tensor) -> Tensor:
    """Responses (r, S, TAIL) brought to an energy (r, S) against the direct sound."""
    energy = room.square().sum(-1, keepdim=True).clamp_min(1e-12)
    return room * (10.0 ** (energy_db[..., None] / 20.0) / energy.sqrt())


def _plain_room(dice: Dice, name: str, shots: int) -> Tensor:
    """Noise (r, S, TAIL) that decays by 60 dB in 0.15 to 0.7 s, 3 to 14 dB below the direct sound, 4 to 30 ms late."""
    length = dice.uniform(f"{name}.seconds", shots, low=0.15, high=0.7)[..., None] * SAMPLE_RATE
    gap = dice.uniform(f"{name}.gap", shots, low=0.004, high=0.03)[..., None] * SAMPLE_RATE
    n = torch.arange(TAIL, device=dice.device)
    decay = torch.exp(-6.9 * n / length) * ((n >= gap) & (n < length))
    wet_db = dice.uniform(f"{name}.wet", shots, low=-14.0, high=-3.0)
    return _brought_to(_noise(dice, f"{name}.noise", shots) * decay, wet_db)


def _walled_room(dice: Dice, kind: str, far: Tensor) -> Tensor:
    """A room with walls (r, S, TAIL): its echoes and a tail whose high end dies away first, the direct sound at 1.

    Echoes are those of a box's image sources (Allen and Berkley, "Image method for efficiently simulating small-room
    acoustics", JASA 1979); the tail's length is Sabine's, its level follows from the critical distance.
    """
    shots = far.shape[1]
    name = "room.walls"  # one room for all that sound in it; only where in it is each one's own
    size = torch.stack(
        [
            dice.uniform(f"{name}.length", shots, low=math.log(3.0), high=math.log(14.0)).exp(),
            dice.uniform(f"{name}.width", shots, low=math.log(2.5), high=math.log(10.0)).exp(),
            dice.uniform(f"{name}.height", shots, low=2.3, high=5.0),
        ],
        -1,
    )
    absorbed = dice.uniform(f"{name}.absorbed", shots, low=math.log(0.08), high=math.log(0.5)).exp()
    volume = size.prod(-1)
    surface = 2.0 * (size * size.roll(1, -1)).sum(-1)
    seconds = (0.161 * volume / (surface * absorbed)).clamp(0.08, 0.7)
    source = size * dice.uniform(f"room.{kind}.source", shots, 3, low=0.15, high=0.85)
    away = dice.normal(f"room.{kind}.away", shots, 3)
    away = away / away.norm(dim=-1, keepdim=True).clamp_min(1e-6)
    distance = far * dice.uniform(f"room.{kind}.distance", shots, low=0.3, high=1.0)
    heard = (source + away * distance[..., None]).clamp_min(0.1).minimum(size - 0.1)
    direct = (heard - source).norm(dim=-1).clamp_min(0.2)
    echoes = _echoes(size, source, heard, direct, (1.0 - absorbed).sqrt())
    critical = 0.057 * (volume / seconds).sqrt()
    wet_db = (20.0 * torch.log10(direct / critical)).clamp(-20.0, 6.0)
    noise = _tail(_noise(dice, f"room.{kind}.noise", shots), seconds)
    starts = 0.001 * volume.sqrt() * SAMPLE_RATE
    n = torch.arange(TAIL, device=dice.device)
    tail = noise * (n / starts[..., None]).clamp_max(1.0).square()
    return echoes + _brought_to(tail, wet_db)


def _echoes(size: Tensor, source: Tensor, heard: Tensor, direct: Tensor, kept: Tensor) -> Tensor:
    """Distinct echoes (r, S, TAIL) of image sources in boxes of `size` (r, S, 3) m; a wall keeps `kept` (r, S)."""
    number = torch.arange(-_REFLECTIONS, _REFLECTIONS + 1, device=size.device)
    images = number * size[..., None] + torch.where(
        number % 2 == 0, source[..., None], (size - source)[..., None]
    )  # (r, S, 3, 7)
    apart = (images - heard[..., None]).square()
    walls = number.abs()
    x, y, z = apart.unbind(-2)
    distance = (x[..., :, None, None] + y[..., None, :, None] + z[..., None, None, :]).sqrt().flatten(-3)
    met = (walls[:, None, None] + walls[:, None] + walls).flatten()
    echo = (met > 0) & (met <= _REFLECTIONS)
    factor = torch.where(echo, direct[..., None] / distance.clamp_min(0.2) * kept[..., None] ** met, 0.0)
    late = ((distance - direct[..., None]) / _SPEED_OF_SOUND * SAMPLE_RATE).round().to(torch.int64)
    # Whole numbers add up to the same in any order, which sums of parallel threads would not.
    whole = torch.zeros(*size.shape[:-1], TAIL, dtype=torch.int64, device=size.device)
    fixed = (factor * 2.0**24).round().to(torch.int64) * (late >= 0) * (late < TAIL)
    whole.scatter_add_(-1, late.clamp(0, TAIL - 1), fixed)
    return whole.to(torch.float32) * 2.0**-24


def _tail(noise: Tensor, seconds: Tensor) -> Tensor:
    """Noise (r, S, TAIL) that decays by 60 dB in `seconds` (r, S) about 1 kHz, later below and sooner above."""
    n = torch.arange(TAIL, device=noise.device)
    spectrum = torch.fft.rfft(noise, _SIZE)
    out = torch.zeros_like(noise)
    for mask, decay in zip(_bands(noise.device), _BAND_DECAYS, strict=True):
        band = torch.fft.irfft(spectrum * mask, _SIZE)[..., :TAIL]
        out += band * torch.exp(-6.9 * n / (decay * seconds[..., None] * SAMPLE_RATE))
    return out


def _bands(device: torch.device) -> list[Tensor]:
    """Masks (bins,) of four bands that add up to one, an octave wide where they meet."""
    f = torch.fft.rfftfreq(_SIZE, 1.0 / SAMPLE_RATE, device=device).clamp_min(1.0)
    steps = [(0.5 + 0.5 * torch.sin(math.pi * torch.log2(f / edge).clamp(-0.5, 0.5))) for edge in _BANDS_HZ]
    steps = [torch.ones_like(f), *steps, torch.zeros_like(f)]
    return [lower - upper for lower, upper in pairwise(steps)]
