"""Reading timelines, resolving their media and writing results back."""

from .results import ResultClip, ResultTrack, Ridden, result_tracks
from .timeline import AudioClip, Timeline, list_timelines, open_timeline
from .write import write_result

__all__ = [
    "AudioClip",
    "ResultClip",
    "ResultTrack",
    "Ridden",
    "Timeline",
    "list_timelines",
    "open_timeline",
    "result_tracks",
    "write_result",
]
