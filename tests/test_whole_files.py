"""Nothing in the rooms writes a file but through `engine/files.py`, so that every result is whole or not there."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("engine", "exporters", "plugin", "ui")
HOME = "engine/files.py"
# Folders that are scratch, not results, may be made with mkdtemp and TemporaryDirectory; logs may be appended to.
FORBIDDEN = {
    "tempfile.mkstemp",
    "tempfile.NamedTemporaryFile",
    "os.replace",
    "os.rename",
    "os.link",
    "shutil.move",
    "shutil.copy",
    "shutil.copy2",
    "shutil.copyfile",
    "shutil.copyfileobj",
}
# What a library opens by path is written inside `replacing_path` or into memory.
PATH_WRITERS = {"write_text", "write_bytes", "hardlink_to"}
INSIDE = {("engine/highlight/backends.py", "write_bytes")}  # on the path that replacing_path gave


def breaches(source: str) -> Iterator[tuple[int, str]]:
    """The line and name of every call that writes, replaces or copies a file by itself."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if (
                name in FORBIDDEN
                or (method in PATH_WRITERS and not name.startswith("files."))
                or _replaces(node, method)
                or _opens(node, name, method)
            ):
                yield node.lineno, method or name


def _replaces(node: ast.Call, method: str) -> bool:
    """Path's replace and rename have one argument; str.replace and what renames things by name have two, and a
    dataclass's has names."""
    return method in ("replace", "rename") and len(node.args) == 1 and not node.keywords


def _opens(node: ast.Call, name: str, method: str) -> bool:
    """An open for writing, by function or by Path; other libraries' open() write into their own files."""
    at = 1 if name == "open" else 0
    if name != "open" and not (
        method == "open" and not name.startswith(("tarfile.", "aaf2.", "av.", "essence."))
    ):
        return False
    modes = [*node.args[at : at + 1], *(k.value for k in node.keywords if k.arg == "mode")]
    return any(isinstance(m, ast.Constant) and set(str(m.value)) & set("wx+") for m in modes)


def test_only_one_module_writes_files() -> None:
    found = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name != HOME:
                found += [
                    f"{name}:{line} {what}"
                    for line, what in breaches(path.read_text(encoding="utf-8"))
                    if (name, what) not in INSIDE
                ]
    assert found == [], "write through engine/files.py"


@pytest.mark.parametrize(
    "line",
    [
        "tempfile.mkstemp()",
        "os.replace(a, b)",
        "partial.replace(target)",
        "a.rename(b)",
        "path.write_text(text, encoding='utf-8')",
        "path.open('wb')",
        "open(path, mode='w')",
        "open(path, 'r+b')",
        "shutil.copyfile(a, b)",
    ],
)
def test_every_kind_of_breach_is_seen(line: str) -> None:
    assert list(breaches(line))


@pytest.mark.parametrize(
    "line",
    [
        "text.replace('a', 'b')",
        "replace(settings, a=1)",
        "path.open('a')",
        "path.open()",
        "open(path, 'rb')",
        "write_text(path, text)",
        "tarfile.open(fileobj=file, mode='w')",
    ],
)
def test_what_writes_no_file_is_let_through(line: str) -> None:
    assert not list(breaches(line))
