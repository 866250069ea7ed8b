"""What a track or a clip holds: dialogue, music, effects or a mix of them, by who says so and how sure that is.

Evidence counts in a fixed order: what the user says, what the host's own data say, what a track is called, and at last
what is heard on it. Names are read in the languages editors name tracks in.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..errors import SettingsError
from ..roles import PARTS

MARRIED, SILENT = "mix", "silent"
CATEGORIES = (*(role.name for role in PARTS), MARRIED, SILENT)
EVIDENCE = ("user", "host", "name", "ear")  # from the strongest down
SURE, LIKELY, DOUBTFUL = 0.95, 0.8, 0.5
CERTAIN = 0.75  # from here on a category is taken at its word

_M_AND_E = re.compile(r"(?<![a-z])m\s*(?:&|and|\+)\s*e(?![a-z])")
# Words that mean something only together.
_PAIRS = re.compile(
    r"\b(voice|room|nat|sound|full|guide|print|o|needle)[\s_-]+"
    r"(over|tone|sounds?|design|effects?|mix|track|master|ton|drop)\b"
)
_LETTERS = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "æ": "ae"})
_NAMES = Path(__file__).parent / "track_names.json"
_LONG = 5  # letters from which a word counts inside another


@dataclass(frozen=True)
class _Vocabulary:
    """What tracks are called (`track_names.json`), without accents, in lower case.

    Words of a few letters count only when they stand alone; longer ones also inside others. `anywhere` are words of
    scripts without spaces or accents, found anywhere. `weak` words are likely to mean it and give way to others:
    "background music" is music. `neutral` ones say nothing, though a longer word may hide in them.
    """

    words: Mapping[str, str]
    long: tuple[str, ...]
    anywhere: Mapping[str, Sequence[str]]
    weak: frozenset[str]
    neutral: frozenset[str]


@cache
def _vocabulary() -> _Vocabulary:
    data = json.loads(_NAMES.read_text(encoding="utf-8"))
    words = {folded(word): kind for kind, listed in data["words"].items() for word in listed}
    words |= {folded(word): role.name for role in PARTS for word in role.words}
    long = tuple(word for word in words if len(word) >= _LONG)
    return _Vocabulary(words, long, data["anywhere"], frozenset(data["weak"]), frozenset(data["neutral"]))


@dataclass(frozen=True)
class Category:
    """What sounds on a track or in a clip: one of `CATEGORIES`, "" where nothing tells.

    `by` is who says so (`EVIDENCE`), `confidence` 0…1, `reason` a short clause for people.
    """

    kind: str = ""
    by: str = ""
    confidence: float = 0.0
    reason: str = "nothing tells what it holds"

    @property
    def certain(self) -> bool:
        """Whether it may be taken at its word: no mask touches such a track, and nothing asks again."""
        return bool(self.kind) and self.confidence >= CERTAIN

    @property
    def stem(self) -> str:
        """The stem that such sound belongs to; "" for a mix, silence, and where nothing tells."""
        return next((role.stem for role in PARTS if role.name == self.kind), "")


UNKNOWN = Category()


def named(name: str) -> Category:
    """What a track's (or a stem file's) name says it holds; `UNKNOWN` where it says nothing.

    Two categories in one name, such as "M&E" or "Music + FX", are a mix.
    """
    if _M_AND_E.search(name.casefold()):
        return Category(MARRIED, "name", LIKELY, "its name says music and effects")
    found = _found(name)
    strong = {kind: words for kind, words in found.items() if not _vocabulary().weak.issuperset(words)}
    found, likely = strong or found, not strong
    if not found:
        return UNKNOWN
    kinds = [kind for kind in found if kind != MARRIED]
    if len(kinds) > 1:
        return Category(MARRIED, "name", LIKELY, f"“{name}” names more than one kind of sound")
    # "Music mix" and "Dialogue master" are music and dialogue.
    kind = kinds[0] if kinds else MARRIED
    words = "”, “".join(dict.fromkeys(found[kind]))
    return Category(kind, "name", LIKELY if likely else SURE, f"its name says “{words}”")


def _found(name: str) -> dict[str, list[str]]:
    """The words of a name that tell something, by category."""
    known = _vocabulary()
    found: dict[str, list[str]] = {}
    for word in _words(name):
        kind = known.words.get(word) or _inside(word)
        if kind:
            found.setdefault(kind, []).append(word)
    for kind, parts in known.anywhere.items():
        hits = [part for part in parts if part in name.casefold()]
        if hits:
            found.setdefault(kind, []).append(max(hits, key=len))
    return found


def said(given: Iterable[str]) -> dict[str, str]:
    """What a user says, as "A1=dialogue" or "Wild track=effects", by track in lower case.

    Synonyms of a category's name count (`named`). Raises SettingsError naming what is wrong.
    """
    told: dict[str, str] = {}
    for text in given:
        track, equals, word = text.rpartition("=")
        if not equals or not track.strip():
            raise SettingsError(f"--category {text!r} must be TRACK=CATEGORY, such as A1=dialogue.")
        wanted = word.strip().casefold()
        kind = wanted if wanted in CATEGORIES else "" if wanted in ("", "auto") else named(wanted).kind
        if not kind and wanted != "auto":
            raise SettingsError(
                f"--category {text!r}: a track holds one of {', '.join(CATEGORIES)} (or auto), not {word.strip()!r}."
            )
        told[track.strip().casefold()] = kind
    return told


def decided(*evidence: Category) -> Category:
    """The first of several that tells something, from the strongest down."""
    told = [category for category in evidence if category.kind]
    return min(told, key=lambda category: EVIDENCE.index(category.by), default=UNKNOWN)


def of_user(kind: str) -> Category:
    """What the user says."""
    return Category(kind, "user", 1.0, "you said so")


def of_host(word: str, where: str) -> Category:
    """What a host's own data call it, such as a Final Cut role "dialogue.dialogue-1"; UNKNOWN for other words."""
    kind = named(word.replace(".", " ")).kind
    return Category(kind, "host", SURE, f"{where} says “{word}”") if kind else UNKNOWN


def agreed(found: Sequence[Category]) -> Category:
    """What a track holds whose clips are `found`: what all say that say something, or a mix of them."""
    kinds = {category.kind for category in found if category.kind not in ("", SILENT)}
    if not kinds:
        return next((category for category in found if category.kind), UNKNOWN)
    if len(kinds) == 1:
        return min((c for c in found if c.kind in kinds), key=lambda c: c.confidence)
    return Category("", "host", DOUBTFUL, "its clips are of several kinds")


def _inside(word: str) -> str:
    """The category of a word that others hide in."""
    known = _vocabulary()
    if word in known.neutral or len(word) <= _LONG:
        return ""
    # A compound is what its last part is: "Hintergrundmusik" is music.
    hits = [(word.rfind(part) + len(part), len(part), part) for part in known.long if part in word]
    return known.words[max(hits)[2]] if hits else ""


def folded(text: str) -> str:
    """Text as it is compared: in lower case and without accents."""
    if text.isascii():
        return text.casefold()
    parts = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(c for c in parts if not unicodedata.combining(c))


def _words(name: str) -> list[str]:
    """The words of a name: letters between anything else; case and digits part words, too ("voiceOver", "SFX1")."""
    apart = folded(re.sub(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Ý])", " ", name))
    return re.findall(r"[^\W\d_]+", _PAIRS.sub(r"\1\2", apart))
