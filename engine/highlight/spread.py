"""How loud films' stems are against each other: the measured spread that repairs keep to, as data."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

# Counted over 246 ten-second film clips in VisAH's published loudness table, integrated loudness (BS.1770) of stems
# above -50 LUFS: the level of each against speech where all three sound, in LU, and its standard deviation.
MUSIC_AGAINST_SPEECH, EFFECTS_AGAINST_SPEECH = (-6.1, 6.6), (-3.5, 9.3)
# The same clips: mean and standard deviation of each stem's own loudness, LUFS; speech, music, effects.
FILM_LUFS, FILM_SD = (-29.3, -34.0, -31.6), (5.8, 7.0, 9.6)
# A bed steps back under speech, so that it lies lower there than over a whole clip: by 4.7 LU for music and 3.6 for
# effects on the mean of the good mixes with speech among the validation scenes, whose spread is that of the films.
STEP_BACK = 4.0
# LU by which commentary lies over music at least where it is to be clear: Torcoli et al., Preferred Levels for
# Background Ducking to Produce Esthetically Pleasing Audio for TV with Clear Speech, J. Audio Eng. Soc. 67 (12), 2019.
CLEAR = 10.0


@dataclass(frozen=True)
class Relation:
    """How far one sound lies above another in good films: mean and standard deviation in LU.

    A mix is left alone down to `near` standard deviations below the mean; a standard deviation further down all is
    done that is missing to `aim`, and in between the more the further out it lies.
    """

    mean: float
    sd: float
    aim: float
    near: float

    def inside(self, wider: Values) -> Values:
        """From here on up nothing is done, LU; the spread is `wider` (n,) by so many standard deviations."""
        return np.asarray(self.mean - (self.near + wider) * self.sd)

    def outlying(self, found: Values, wider: Values) -> Values:
        """How far outside the spread levels found (n,) lie: 0 inside, 1 where they cannot be meant so."""
        x = np.clip((self.inside(wider) - found) / self.sd, 0.0, 1.0)
        return np.asarray(x * x * (3.0 - 2.0 * x))


def _over(against: tuple[float, float]) -> Relation:
    """Speech over what lies so against it in whole clips, while somebody speaks: the relation that matters most."""
    return Relation(STEP_BACK - against[0], against[1], aim=CLEAR, near=0.0)


def _apart(mean: float, sd: float) -> Relation:
    """One sound over another where nobody speaks, which a mixer chooses freely."""
    return Relation(mean, sd, aim=mean, near=1.0)


_SPEECH, _MUSIC, _EFFECTS = FILM_LUFS
_BETWEEN = math.hypot(MUSIC_AGAINST_SPEECH[1], EFFECTS_AGAINST_SPEECH[1])

# Speech over music and over effects while somebody speaks; where both lie right, so does speech over the two together.
SPEECH_OVER = (_over(MUSIC_AGAINST_SPEECH), _over(EFFECTS_AGAINST_SPEECH))
# The same by whole clips, over which beds do not step back: what is told by a clip's loudness alone.
SPEECH_OVER_WHOLE = tuple(_apart(-mean, sd) for mean, sd in (MUSIC_AGAINST_SPEECH, EFFECTS_AGAINST_SPEECH))
# The speech nearby over music and over effects where nobody speaks.
SPEECH_BESIDE = (_apart(_SPEECH - _MUSIC, FILM_SD[1]), _apart(_SPEECH - _EFFECTS, FILM_SD[2]))
# Music over effects, and effects over music, where there is no speech to tell either by.
MUSIC_OVER_EFFECTS = _apart(_MUSIC - _EFFECTS, _BETWEEN)
EFFECTS_OVER_MUSIC = _apart(_EFFECTS - _MUSIC, _BETWEEN)
