"""The names that options show are the names that the library knows; another is refused at once."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import get_args

import pytest
import typer.main
from commands import Shell

from avloc.cli.app import app
from avloc.datasets import SPLITS
from avloc.engine import ENGINES
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
from avloc.training import TrainingConfig

OF_TRAINING = {entry.name: entry.metadata["choices"] for entry in fields(TrainingConfig)}
TABLES = [path.name for path in recipe_folder().iterdir() if path.is_dir()]
NAMES = {
    ("extract", "--visual"): list_visual_encoders(),
    ("extract", "--audio"): list_audio_encoders(),
    ("extract", "--sampling"): SAMPLINGS,
    ("extract", "--precision"): ("auto", *get_args(Precision)),
    ("extract", "--runtime"): RUNTIMES,
    ("extract", "--overwrite"): OVERWRITE,
    ("extract", "--engine"): ENGINES,
    ("train", "--model"): list_models(),
    ("train", "--labels"): OF_TRAINING["labels"],
    ("train", "--supervision"): OF_TRAINING["supervision"],
    ("train", "--weak-labels"): OF_TRAINING["weak_labels"],
    ("train", "--select"): OF_TRAINING["select"],
    ("eval", "--split"): SPLITS,
    ("eval", "--decode"): DECODERS,
    ("eval", "--without"): MODALITIES,
    ("eval", "--format"): ("table", "json", "csv"),
    ("localize", "--format"): list(formats()),
    ("localize", "--overwrite"): OVERWRITE,
    ("localize", "--engine"): ENGINES,
    ("inspect", "--format"): ("table", "json"),
    ("bench", "--visual"): list_visual_encoders(),
    ("bench", "--runtime"): RUNTIMES,
    ("bench", "--format"): ("table", "json"),
    ("status", "--format"): ("table", "json"),
}


def test_tables_and_made_clips_are_those_of_recipes(avloc: Shell) -> None:
    shown = " ".join(avloc("reproduce", "--help").out.split())
    assert f"One of {', '.join(sorted(TABLES))}." in shown
    assert set(OF_TRAINING["supervision"]) == {"full", "weak"}
    assert "drawn|photos|FILE" in shown
    for name in ("drawn", "photos"):
        assert (recipe_folder() / f"{name}.toml").is_file()


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
    open_ended = {"--device", "--on", "--supervision", "--shard"}  # they take other texts as well
    tested_elsewhere = {("bench", "--precision")}  # declared once for both
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
        ended = avloc(command, "--help")
        assert ended.code == 0
        shown = ended.out
        assert f"Usage: avloc {command}" in shown
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
