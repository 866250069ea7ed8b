"""The console script: Ctrl-C is answered from the first moment on, also while what takes seconds is imported."""

from __future__ import annotations

from .interrupt import answer, leave
from .moment import begin


def main() -> None:
    """Import the command line, run it and leave with its exit status."""
    try:
        answer()
        begin()
        from .app import main as run

        run()
    except KeyboardInterrupt:
        leave()
