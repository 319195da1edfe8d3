"""The commands by name, and the one place where an error becomes a line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from avloc.cli import console
from avloc.cli.bench import bench
from avloc.cli.demo import demo
from avloc.cli.doctor import doctor
from avloc.cli.evaluate import evaluate
from avloc.cli.export_features import export_features
from avloc.cli.extract import extract
from avloc.cli.import_features import import_features
from avloc.cli.inspect import inspect
from avloc.cli.localize import localize
from avloc.cli.reproduce import reproduce
from avloc.cli.synth import synth
from avloc.cli.train import train
from avloc.cli.verify import verify
from avloc.errors import AvlocError, UsageError

# rich's help pages cost 0.2 s of imports; `avloc --help` answers in 0.2 s without them
app = typer.Typer(
    name="avloc",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS: dict[str, Callable[..., None]] = {
    "extract": extract,
    "train": train,
    "eval": evaluate,
    "localize": localize,
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
    app.command(_name)(_command)


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
            "--version", callback=_show_version, is_eager=True, help="Say the version and exit."
        ),
    ] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show Python's traceback when something fails.")
    ] = False,
) -> None:
    """Audio-visual event localization: what happened in a video, when, where, by which sense.

    The stages chain through ./artifacts: extract, train, eval, localize.
    """
    if traceback:
        os.environ["AVLOC_TRACEBACK"] = "1"


def main() -> None:
    """Run the command line and exit with 0, 1, 2, 3 or 130 (``avloc.errors`` says which when)."""
    # OpenMP's threads spin while they wait; beside decoding processes or other work on the
    # same cores that makes the encoders up to three times slower. Asleep they cost nothing.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # NumPy only ever sees small matrices
    try:
        refuse_dashed_names(sys.argv[1:])
        app()
    except SystemExit as done:
        if done.code == 130:
            console.say(
                "interrupted: what was finished is kept; run it again to go on (train: --resume)"
            )
        raise
    except AvlocError as error:
        _show_traceback_if_asked()
        console.show_error(error)
        sys.exit(error.exit_code)
    except Exception as bug:
        _show_traceback_if_asked()
        console.say(
            f"error: {type(bug).__name__}: {bug}. This is a fault in avloc; run it again as "
            "`avloc --traceback ...` and report what it prints."
        )
        sys.exit(1)


def _show_traceback_if_asked() -> None:
    if os.environ.get("AVLOC_TRACEBACK"):
        import traceback

        traceback.print_exc()


def refuse_dashed_names(arguments: list[str]) -> None:
    """Refuse a file whose name begins with ``-`` where it would be read as options.

    1012 of AVE's ids begin with ``-``; "no such option: -x" would not tell anyone why.

    Raises:
        UsageError: says how to write such a name.
    """
    for argument in arguments:
        if argument == "--":
            return
        is_name = Path(argument).suffix.lower() in _FILE_SUFFIXES and "=" not in argument
        if argument.startswith("-") and argument != "-" and (is_name or Path(argument).exists()):
            raise UsageError(
                f"{argument} begins with '-' and would be read as options",
                f"Write ./{argument}, or put -- before it.",
            )


_FILE_SUFFIXES = {".mp4", ".mkv", ".webm", ".mov", ".avi", ".wav", ".h5", ".csv", ".jsonl"}
