"""Media: exact time, reading by span, streaming writers, resampling, loudness."""
