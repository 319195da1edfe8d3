"""The names that options show are the names that the library knows; another is refused at once."""

from __future__ import annotations

import sys
from collections.abc import Collection
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
import typer.main
from commands import Shell

from avloc.cli import choices
from avloc.cli.app import app
from avloc.datasets import SPLITS
from avloc.evaluation.decoders import DECODERS
from avloc.evaluation.evaluator import MODALITIES
from avloc.export.formats.saving import formats
from avloc.features import list_audio_encoders, list_visual_encoders
from avloc.features.precision import Precision
from avloc.features.runtimes import RUNTIMES
from avloc.models import list_models
from avloc.options import OVERWRITE
from avloc.spec import SAMPLINGS
from avloc.tables.recipes import recipe_folder
from avloc.tables.reproduction import SUPERVISIONS
from avloc.training import TrainingConfig

OF_TRAINING = {entry.name: entry.metadata["choices"] for entry in fields(TrainingConfig)}


@pytest.mark.parametrize(
    ("shown", "known"),
    [
        (choices.VISUAL_ENCODERS, list_visual_encoders()),
        (choices.AUDIO_ENCODERS, list_audio_encoders()),
        (choices.SAMPLINGS, SAMPLINGS),
        (choices.PRECISIONS, ("auto", *get_args(Precision))),
        (choices.RUNTIMES, RUNTIMES),
        (choices.MODELS, list_models()),
        (choices.SUPERVISIONS, SUPERVISIONS),
        (choices.SUPERVISIONS, OF_TRAINING["supervision"]),
        (choices.WEAK_LABELS, OF_TRAINING["weak_labels"]),
        (choices.SELECTIONS, OF_TRAINING["select"]),
        (choices.SPLITS, SPLITS),
        (choices.DECODERS, DECODERS),
        (choices.MODALITIES, MODALITIES),
        (choices.EXPORT_FORMATS, formats()),
        (choices.TABLES, [path.name for path in recipe_folder().iterdir() if path.is_dir()]),
    ],
)
def test_what_is_shown_is_what_the_library_knows(
    shown: Collection[str], known: Collection[str]
) -> None:
    assert len(shown) == len(set(shown))
    assert set(shown) == set(known)


def test_made_clips_are_those_of_recipes() -> None:
    for name in choices.CLIP_SOURCES:
        assert (recipe_folder() / f"{name}.toml").is_file()


NAMES = {
    ("extract", "--visual"): choices.VISUAL_ENCODERS,
    ("extract", "--audio"): choices.AUDIO_ENCODERS,
    ("extract", "--sampling"): choices.SAMPLINGS,
    ("extract", "--precision"): choices.PRECISIONS,
    ("extract", "--runtime"): choices.RUNTIMES,
    ("extract", "--overwrite"): OVERWRITE,
    ("train", "--model"): choices.MODELS,
    ("train", "--supervision"): choices.SUPERVISIONS,
    ("train", "--weak-labels"): choices.WEAK_LABELS,
    ("train", "--select"): choices.SELECTIONS,
    ("eval", "--split"): choices.SPLITS,
    ("eval", "--decode"): choices.DECODERS,
    ("eval", "--without"): choices.MODALITIES,
    ("eval", "--format"): ("table", "json", "csv"),
    ("localize", "--format"): choices.EXPORT_FORMATS,
    ("localize", "--overwrite"): OVERWRITE,
    ("inspect", "--format"): ("table", "json"),
    ("bench", "--visual"): choices.VISUAL_ENCODERS,
    ("bench", "--runtime"): choices.RUNTIMES,
    ("bench", "--format"): ("table", "json"),
}


def help_of(avloc: Shell, command: str, option: str) -> str:
    """Return what a command's help says of an option, words apart by one blank."""
    shown = " ".join(avloc(command, "--help").out.split()).replace("- ", "-")
    return shown.partition(f" {option} ")[2].partition(" --")[0]


@pytest.mark.parametrize(("command", "option"), NAMES)
def test_help_shows_the_names(avloc: Shell, command: str, option: str) -> None:
    said = help_of(avloc, command, option)
    assert [name for name in NAMES[command, option] if name not in said] == []


@pytest.mark.parametrize(("command", "option"), NAMES)
def test_a_misspelt_name_is_refused_before_anything_is_loaded(
    avloc: Shell, command: str, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    name = NAMES[command, option][-1]
    subject = {"extract": ["x.mp4"], "localize": ["x.mp4"], "inspect": ["x.h5"]}.get(command, [])
    ended = avloc(command, *subject, option, f"{name}x")
    assert ended.code == 2
    assert ended.out == ""
    assert ended.err.startswith("error: ")
    assert ended.err.count("\n") == 1
    assert f"'{name}x'" in ended.err
    assert f"Did you mean '{name}'?" in ended.err
    assert list(tmp_path.iterdir()) == []


def test_no_choice_is_left_out_of_these_tests() -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    with_names = {
        (name, option.opts[-1])
        for name, command in commands.items()
        for option in command.params
        if option.metavar and "|" in option.metavar
    }
    open_ended = {"--device", "--on", "--supervision"}  # they take other texts as well
    tested_elsewhere = {("bench", "--audio"), ("bench", "--precision")}  # declared once for both
    missing = {pair for pair in with_names if pair[1] not in open_ended} - set(NAMES)
    assert missing == tested_elsewhere


def test_help_says_what_stale_is(avloc: Shell) -> None:
    for command in ("extract", "localize"):
        said = help_of(avloc, command, "--overwrite")
        assert "stale: those made from another video" in said


def test_help_offers_nothing_that_is_refused(avloc: Shell) -> None:
    assert avloc("reproduce", "both").code == 2
    assert avloc("reproduce", "table1", "--supervision", "both").code == 2
    shown = avloc("reproduce", "--help").out
    assert "or both." not in shown
    assert "table1, table2" in " ".join(shown.split())
    assert "full|weak|full,weak" in shown


def test_help_shows_kinds_of_values_as_words(avloc: Shell) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    for command in commands:
        shown = avloc(command, "--help").out
        for odd in ("<", "{", "list[", "default: (", "x>=", "x<="):
            assert odd not in shown, (command, odd)
    shown = avloc("localize", "--help").out
    assert "Usage: avloc localize [OPTIONS] VIDEOS..." in shown
    assert "--out PATH" in shown
    assert "--min-gap X" in shown


def test_help_of_a_command_stays_light() -> None:
    import subprocess

    heavy = "torch", "numpy", "av", "h5py"
    for command in ("extract", "train", "localize", "synth"):
        code = (
            f"import sys; sys.argv = ['avloc', '{command}', '--help']\n"
            "from avloc.cli import main\n"
            "try: main()\n"
            f"except SystemExit: print(*set(sys.modules) & set({heavy!r}), 'end')"
        )
        ended = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        assert ended.stdout.splitlines()[-1] == "end", command
