"""The open training corpus: built from free packages by a recipe."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import shutil
import sys
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from ...errors import TrainingError, WriteError
from ...files import WholeFile, place, sweep, write_text
from ...locks import holding_folder
from ...progress import Progress, Step
from .duplicates import refuse_leaks
from .library import Corpus, Item
from .packages import Runner, Source, fetch_package, run_command, sources, unpack, version_of
from .recipes import KINDS, PackageRecipe, Recipe, Rule, any_match, load_recipe, refuse_reserved
from .sounds import SAMPLE_RATE, SOUND_SUFFIXES, Sound, UnusableError, bandwidth, prepare, rms_db
from .subjects import caption_of, check_pictures, shown

# Bumped whenever the same recipe would give other samples, so that a resumed build starts its packages anew.
BUILDER = 1


def build_corpus(
    recipe_path: str | Path,
    cache_dir: Path,
    out_dir: Path,
    progress: Progress | None = None,
    packages: Sequence[str] | None = None,
    run: Runner = run_command,
) -> Corpus:
    """Build (or go on building) the corpus of a recipe in `out_dir`, package by package, and return it.

    A package already built by the same recipe is kept as it is; `corpus.json` is written anew after each one, so a
    stopped build leaves a usable smaller corpus, whose splits have not been compared yet. Raises `TrainingError` for a
    bad recipe, an unknown package name, one that cannot be fetched, and a recording that two splits hold,
    `WriteError` when the disk is full or not writable, and `Cancelled` when the user stops it.
    """
    recipe = load_recipe(recipe_path)
    for package in recipe.packages:
        check_pictures(package.name, package.pictures or {})
    progress = progress or Progress()
    chosen = _choose(recipe, packages)
    out_dir = Path(out_dir)
    try:
        (out_dir / "parts").mkdir(parents=True, exist_ok=True)
        with holding_folder(out_dir):
            for folder in (out_dir, out_dir / "parts", out_dir / "pictures"):
                sweep(folder)
            for number, package in enumerate(chosen):
                progress.report("corpus", package.name, number, len(chosen), "packages")
                if not _is_built(package, recipe, out_dir):
                    _build_package(package, recipe, Path(cache_dir), out_dir, progress, run)
                _write_manifest(recipe, out_dir)
    except OSError as fault:
        raise WriteError(f"The corpus cannot be built in {out_dir}: {fault.strerror or fault}.") from fault
    progress.report("corpus", recipe.name, len(chosen), len(chosen), "packages")
    corpus = Corpus(out_dir)
    refuse_leaks(corpus, progress)
    return corpus


def _choose(recipe: Recipe, names: Sequence[str] | None) -> list[PackageRecipe]:
    if names is None:
        return list(recipe.packages)
    known = {package.name: package for package in recipe.packages}
    for name in names:
        refuse_reserved(name)
        if name not in known:
            raise TrainingError(f"The recipe {recipe.name} has no package {name}; it has {', '.join(known)}.")
    return [known[name] for name in names]


def _fingerprint(package: PackageRecipe, recipe: Recipe) -> str:
    text = json.dumps([BUILDER, asdict(package), dict(recipe.shortest_s)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _part_path(out_dir: Path, name: str) -> Path:
    return out_dir / "parts" / f"{name}.json"


def _read_part(out_dir: Path, name: str) -> dict[str, Any] | None:
    try:
        part: dict[str, Any] = json.loads(_part_path(out_dir, name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return part


def _is_built(package: PackageRecipe, recipe: Recipe, out_dir: Path) -> bool:
    part = _read_part(out_dir, package.name)
    return (
        part is not None
        and part["fingerprint"] == _fingerprint(package, recipe)
        and all((out_dir / name).is_file() for name in part["files"])
    )


def _build_package(
    package: PackageRecipe, recipe: Recipe, cache: Path, out_dir: Path, progress: Progress, run: Runner
) -> None:
    deb = fetch_package(package.name, cache, run)
    folder = unpack(deb, run)
    builder = _PackageBuilder(package, recipe, out_dir, progress)
    try:
        with ExitStack() as stack:
            part = builder.build({source.path: source for source in sources(folder, package, stack)})
        part["package"] = {
            "version": version_of(deb),
            "licence": package.licence,
            "credit": package.credit,
            "url": package.url,
        }
        _copy_licence(folder, package.name, out_dir)
        _withdraw(package, recipe, out_dir)
        builder.commit()
    finally:
        builder.discard()
        shutil.rmtree(folder, ignore_errors=True)
    _write_json(_part_path(out_dir, package.name), part)


def _withdraw(package: PackageRecipe, recipe: Recipe, out_dir: Path) -> None:
    # No list may ever speak of samples that have been replaced, however the build ends.
    part = _part_path(out_dir, package.name)
    if part.exists():
        part.unlink()
        _write_manifest(recipe, out_dir)


def _copy_licence(folder: Path, name: str, out_dir: Path) -> None:
    source = folder / "usr/share/doc" / name / "copyright"
    if source.is_file() and not source.is_symlink():
        place(source, out_dir / "licences" / f"{name}.txt", parents=True, link=False)


def _spread(paths: Sequence[str]) -> list[str]:
    """The same paths in an order whose every beginning is an even choice of the whole (steps of the golden ratio)."""
    keys = [(index * 0.6180339887498949) % 1.0 for index in range(len(paths))]
    return [paths[index] for index in sorted(range(len(paths)), key=keys.__getitem__)]


class _PackageBuilder:
    """Writes one package's sounds, one raw file a kind, under temporary names until all of them are whole."""

    def __init__(self, package: PackageRecipe, recipe: Recipe, out_dir: Path, progress: Progress) -> None:
        self.package = package
        self.recipe = recipe
        self.out_dir = out_dir
        self.progress = progress
        self.items: list[Item] = []
        self.warnings: list[str] = []
        self._seen: dict[str, str | None] = {}
        self._by_source: dict[str, str] = {}
        self._lengths = dict.fromkeys(KINDS, 0)
        self._spent: dict[int, int] = {}
        self._files: dict[str, WholeFile] = {}

    def build(self, sources: Mapping[str, Source]) -> dict[str, Any]:
        """Sort, clean and write the package's files; returns the part of the manifest that speaks of them."""
        plan = self._plan(sources)
        for number, (index, path) in enumerate(plan):
            self.progress.report("corpus", self.package.name, number, len(plan), "files")
            self._take(sources[path], index)
        paired, distractors, subjects = self._pictures(sources)
        return {
            "fingerprint": _fingerprint(self.package, self.recipe),
            "files": [self._name(kind) for kind in self._files],
            "items": [asdict(item) for item in self.items],
            "pictures": paired,
            "distractors": distractors,
            "subjects": subjects,
            "warnings": self.warnings,
        }

    def commit(self) -> None:
        """Give the files their names, now that all of them are whole."""
        for file in self._files.values():
            file.finish()

    def discard(self) -> None:
        """Remove what has not been committed."""
        for file in self._files.values():
            file.discard()

    def _plan(self, sources: Mapping[str, Source]) -> list[tuple[int, str]]:
        by_rule: dict[int, list[str]] = {}
        for path in sources:
            if Path(path).suffix.lower() in SOUND_SUFFIXES:
                index = self.package.rule_for(path)
                if index is not None:
                    by_rule.setdefault(index, []).append(path)
        return [
            (index, path)
            for index, paths in sorted(by_rule.items())
            for path in (_spread(paths) if self.package.rules[index].total_s else paths)
        ]

    def _name(self, kind: str) -> str:
        return f"{kind}-{self.package.name}.i16"

    def _take(self, source: Source, index: int) -> None:
        rule = self.package.rules[index]
        room = None if rule.total_s is None else rule.total_s - self._spent.get(index, 0) / SAMPLE_RATE
        if room is not None and room < self.recipe.shortest_s[rule.kind]:
            return
        longest = min((s for s in (rule.item_s, room) if s is not None), default=None)
        try:
            data = source.read()
            digest = hashlib.sha256(data).hexdigest()
            if digest in self._seen:
                self._same_again(source.path, digest)
                return
            self._seen[digest] = None
            sound = prepare(
                data, Path(source.path).suffix.lower(), self.recipe.shortest_s[rule.kind], longest
            )
        except (UnusableError, OSError, zipfile.BadZipFile) as fault:
            self.warnings.append(f"{source.path} {fault}; left out.")
            return
        item = self._store(source.path, rule, sound)
        self._seen[digest] = item.id
        self._spent[index] = self._spent.get(index, 0) + item.samples

    def _same_again(self, path: str, digest: str) -> None:
        known = self._seen[digest]
        if known is not None:
            self._by_source[path] = known

    def _store(self, path: str, rule: Rule, sound: Sound) -> Item:
        if rule.kind not in self._files:
            self._files[rule.kind] = WholeFile(self.out_dir / self._name(rule.kind))
        whole = np.clip(np.rint(sound * 32768), -32768, 32767).astype("<i2")
        self._files[rule.kind].file.write(whole.tobytes())
        item = Item(
            id=f"{self.package.name}-{rule.kind}-{len(self.items):05d}",
            kind=rule.kind,
            package=self.package.name,
            licence=self.package.licence_of(path, rule),
            source=path,
            split=rule.split,
            file=self._name(rule.kind),
            start=self._lengths[rule.kind],
            samples=sound.size,
            rms_db=round(rms_db(sound), 2),
            peak=round(float(np.abs(sound).max()), 4),
            bandwidth_hz=round(bandwidth(sound)),
            label=rule.label or Path(path).stem,
        )
        self._lengths[rule.kind] += sound.size
        self.items.append(item)
        self._by_source[path] = item.id
        return item

    def _pictures(self, sources: Mapping[str, Source]) -> tuple[list[dict[str, Any]], ...]:
        """Pictures paired with sounds, pictures of nothing that sounds, and pictures with a subject."""
        wanted = self.package.pictures
        if wanted is None:
            return [], [], []
        paired, taken = self._paired(wanted, sources) if "match" in wanted else ([], set())
        neutral, subjects = self._subjects(wanted, sources, taken)
        if "match" in wanted:
            neutral += self._distractors(wanted, sources, taken)
        return paired, neutral, subjects

    def _paired(
        self, wanted: Mapping[str, Any], sources: Mapping[str, Source]
    ) -> tuple[list[dict[str, Any]], set[str]]:
        """Pictures beside the effects of the same name, and the paths they have."""
        by_id = {item.id: item for item in self.items}
        paired: list[dict[str, Any]] = []
        taken: set[str] = set()
        for path in sorted(path for path in sources if any_match(path, wanted["match"])):
            sounding = self._by_source.get(f"{Path(path).with_suffix('')}.ogg", "")
            item = by_id.get(sounding)
            if item is not None and item.kind == "effects":
                taken.add(path)
                caption = caption_of(path, wanted.get("caption", "{name}"), sources)
                entry = self._save_picture(sources[path], item.split)
                if entry:
                    more = {"item_id": item.id, "subject": "effects", "caption": caption}
                    paired.append(entry | more)
        return paired, taken

    def _subjects(
        self, wanted: Mapping[str, Any], sources: Mapping[str, Source], taken: set[str]
    ) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        """Neutral pictures (an even choice of `most_neutral`) and those with a subject; each picture only once."""
        chosen = [picture for picture in shown(wanted, sources) if picture.source.path not in taken]
        taken |= {picture.source.path for picture in chosen}
        silent = {picture.source.path: picture for picture in chosen if picture.subject is None}
        keep = _spread(sorted(silent))[: wanted.get("most_neutral")]
        heard = [picture for picture in chosen if picture.subject is not None]
        saved: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
        seen: set[str] = set()
        for picture in (*heard, *(silent[path] for path in keep)):
            split = wanted.get("split", "train")
            entry = self._save_picture(picture.source, split, picture.label, seen)
            if entry:
                entry |= {"subject": picture.subject, "caption": picture.caption}
                saved[picture.subject is not None].append(entry)
        return saved[False], saved[True]

    def _distractors(
        self, wanted: Mapping[str, Any], sources: Mapping[str, Source], taken: set[str]
    ) -> list[dict[str, Any]]:
        """An even choice of the pictures that have no sound beside them and that no rule speaks of."""
        sounding = {
            str(Path(path).with_suffix("")) for path in sources if Path(path).suffix.lower() in SOUND_SUFFIXES
        }
        silent = [
            path
            for path in sorted(sources)
            if any_match(path, wanted["match"])
            and path not in taken
            and str(Path(path).with_suffix("")) not in sounding
            and not any_match(path, wanted["distractors_unless"])
        ]
        chosen = _spread(silent)[: int(wanted["distractors"])]
        saved = []
        for path in chosen:
            entry = self._save_picture(sources[path], wanted.get("split", "train"))
            if entry:
                entry["caption"] = caption_of(path, wanted.get("caption", "{name}"), sources)
                saved.append(entry)
        return saved

    def _save_picture(
        self, source: Source, split: str, label: str | None = None, seen: set[str] | None = None
    ) -> dict[str, Any] | None:
        """Write a picture's file; None where it cannot be read, or where one of `seen` has the same bytes."""
        digest = hashlib.sha256(source.path.encode()).hexdigest()[:8]
        label = label or Path(source.path).stem
        name = f"pictures/{self.package.name}-{label}-{digest}.png"
        target = self.out_dir / name
        target.parent.mkdir(exist_ok=True)
        try:
            data = source.read()
            if seen is not None:
                content = hashlib.sha256(data).hexdigest()
                if content in seen:
                    return None
                seen.add(content)
            with WholeFile(target) as file:
                letterbox(data).save(file, format="PNG")
        except (OSError, ValueError) as fault:
            self.warnings.append(f"{source.path} is no readable picture ({fault}); left out.")
            return None
        return {"file": name, "label": label, "split": split}


