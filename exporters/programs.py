"""How a result comes into every program: which file it takes, and what to do there. One table for panel and docs."""

from __future__ import annotations

from dataclasses import dataclass

RESULT, STEMS = "otio", "stems"  # beside the keys of `formats.FORMATS`: the result itself, and sound files

STEMS_STEPS = (
    "import the files and lay them at the timeline's first frame, where they all begin; programs that know time stamps "
    "do that by “original time stamp” or “original timecode”."
)


@dataclass(frozen=True)
class Program:
    """A program that takes results.

    `to` is what it takes, the best first: keys of formats, RESULT or STEMS. `steps` say what to do there, with "{file}"
    for the file's name. `seen` says whether somebody has done that in the program itself, `opens` whether its files are
    its own, so that the system opens them in it; `note` is what is to be known.
    """

    key: str
    title: str
    to: tuple[str, ...]
    steps: str
    seen: bool = False
    opens: bool = False
    note: str = ""

    def hint(self, name: str) -> str:
        """What to do in the program with a file of this name."""
        return self.steps.replace("{file}", name)


PROGRAMS = (
    Program(
        "resolve",
        "DaVinci Resolve",
        (RESULT, "fcpxml", "fcp7", STEMS),
        "File > Import > Timeline, choose {file}, and leave “Import source clips” on.",
        note="Look whether the originals came in muted. "
        "A timeline with Fusion titles may be refused: import stems instead.",
    ),
    Program(
        "premiere",
        "Premiere Pro",
        ("fcp7", STEMS),
        "File > Import, choose {file}: a sequence and its clips appear in the project.",
        note="Premiere reads no volume of ours out of an .otio: give it the .xml.",
    ),
    Program(
        "final-cut",
        "Final Cut Pro",
        ("fcpxml", STEMS),
        "File > Import > XML, choose {file} and the library it goes into.",
    ),
    Program(
        "avid",
        "Avid Media Composer",
        ("aaf", STEMS),
        "Click into a bin, File > Import (File > Input > Import Media in newer versions), choose {file}.",
        note="What is muted comes as clips that are switched off. Speeds are not carried.",
    ),
    Program(
        "pro-tools",
        "Pro Tools",
        ("aaf", STEMS),
        "File > Import > Session Data, choose {file}, and tick “Import Clip Gain” and “Import Volume Automation”.",
        note="Stems: File > Import > Audio, place them at “Original Timestamp”.",
    ),
    Program(
        "reaper",
        "Reaper",
        ("rpp", STEMS),
        "File > Open Project, choose {file}.",
        opens=True,
    ),
    Program(
        "kdenlive",
        "Kdenlive",
        ("kdenlive-project", "kdenlive", STEMS),
        "File > Open, choose {file}.",
        seen=True,
        opens=True,
    ),
    Program(
        "shotcut",
        "Shotcut",
        ("mlt", STEMS),
        "File > Open File, choose {file}.",
        seen=True,
        opens=True,
    ),
)


def programs_for(to: str) -> tuple[Program, ...]:
    """The programs that take a format, RESULT or STEMS; those that like it best first."""
    taking = [program for program in PROGRAMS if to in program.to]
    return tuple(sorted(taking, key=lambda program: program.to.index(to)))


def table() -> str:
    """The table as Markdown, for the documentation."""
    rows = [
        f"| {program.title} | {_takes(program)} | {program.hint('the file')} {program.note}".rstrip()
        + f" | {'yes' if program.seen else 'not yet'} |"
        for program in PROGRAMS
    ]
    head = "| program | takes | what to do there | opened there by us |\n|---|---|---|---|"
    return "\n".join([head, *rows])


def _takes(program: Program) -> str:
    from .formats import find

    words = {RESULT: "the result itself (`.otio`)", STEMS: "stems"}
    return ", ".join(words.get(to) or f"{find(to).title} (`{find(to).suffix}`)" for to in program.to)
