"""The commands by name, and the one place where an error becomes a line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from avloc.cli import console
from avloc.cli.bench import bench
from avloc.cli.calibrate import calibrate
from avloc.cli.demo import demo
from avloc.cli.doctor import doctor
from avloc.cli.evaluate import evaluate
from avloc.cli.export_features import export_features
from avloc.cli.extract import extract
from avloc.cli.help import Command
from avloc.cli.import_features import import_features
from avloc.cli.inspect import inspect
from avloc.cli.label import label
from avloc.cli.localize import localize
from avloc.cli.open_model import open_model
from avloc.cli.reproduce import reproduce
from avloc.cli.status import status
from avloc.cli.synth import synth
from avloc.cli.train import train
from avloc.cli.verify import verify
from avloc.errors import AvlocError

# rich's help pages cost 0.2 s of imports; `avloc --help` answers in 0.2 s without them
app = typer.Typer(
    name="avloc",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS: dict[str, Callable[..., None]] = {
    "extract": extract,
    "status": status,
    "train": train,
    "eval": evaluate,
    "localize": localize,
    "open": open_model,
    "label": label,
    "calibrate": calibrate,
    "reproduce": reproduce,
    "import-features": import_features,
    "export-features": export_features,
    "synth": synth,
    "inspect": inspect,
    "verify": verify,
    "doctor": doctor,
    "demo": demo,
    "bench": bench,
}
for _name, _command in _COMMANDS.items():
    app.command(_name, cls=Command)(_command)


def _show_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        console.data(f"avloc {version('avloc')}")
        raise typer.Exit


@app.callback()
def _about(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
    traceback: Annotated[
        bool,
        typer.Option(
            "--traceback",
            help="Show Python's traceback when something fails; it may also follow the command.",
        ),
    ] = False,
) -> None:
    """Find what happens in a video: when, where in the picture, and whether seen or heard.

    avloc localize VIDEO --label "dog barking" needs no training. avloc brings no trained model.
    Training one takes labelled videos: avloc extract DATASET, avloc train, then avloc localize
    VIDEO. To see it all work on artificial clips, run avloc demo.
    """
    if traceback:
        os.environ["AVLOC_TRACEBACK"] = "1"


def main() -> None:
    """Run the command line and exit with 0, 1, 2, 3 or 130 (``avloc.errors`` says which when)."""
    # OpenMP's threads spin while they wait; beside decoding processes or other work on the
    # same cores that makes the encoders up to three times slower. Asleep they cost nothing.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy only ever sees small matrices
    console.accept_any_name()
    arguments = traceback_first(sys.argv[1:])
    try:
        app(arguments, prog_name="avloc")
    except SystemExit as ended:
        if ended.code == 130:
            console.say(after_interruption(arguments))
        raise
    except Exception as error:
        if os.environ.get("AVLOC_TRACEBACK"):
            import traceback

            traceback.print_exc()
        if isinstance(error, AvlocError):
            console.say(f"error: {console.one_line(error)}")
            sys.exit(error.exit_code)
        console.say(
            f"error: {type(error).__name__}: {error}. This is a fault in avloc. Run the command "
            "again with --traceback, and report what it prints."
        )
        sys.exit(1)


def traceback_first(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with ``--traceback`` before the command, wherever it was."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    others = [argument for argument in arguments[:end] if argument != "--traceback"]
    return [*["--traceback"][: end - len(others)], *others, *arguments[end:]]


def after_interruption(arguments: Sequence[str]) -> str:
    """Return what to do after Ctrl-C; that depends on the command."""
    command = _command_name(arguments)
    if command == "train":
        return "interrupted: run the same command with --resume to go on after the last epoch"
    if command in ("extract", "localize", "reproduce", "import-features", "synth", "demo"):
        return "interrupted: what was finished is kept; run the same command again to go on"
    return "interrupted"


def _command_name(arguments: Sequence[str]) -> str:
    return next((argument for argument in arguments if argument in _COMMANDS), "")
