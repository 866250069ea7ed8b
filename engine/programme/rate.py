"""The rate at which programmes are heard."""

SAMPLE_RATE = 48_000
