"""No command asks anything of the network, or writes anything outside its output: see docs/privacy.md."""

from __future__ import annotations

import importlib.util
import json
import os
from importlib import metadata
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
import soundfile
from guarded import Watched, guarded, traced
from sightmix.engine.privacy import SILENCE
from sightmix.engine.weights.store import list_cards

ROOT = Path(__file__).parent.parent
CLI = ("-m", "sightmix.plugin.cli")
RATE = 48_000


def quiet(done: Watched, status: int = 0) -> Watched:
    assert done.status == status, done.err
    assert done.network == []
    assert done.written == []
    return done


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of film on a timeline, picture and sound."""
    path = tmp_path_factory.mktemp("cut") / "cut.otio"
    excerpt = otio.schema.ExternalReference((ROOT / "examples" / "bbb" / "excerpt.mp4").as_uri())
    span = otio.opentime.TimeRange(otio.opentime.RationalTime(48, 24), otio.opentime.RationalTime(48, 24))
    timeline = otio.schema.Timeline("cut")
    for kind in (otio.schema.TrackKind.Video, otio.schema.TrackKind.Audio):
        timeline.tracks.append(
            otio.schema.Track(kind[0] + "1", [otio.schema.Clip("laugh", excerpt, span)], kind=kind)
        )
    otio.adapters.write_to_file(timeline, str(path))
    return path


@pytest.fixture(scope="module")
def result(cut: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, rebalanced by the bundled model with everything switched on."""
    root = tmp_path_factory.mktemp("result")
    out = root / "out" / "mixed.otio"
    out.parent.mkdir()
    done = guarded(
        root, *CLI, "rebalance", cut, "-o", out, "--as", "both", "--stems", "--json", may_write=(out,)
    )
    [made] = json.loads(quiet(done).out)["clips"]
    assert made["frames"], "the picture was not looked at"
    assert not list(out.parent.rglob(".*")), "something half-written was left"
    return out


@pytest.mark.slow
def test_rebalancing(result: Path) -> None:
    assert result.is_file()


@pytest.mark.slow
@pytest.mark.parametrize(
    "to",
    [
        "stems",
        "fcp7",
        "fcpxml",
        "aaf",
        "edl",
        "rpp",
        "mlt",
        "kdenlive",
        "otio-plain",
        "kdenlive-project",
        "ebu-r128",
    ],
)
def test_exports(to: str, result: Path, tmp_path: Path) -> None:
    out = tmp_path / "delivered" / "export"
    out.parent.mkdir()
    words = ("--to", "stems", "--delivery", to) if to == "ebu-r128" else ("--to", to)
    quiet(guarded(tmp_path, *CLI, "export", result, *words, "-o", out, may_write=(out,)))


@pytest.mark.parametrize(
    "words",
    [
        ("--version",),
        ("inspect",),
        ("inspect", "--loudness", "--json"),
        ("rebalance", "-o", "never.otio", "--dry-run"),
        ("models",),
        ("models", "show", list_cards()[0].name),
        ("data", "separators"),
        ("resolve", "doctor"),
    ],
    ids=" ".join,
)
def test_what_only_looks(words: tuple[str, ...], cut: Path, tmp_path: Path) -> None:
    where = (cut,) if words[0] in ("inspect", "rebalance") else ()
    done = guarded(tmp_path, *CLI, *words[:1], *where, *words[1:])
    # Without Resolve, its doctor has a complaint.
    quiet(done, status=done.status if words[0] == "resolve" else 0)


@pytest.mark.slow
def test_making_a_specimen(tmp_path: Path) -> None:
    out = tmp_path / "out"
    quiet(guarded(tmp_path, *CLI, "resolve", "specimen", out, may_write=(out,)))
    assert (out / "checklist.html").is_file()


