"""The command line: ``sightmix inspect``, ``rebalance``, ``export``, ``evaluate``, ``data``, ``train``, ``models``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated, Any

import typer

from .data import data
from .errors import CANCELLED, USAGE, debugging, say, sentences
from .flags import DEFAULTS, flag
from .resolve import resolve

_ClickError: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

app = typer.Typer(
    name="sightmix",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
models = typer.Typer(help="List, show and fetch models.", invoke_without_command=True, rich_markup_mode=None)
app.add_typer(models, name="models")
app.add_typer(resolve, name="resolve")
app.add_typer(data, name="data")

Source = Annotated[
    Path,
    typer.Argument(metavar="INPUT", help="A timeline (OTIO, XML, FCPXML, AAF, EDL) or a media file."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object; progress goes to stderr.")]
Sequences = Annotated[
    str,
    typer.Option("--timeline", metavar="NAME", help="Which timeline of several, by name or number."),
]
Media = Annotated[
    list[Path] | None,
    typer.Option("--media", metavar="FOLDER", help="Also look for media here; may be repeated."),
]
Rate = Annotated[str, typer.Option("--rate", metavar="FPS", help="What an EDL counts in; 24 if not given.")]


def _version(wanted: bool) -> None:
    if wanted:
        say(f"sightmix {metadata.version('sightmix')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Rebalance a timeline's soundtrack by looking at the picture: speech, music and effects, clip by clip.

    Exit status: 0 done, 1 some clips failed, 2 input or usage that cannot work, 130 stopped with Ctrl-C.
    """


@app.command()
@sentences
def inspect(
    source: Source,
    as_json: AsJson = False,
    loudness: Annotated[bool, typer.Option("--loudness", help="Measure every online clip.")] = False,
    timeline: Sequences = "",
    media: Media = None,
    rate: Rate = "",
) -> None:
    """Show a timeline's tracks and audio clips, and what can be rebalanced."""
    from .inspect import inspect_timeline

    inspect_timeline(source, as_json, loudness, timeline, media or [], rate)


