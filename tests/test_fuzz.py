"""The fuzzers: a seed draws the same damage again, and what goes wrong is told apart and laid to its frame."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
TRIALS = """
import ctypes, json, os, sys, time
from pathlib import Path
import fuzz
from fuzz_trials import Steps
from sightmix.engine.errors import MediaError
from sightmix.engine.media.time import parse_timecode

def broken():
    raise KeyError("gone")

def trial(number, steps):
    if number == 1:
        steps.run("tell", lambda: (_ for _ in ()).throw(MediaError("x cannot be read; relink it.")))
    elif number == 2:
        steps.run("raise", lambda: parse_timecode(None, None))
    elif number == 3:
        ctypes.string_at(0)
    elif number == 4:
        while True:
            pass
    elif number == 5:
        steps.run("fill", lambda: bytearray(1 << 40))
    elif number == 6:
        print("Unexpected words")
    elif number == 7:
        steps.run("outside", broken)

found = fuzz.rounds(range(9), trial, fuzz.Limits(cpu=0.3, memory=256), Path(sys.argv[1]))
print(json.dumps([(number, one.fate, one.where) for number, one in found]))
"""


def script(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=BENCHMARKS, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return done.stdout


def test_sentences_pass_and_every_other_fate_is_told_apart(tmp_path: Path) -> None:
    found = {number: (fate, where) for number, fate, where in json.loads(script(TRIALS, str(tmp_path)))}
    assert found.keys() == {2, 3, 4, 5, 6, 7}
    assert found[2][0] == "raised"
    assert found[2][1].startswith("engine/media/time.py:")
    assert found[2][1].endswith(" parse_timecode")
    assert [found[k][0] for k in (3, 4, 5, 6)] == ["crashed", "hung", "memory", "printed"]
    assert found[7] == ("raised", "outside")


def test_damage_is_drawn_from_the_seed_alone() -> None:
    code = """
import random
from fuzz_mutations import mutated
texts = [b'{"OTIO_SCHEMA": "Timeline.1", "rate": 24, "children": [1, {"a": 2}]}', b"<a><b c='1/24s'/>t</a>", bytes(256)]
print([mutated(texts[k % 3], random.Random(k), texts[0]).hex() for k in range(200)])
"""
    first, second = script(code), script(code)
    assert first == second
    drawn = json.loads(first.replace("'", '"'))
    assert len(set(drawn)) > 150