def test_evaluating(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for folder in ("input", "target"):
        (tmp_path / folder).mkdir()
        soundfile.write(tmp_path / folder / "a.wav", 0.1 * rng.standard_normal(RATE), RATE)
    words = ["evaluate", "--input", tmp_path / "input", "--target", tmp_path / "target"]
    if importlib.util.find_spec("speechmos") and importlib.util.find_spec("faster_whisper"):
        words += ["--speech", "--words"]
    quiet(guarded(tmp_path, *CLI, *words))


@pytest.mark.slow
def test_training(tiny_corpus: Path, tmp_path: Path) -> None:
    pytest.importorskip("lightning_fabric")
    from tiny_training import NETWORK

    entries = {"name": "tiny", "seconds": 1.5, "batch": 1, "steps": 2, "workers": 0, "validate_clips": 1}
    (tmp_path / "tiny.json").write_text(json.dumps(entries | {"network": NETWORK}))
    made = (tmp_path / "learned", tmp_path / "shelf")
    words = (
        "--corpus",
        tiny_corpus,
        "--out",
        made[0],
        "--ship",
        "mine",
        "--weights",
        made[1],
        "--device",
        "cpu",
    )
    packed = tiny_corpus / "packed"  # recordings as training reads them, beside the corpus
    quiet(guarded(tmp_path, *CLI, "train", tmp_path / "tiny.json", *words, may_write=(*made, packed)))
    assert (made[0] / "checkpoint.pt").exists()


@pytest.mark.slow
def test_building_training_data(tmp_path: Path) -> None:
    pytest.importorskip("webdataset")
    from tiny_training import RATE as RATE_OF_STEMS
    from tiny_training import sound

    (tmp_path / "films").mkdir()
    for kind in ("speech", "music", "effects"):
        x = sound(kind, np.random.default_rng(1), 3.0)
        soundfile.write(tmp_path / "films" / f"Reel 1_{kind}.wav", x, RATE_OF_STEMS)
    words = ("--licence", "CC0", "--seconds", "1", "--context", "none", "--validation", "0", "--test", "0")
    out = tmp_path / "shards"
    quiet(
        guarded(tmp_path, *CLI, "data", "muddy-mix", tmp_path / "films", "-o", out, *words, may_write=(out,))
    )
    assert list(out.rglob("*.tar"))


LIBRARIES = (
    "torch", "torch.utils.tensorboard", "lightning_fabric", "transformers", "open_clip", "webdataset", "onnxscript",
    "scenedetect", "faster_whisper", "ray", "PySide6.QtWidgets", "PySide6.QtMultimedia",
)  # fmt: skip


@pytest.mark.slow
def test_libraries_that_are_only_loaded(tmp_path: Path) -> None:
    here = [name for name in LIBRARIES if importlib.util.find_spec(name.partition(".")[0])]
    code = "from sightmix.engine.compat import ensure_companions; import importlib\n"
    code += "ensure_companions()\n" if "open_clip" in here else ""
    quiet(guarded(tmp_path, "-c", code + f"for name in {here!r}: importlib.import_module(name)"))


# The guard itself.


NATIVE = """
import ctypes, socket, struct
libc = ctypes.CDLL(None)
address = struct.pack("=HH4s8x", socket.AF_INET, 9, bytes([127, 0, 0, 1]))
libc.connect(libc.socket(2, 2, 0), address, len(address))
"""


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import socket; socket.create_connection(('127.0.0.1', 9), 1)", "socket.getaddrinfo"),
        ("import socket; socket.socket().connect(('127.0.0.1', 9))", "socket.connect"),
        (
            "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))",
            "socket.sendto",
        ),
        ("import urllib.request; urllib.request.urlopen('http://sightmix.invalid/')", "sightmix.invalid"),
        pytest.param(
            NATIVE,
            "connect(",
            marks=pytest.mark.skipif(not traced(), reason="strace is not installed or may not trace"),
        ),
    ],
)
def test_the_guard_sees_the_network(code: str, found: str, tmp_path: Path) -> None:
    done = guarded(tmp_path, "-c", code)
    assert any(found in line for line in done.network), done


def test_the_guard_sees_files(tmp_path: Path) -> None:
    code = "import pathlib; (pathlib.Path.home() / 'x').write_text(''); pathlib.Path('y').mkdir()"
    done = guarded(tmp_path, "-c", code, may_write=(tmp_path / "elsewhere",))
    assert str(tmp_path / "home" / "x") in done.written
    assert (str(tmp_path / "work" / "y") in done.written) is traced()


def telling_version() -> bool:
    try:
        major, minor = metadata.version("onnxruntime").split(".")[:2]
    except metadata.PackageNotFoundError:
        return False
    return (int(major), int(minor)) >= (1, 29) and os.name == "posix"


@pytest.mark.skipif(not telling_version(), reason="this ONNX Runtime tells nobody, or is not installed")
def test_the_guard_sees_onnx_runtime_as_it_comes(tmp_path: Path) -> None:
    """What the program would do to its user if `engine.privacy` did not stand before it."""
    done = guarded(tmp_path, "-c", "import onnxruntime; onnxruntime.SessionOptions()")
    assert any(".onnxruntime" in path for path in done.written), done


def test_the_environment_is_set_before_any_library_can_read_it(tmp_path: Path) -> None:
    code = f"import os, sightmix.engine; assert all(os.environ.get(k) == v for k, v in {SILENCE!r}.items())"
    quiet(guarded(tmp_path, "-c", code))