@app.command()
@sentences
def rebalance(
    source: Source,
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT", help="The timeline to write.")],
    clips: Annotated[str, typer.Option("--clips", metavar="3,5-9", help="Which clips, by number.")] = "",
    track: Annotated[
        list[str] | None,
        typer.Option("--track", metavar="A1", help="Every clip of this audio track; may be repeated."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every online clip, which is the default.")] = False,
    strength: Annotated[float, flag("strength")] = DEFAULTS.strength,
    dialogue: Annotated[float, flag("dialogue")] = DEFAULTS.dialogue,
    music: Annotated[float, flag("music")] = DEFAULTS.music,
    effects: Annotated[float, flag("effects")] = DEFAULTS.effects,
    loudness: Annotated[str, flag("loudness")] = DEFAULTS.loudness,
    true_peak: Annotated[float, flag("true_peak")] = DEFAULTS.true_peak,
    context: Annotated[str, flag("context")] = DEFAULTS.context,
    model: Annotated[str, flag("model")] = DEFAULTS.model,
    handles: Annotated[int, flag("handles")] = DEFAULTS.handles,
    stems: Annotated[bool, flag("stems")] = DEFAULTS.stems,
    as_: Annotated[str, flag("as_")] = DEFAULTS.as_,
    mute_originals: Annotated[bool, flag("mute_originals")] = DEFAULTS.mute_originals,
    device: Annotated[str, flag("device")] = DEFAULTS.device,
    detect_cuts: Annotated[bool, flag("detect_cuts")] = DEFAULTS.detect_cuts,
    no_cache: Annotated[
        bool, typer.Option("--no-cache", help="Render anew even what an earlier run has left.")
    ] = False,
    timeline: Sequences = "",
    media: Media = None,
    rate: Rate = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    as_json: AsJson = False,
) -> None:
    """Rebalance clips of a timeline and write a timeline with the result on new tracks, beside a report."""
    from ..jobs.settings import JobSettings
    from .rebalance import Request, rebalance_timeline

    settings = JobSettings(
        strength=strength,
        dialogue=dialogue,
        music=music,
        effects=effects,
        loudness=loudness,
        true_peak=true_peak,
        context=context,
        model=model,
        handles=handles,
        stems=stems,
        as_=as_,
        mute_originals=mute_originals,
        device=device,
        detect_cuts=detect_cuts,
        cache=not no_cache,
    )
    request = Request(
        source, out, settings, clips, tuple(track or ()), every, timeline, tuple(media or ()), rate
    )
    rebalance_timeline(request, dry_run, as_json)


@app.command()
@sentences
def evaluate(
    sounds: Annotated[
        Path, typer.Option("--input", metavar="FOLDER", help="The sounds to judge: results of any program.")
    ],
    targets: Annotated[
        Path, typer.Option("--target", metavar="FOLDER", help="What they should be, under the same names.")
    ],
    before: Annotated[
        Path | None,
        typer.Option("--before", metavar="FOLDER", help="The sounds before the work: adds the improvement."),
    ] = None,
    videos: Annotated[
        Path | None,
        typer.Option(
            "--video", metavar="FOLDER", help="Their pictures: adds ΔIB, if ImageBind is installed."
        ),
    ] = None,
    classes: Annotated[bool, typer.Option("--kld", help="Add KLD, if PaSST is installed.")] = False,
    speech: Annotated[
        bool, typer.Option("--speech", help="Add DNSMOS, if sightmix[speech] is installed.")
    ] = False,
    words: Annotated[
        bool, typer.Option("--words", help="Add word error rates, if sightmix[speech] is installed.")
    ] = False,
    transcripts: Annotated[
        Path | None,
        typer.Option(
            "--transcripts",
            metavar="FOLDER",
            help="What is said, as text files under the same names; else what is heard in the targets.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Judge a folder of sounds by how near they are to their targets (MAG, ENV, W-dis, SI-SDR)."""
    from .evaluate import Extras, evaluate_folders

    extras = Extras(classes, speech, words, transcripts)
    evaluate_folders(sounds, targets, before, videos, extras, as_json)


@app.command()
@sentences
def train(
    config: Annotated[
        str, typer.Argument(metavar="CONFIG", help="A training configuration, or a shipped one's name.")
    ],
    corpus: Annotated[Path, typer.Option("--corpus", metavar="FOLDER", help="What to train on.")],
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="RUN", help="Folder of the run; resumed if there is one.")
    ],
    device: Annotated[str, typer.Option("--device", help="auto, cpu or cuda.")] = "auto",
    devices: Annotated[int, typer.Option("--devices", min=1, help="How many of them learn together.")] = 1,
    steps: Annotated[
        int, typer.Option("--steps", min=0, help="The last step, instead of the configuration's.")
    ] = 0,
    start: Annotated[
        Path | None, typer.Option("--start", metavar="CHECKPOINT", help="Begin with another run's weights.")
    ] = None,
    gains: Annotated[
        Path | None, typer.Option("--gains", metavar="FILE", help="A gain head trained beforehand.")
    ] = None,
    ship: Annotated[
        str, typer.Option("--ship", metavar="NAME", help="Make a model of this name of it.")
    ] = "",
    weights: Annotated[
        Path | None, typer.Option("--weights", metavar="FOLDER", help="Where the model goes.")
    ] = None,
) -> None:
    """Train a network, or go on with a run; Ctrl-C saves and stops."""
    from .train import Request, train_network

    train_network(Request(config, corpus, out, device, devices, steps, start, gains, ship, weights))


@app.command()
@sentences
def export(
    inputs: Annotated[
        list[Path],
        typer.Argument(
            metavar="TIMELINE", help="A timeline with results; with --check the files to measure."
        ),
    ],
    to: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="stems|fcp7|fcpxml|aaf|edl|rpp|mlt|kdenlive",
            help="What to write; by the suffix of OUT if not given, stems if it has none.",
        ),
    ] = "",
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="OUT", help="The file to write, or the folder for stems."),
    ] = None,
    stem: Annotated[
        list[str] | None,
        typer.Option("--stem", metavar="DX|MX|FX|ME|MIX", help="Only this stem; may be repeated."),
    ] = None,
    per: Annotated[
        str,
        typer.Option(
            "--per", metavar="timeline|clip", help="Stems as long as the timeline, or a set per clip."
        ),
    ] = "timeline",
    multi_mono: Annotated[bool, typer.Option("--multi-mono", help="Stems as one file per channel.")] = False,
    project: Annotated[
        str,
        typer.Option(
            "--project",
            metavar="NAME",
            help="First part of the stems' names; the timeline's name if not given.",
        ),
    ] = "",
    reel: Annotated[
        str, typer.Option("--reel", metavar="NAME", help="Second part of the stems' names.")
    ] = "",
    assign: Annotated[
        list[str] | None,
        typer.Option(
            "--assign", metavar="TRACK=DX", help="Put another audio track into a stem; may be repeated."
        ),
    ] = None,
    delivery: Annotated[
        str,
        typer.Option(
            "--delivery",
            metavar="SPEC",
            help="Bring the mix to a delivery spec, all stems alike: ebu-r128, ebu-r128-s4, atsc-a85, netflix, "
            "youtube or podcast.",
        ),
    ] = "",
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing: measure files and say what a spec finds wrong.")
    ] = False,
    embed: Annotated[
        bool, typer.Option("--embed", help="Put the sound inside the AAF (experimental).")
    ] = False,
    timeline: Sequences = "",
    rate: Rate = "",
    as_json: AsJson = False,
) -> None:
    """Export a result as stems or for another program, or check files against a delivery spec.

    Exit status 1 also means that a spec is not met.
    """
    from .export import ExportRequest, check_files, export_timeline, one_timeline

    if check:
        check_files(inputs, delivery, as_json)
        return
    request = ExportRequest(
        one_timeline(inputs),
        out,
        to,
        timeline,
        rate,
        per,
        tuple(stem or ()),
        multi_mono,
        project,
        reel,
        tuple(assign or ()),
        delivery,
        embed,
    )
    export_timeline(request, as_json)


@models.callback()
@sentences
def _models(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """List the models there are cards for, or show or fetch one."""
    if context.invoked_subcommand is None:
        from .models import list_models

        list_models(as_json)


@models.command("show")
@sentences
def _models_show(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show what is known about a model."""
    from .models import show_model

    show_model(name, as_json)


@models.command("fetch")
@sentences
def _models_fetch(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Fetch a model's weights, after showing from where, how big, and under which licence."""
    from .models import fetch_model

    fetch_model(name, yes)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    sys.exit(_run(None if arguments is None else list(arguments)))


def _run(arguments: list[str] | None) -> int:
    try:
        status = app(args=arguments, standalone_mode=False, prog_name="sightmix")
        sys.stdout.flush()
    except _ClickError as error:
        if debugging():
            raise
        message = " ".join(error.format_message().split())
        if message:
            say(f"sightmix: {message}", error=True)
        return int(error.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        say("sightmix: Stopped.", error=True)
        return CANCELLED
    except BrokenPipeError:
        # The reader of our output has gone, and Python must not try to flush on its way out.
        sys.stdout = None
        return USAGE
    return status if isinstance(status, int) else 0
