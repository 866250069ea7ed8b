"""Plain tables for terminals and pipes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from ...engine.legible import printable

_PIPE_WIDTH = 160


@dataclass(frozen=True)
class Column:
    """A column's heading, and whether its figures stand to the right."""

    name: str
    right: bool = False


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under headings; long texts are folded to the terminal's width, never cut."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(
            column.name, justify="right" if column.right else "left", overflow="fold", no_wrap=column.right
        )
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    width = None if sys.stdout.isatty() else _PIPE_WIDTH
    Console(width=width, highlight=False, soft_wrap=False).print(table)
