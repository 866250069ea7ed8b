"""Draws the house from the imports that are really there, into docs/architecture.md; --check says whether it is right.

An arrow is an import between two packages. One that follows from others (A → B → C, so A → C) is left out, so the
picture holds the fewest arrows that say what may be reached. Single files of the engine, which everything may import,
are not drawn.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import grimp

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "architecture.md"
BEGIN, END = "<!-- picture: make picture -->", "<!-- end of picture -->"
ROOMS = ("ui", "plugin", "exporters", "engine")
WHOLE = ("engine.evaluation", "plugin.hosts", "plugin.timeline")  # drawn as one, whatever lies inside
Edges = dict[str, set[str]]


def packages(graph: grimp.ImportGraph) -> dict[str, list[str]]:
    """What is drawn of each room: its packages, or the room itself where it has none."""
    drawn: dict[str, list[str]] = {}
    for room in ROOMS:
        found = sorted(_leaves(graph, room))
        drawn[room] = found or [room]
    return drawn


def _leaves(graph: grimp.ImportGraph, name: str) -> list[str]:
    inner = [m.removeprefix("sightmix.") for m in graph.find_children(f"sightmix.{name}")]
    inner = [m for m in inner if graph.find_children(f"sightmix.{m}")]
    if name == "exporters" or name in WHOLE or not inner:
        return [name] if "." in name else []
    return [leaf for m in inner for leaf in _leaves(graph, m)]


def arrows(graph: grimp.ImportGraph, drawn: dict[str, list[str]]) -> Edges:
    """Who imports whom, without what follows from others."""
    nodes = [node for room in drawn.values() for node in room]
    direct: Edges = {
        a: {
            b
            for b in nodes
            if a != b
            and graph.direct_import_exists(
                importer=f"sightmix.{a}", imported=f"sightmix.{b}", as_packages=True
            )
        }
        for a in nodes
    }
    reach = {node: _reached(direct, node) for node in nodes}
    return {
        a: {b for b in others if not any(b in reach[c] and a not in reach[c] for c in others if c != b)}
        for a, others in direct.items()
    }


def _reached(direct: Edges, start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for node in direct[waiting.pop()] - seen:
            seen.add(node)
            waiting.append(node)
    return seen


def draw(tree: Path) -> str:
    """The picture in Mermaid's words."""
    sys.path.insert(0, str(tree))
    graph = grimp.build_graph("sightmix", cache_dir=None)
    drawn = packages(graph)
    lines = ["```mermaid", "flowchart TD"]
    for room, found in drawn.items():
        lines.append(f'  subgraph room_{room}["{room}/"]')
        lines += [f'    {_key(node)}["{_label(node)}"]' for node in found]
        lines.append("  end")
    for a, others in sorted(arrows(graph, drawn).items()):
        lines += [f"  {_key(a)} --> {_key(b)}" for b in sorted(others)]
    return "\n".join([*lines, "```"])


def _key(node: str) -> str:
    return node.replace(".", "_")


def _label(node: str) -> str:
    return node.partition(".")[2].replace(".", "/") or node


def page_with(picture: str) -> str:
    """The page with this picture in its place."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{picture}\n\n{END}{after}"


def main() -> int:
    """Write the picture, or check it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail where the picture is out of date"
    )
    parser.add_argument(
        "--tree", type=Path, default=ROOT / "build" / "tree", help="the rooms as package sightmix"
    )
    options = parser.parse_args()
    page = page_with(draw(options.tree))
    if options.check:
        if page == PAGE.read_text(encoding="utf-8"):
            return 0
        print("The picture in docs/architecture.md is out of date: make picture.", file=sys.stderr)
        return 1
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
