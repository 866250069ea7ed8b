"""The exceptions a user may meet: each message is one clear sentence saying what, where and what to do."""


class SightmixError(Exception):
    """Base of every error whose message is meant for the user."""


class MediaError(SightmixError):
    """A media file cannot be read: missing, corrupt, empty or without the stream asked for."""


class WriteError(SightmixError):
    """A result cannot be written: disk full, folder missing or not writable."""


class TimelineError(SightmixError):
    """A timeline file cannot be read or understood."""


class ModelError(SightmixError):
    """A model, its weights or its runtime is missing or does not fit."""


class SettingsError(SightmixError):
    """A setting has a value it cannot have."""


class TrainingError(SightmixError):
    """Training cannot go on: material missing, loss not finite, checkpoint unusable."""


class Cancelled(SightmixError):  # noqa: N818  (a request of the user's, not a fault)
    """The user asked to stop; everything half-written has been removed."""
