"""A timeline understood once: plain tracks, clips, exact times, volume lines, roles; without OTIO."""
