"""Speech, music and effects out of a mix, by any separator, behind one small interface."""

from .base import Separator, whole
from .registry import available, load_separator

__all__ = ["Separator", "available", "load_separator", "whole"]
