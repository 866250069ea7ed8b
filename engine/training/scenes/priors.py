"""How loud speech, music and effects are in bodies of soundtracks: counted figures, as data."""

from __future__ import annotations

from dataclasses import dataclass

from ...highlight.spread import EFFECTS_AGAINST_SPEECH, FILM_LUFS, FILM_SD, MUSIC_AGAINST_SPEECH


@dataclass(frozen=True)
class LoudnessPrior:
    """Loudness of speech, music and effects in a body of soundtracks, LUFS; sd in LU.

    `spread` names the shape of the draw: "uniform" (half-width `sd`) or "normal". `background` is the level
    of
    background effects; `silent` the share of ten-second clips without the class; `relative` and
    `relative_sd` the
    level of music and effects against speech where all sound; `loudest` the share of clips each class leads.
    """

    name: str
    mean: tuple[float, float, float]
    sd: tuple[float, float, float]
    spread: str
    background: float | None
    master: float | None
    silent: tuple[float, float, float] = (0.0, 0.0, 0.0)
    relative: tuple[float, float] | None = None
    relative_sd: tuple[float, float] | None = None
    loudest: tuple[float, float, float] | None = None


# Generator settings of Divide and Remaster v2 (dnr-utils) and v3 (dnr-v3.yaml).
DNR_V2 = LoudnessPrior("dnr_v2", (-17.0, -24.0, -21.0), (2.0, 2.0, 2.0), "uniform", -29.0, -27.0)
DNR_V3 = LoudnessPrior("dnr_v3", (-27.0, -32.0, -32.0), (4.0, 6.0, 6.0), "normal", -40.0, -27.0)
FILMS = LoudnessPrior(
    "films",
    FILM_LUFS,
    FILM_SD,
    "normal",
    None,
    None,
    silent=(0.42, 0.04, 0.05),
    relative=(MUSIC_AGAINST_SPEECH[0], EFFECTS_AGAINST_SPEECH[0]),
    relative_sd=(MUSIC_AGAINST_SPEECH[1], EFFECTS_AGAINST_SPEECH[1]),
    loudest=(0.40, 0.25, 0.35),
)
PRIORS = {prior.name: prior for prior in (DNR_V2, DNR_V3, FILMS)}
