"""Pictures with a known subject: which class what they show would be heard as, and a caption, by a recipe's rules."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from ...errors import TrainingError
from .packages import Source
from .recipes import KINDS, SPLITS, any_match

# The one size (pixels) in which bitmap emoji fonts hold their glyphs.
GLYPH_SIZE = 109
_VARIATION, _JOINER = "\ufe0f", "\u200d"
_TONES = {"\U0001f3fb", "\U0001f3fc", "\U0001f3fd", "\U0001f3fe", "\U0001f3ff"}


@dataclass(frozen=True)
class Shown:
    """A picture of a package: where it comes from, what it shows would be heard as (None: nothing), a caption."""

    source: Source
    label: str
    subject: str | None
    caption: str


def check_pictures(package: str, pictures: Mapping[str, Any]) -> None:
    """Raise `TrainingError` when a recipe's picture rules name an unknown subject or split, or show nothing."""
    if pictures.get("split", "train") not in SPLITS:
        raise TrainingError(
            f"The pictures of {package} are in split {pictures['split']!r}; use one of {', '.join(SPLITS)}."
        )
    for rule in pictures.get("subjects", ()):
        if rule.get("subject") not in (*KINDS, None):
            raise TrainingError(
                f"The pictures of {package} show {rule['subject']!r}; use one of {', '.join(KINDS)} or null."
            )
        if not rule.get("match") and not rule.get("glyphs"):
            raise TrainingError(f"A picture rule of {package} has neither paths to match nor glyphs.")


def shown(pictures: Mapping[str, Any], sources: Mapping[str, Source]) -> Iterator[Shown]:
    """The pictures of a package that its rules speak of, in order of their paths, then of the rules' glyphs.

    The first rule that fits a path counts; pictures that `drop` fits are left out.
    """
    rules: Sequence[Mapping[str, Any]] = pictures.get("subjects", ())
    dropped = pictures.get("drop", ())
    for path, source in sorted(sources.items()):
        if not path.lower().endswith(".png") or any_match(path, dropped):
            continue
        for rule in rules:
            if any_match(path, rule.get("match", ())) and not any_match(path, rule.get("unless", ())):
                caption = caption_of(source.path, rule["caption"], sources)
                yield Shown(source, Path(path).stem, rule["subject"], caption)
                break
    for rule in rules:
        for glyphs in rule.get("glyphs", "").split():
            found = _glyph_source(glyphs, pictures, sources)
            if found is not None:
                name = glyph_name(glyphs)
                caption = rule["caption"].replace("{name}", name)
                yield Shown(found, name.replace(" ", "_").replace(",", ""), rule["subject"], caption)


def caption_of(path: str, template: str, sources: Mapping[str, Source]) -> str:
    """`template` with {name} (the file's name in words) and {text} (the first line of the .txt beside it) filled in."""
    name = re.sub(r"[\W_]+", " ", Path(path).stem).strip().lower()
    caption = template.replace("{name}", name)
    if "{text}" not in caption:
        return caption
    beside = sources.get(str(Path(path).with_suffix(".txt")))
    lines = beside.read().decode("utf-8", errors="replace").splitlines() if beside is not None else []
    return caption.replace("{text}", lines[0].strip() if lines and lines[0].strip() else name)


def glyph_name(glyphs: str) -> str:
    """What Unicode calls a sequence of characters, in lower case, without skin tones, joiners and variations."""
    parts = (c for c in glyphs if c not in _TONES and c not in (_JOINER, _VARIATION))
    return ", ".join(unicodedata.name(c, f"u{ord(c):x}").lower() for c in parts)


def _glyph_source(glyphs: str, pictures: Mapping[str, Any], sources: Mapping[str, Source]) -> Source | None:
    codes = "-".join(f"{ord(c):x}" for c in glyphs if c != _VARIATION)
    if "named" in pictures:
        plain = codes.replace(f"{ord(_JOINER):x}-", "")  # some sets name their files without the joiners
        patterns = [pictures["named"].replace("{code}", name) for name in (codes, plain)]
        near = (path for path in sources if Path(path).stem.lower() in (codes, plain))
        return next((sources[path] for path in near if any_match(path, patterns)), None)
    font = next((s for path, s in sources.items() if any_match(path, [pictures.get("font", "")])), None)
    if font is None:
        return None
    return Source(f"{font.path}!{codes}.png", partial(_render, font.read, glyphs))


def _render(read_font: Callable[[], bytes], glyphs: str) -> bytes:
    """The PNG of one emoji as the font draws it; raises `ValueError` where the font has no single glyph for it."""
    font = ImageFont.truetype(io.BytesIO(read_font()), GLYPH_SIZE)
    if font.getlength(glyphs) > 1.5 * GLYPH_SIZE:
        raise ValueError("the font or its layout engine has no single glyph for it")
    image = Image.new("RGBA", (2 * GLYPH_SIZE, 2 * GLYPH_SIZE), (0, 0, 0, 0))
    ImageDraw.Draw(image).text((20, 20), glyphs, font=font, embedded_color=True)
    box = image.getbbox()
    if box is None:
        raise ValueError("the font has no glyph for it")
    buffer = io.BytesIO()
    image.crop(box).save(buffer, format="PNG")
    return buffer.getvalue()
