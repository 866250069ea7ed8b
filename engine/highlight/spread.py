"""How loud films' stems are against each other: the measured spread that repairs keep to, as data."""

from __future__ import annotations

from dataclasses import dataclass

# Counted over 246 ten-second film clips in VisAH's published loudness table, integrated loudness (BS.1770) of stems
# above -50 LUFS: the level of each against speech where all three sound, in LU, and its standard deviation.
MUSIC_AGAINST_SPEECH, EFFECTS_AGAINST_SPEECH = (-6.1, 6.6), (-3.5, 9.3)
# The same clips: mean and standard deviation of each stem's own loudness, LUFS; speech, music, effects.
FILM_LUFS, FILM_SD = (-29.3, -34.0, -31.6), (5.8, 7.0, 9.6)


@dataclass(frozen=True)
class Relation:
    """How far one sound lies above another in good films: mean and standard deviation in LU.

    A mix is left alone down to `near` standard deviations below the mean; from `far` on it is certainly not meant so,
    and in between the more is done the further out it lies. What is mended comes up to `aim`, never beyond it.
    """

    mean: float
    sd: float
    aim: float
    near: float = 0.5
    far: float = 1.5

    @property
    def inside(self) -> float:
        """From here on up nothing is done, LU."""
        return self.mean - self.near * self.sd

    @property
    def outside(self) -> float:
        """From here on down all is done that is missing, LU."""
        return self.mean - self.far * self.sd