def letterbox(data: bytes, size: int = 224, ground: tuple[int, int, int] = (128, 128, 128)) -> Image.Image:
    """The picture in `data`, whole, centred on a square of `size` pixels of the colour `ground` (RGB)."""
    with Image.open(io.BytesIO(data)) as opened:
        image = opened.convert("RGBA")
    scale = size / max(image.size)
    fitted = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    image = image.resize(fitted, Image.Resampling.LANCZOS)
    square = Image.new("RGB", (size, size), ground)
    square.paste(image, ((size - image.width) // 2, (size - image.height) // 2), image)
    return square


def _write_manifest(recipe: Recipe, out_dir: Path) -> None:
    parts = {
        package.name: part
        for package in recipe.packages
        if (part := _read_part(out_dir, package.name)) is not None
    }
    manifest = {
        "version": 1,
        "sample_rate": SAMPLE_RATE,
        "recipe": recipe.name,
        "items": [item for part in parts.values() for item in part["items"]],
        "packages": {name: part["package"] for name, part in parts.items()},
        "pictures": [entry for part in parts.values() for entry in part["pictures"]],
        "distractors": [entry for part in parts.values() for entry in part["distractors"]],
        "subjects": [entry for part in parts.values() for entry in part.get("subjects", ())],
        "warnings": [line for part in parts.values() for line in part["warnings"]],
    }
    _write_json(out_dir / "corpus.json", manifest)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    write_text(path, json.dumps(content, ensure_ascii=False, indent=1))


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m sightmix.engine.training.material.corpus --recipe open --cache DIR --out DIR [--packages NAME …]`."""
    parser = argparse.ArgumentParser(prog="sightmix.engine.training.material.corpus", description=__doc__)
    parser.add_argument("--recipe", default="open", help="name or path of a recipe (default: open)")
    parser.add_argument("--cache", type=Path, required=True, help="folder of the downloaded packages")
    parser.add_argument("--out", type=Path, required=True, help="folder of the corpus")
    parser.add_argument("--packages", nargs="+", help="only these packages of the recipe")
    options = parser.parse_args(arguments)
    try:
        corpus = build_corpus(
            options.recipe, options.cache, options.out, Progress(_print_step), options.packages
        )
    except TrainingError as fault:
        print(fault, file=sys.stderr)
        return 1
    for kind, hours in corpus.hours().items():
        print(kind, *(f"{split} {value:.2f} h" for split, value in hours.items()), sep="  ")
    return 0


def _print_step(step: Step) -> None:
    if step.unit == "packages":
        print(f"{step.done:.0f}/{step.total:.0f} {step.item}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
