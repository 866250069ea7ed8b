"""FCPXML of Final Cut Pro and Resolve, read as the parsed dictionary of an OTIO document."""

from .document import BUNDLE
from .read import read

__all__ = ["BUNDLE", "read"]
