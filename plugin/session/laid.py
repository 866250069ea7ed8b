"""In which lane every clip of a timeline lies, as jobs know it, for who works on the timeline."""

from ..jobs.laid import LANES, Laid, Parted

__all__ = ["LANES", "Laid", "Parted"]
