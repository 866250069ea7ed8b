"""Reading timelines, resolving their media and writing results back."""

from .timeline import AudioClip, Timeline, list_timelines, open_timeline

__all__ = ["AudioClip", "Timeline", "list_timelines", "open_timeline"]
