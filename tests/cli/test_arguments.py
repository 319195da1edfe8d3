"""What the command line does with its arguments before a command runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from dataclasses import fields
from pathlib import Path

import pytest
from commands import Shell
from workspaces import SmallWorkspace

from avloc.cli.app import after_interruption, traceback_first
from avloc.datasets import SynthesisConfig
from avloc.models import list_models, model_class
from avloc.training import TrainingConfig


@pytest.mark.parametrize(
    ("given", "arranged"),
    [
        (["inspect", "x", "--traceback"], ["--traceback", "inspect", "x"]),
        (["--traceback", "inspect", "x"], ["--traceback", "inspect", "x"]),
        (["inspect", "x"], ["inspect", "x"]),
        (["inspect", "--", "--traceback"], ["inspect", "--", "--traceback"]),
        (["a", "--traceback", "b", "--traceback"], ["--traceback", "a", "b"]),
    ],
)
def test_traceback_goes_before_the_command(given: list[str], arranged: list[str]) -> None:
    assert traceback_first(given) == arranged


def test_traceback_is_shown_wherever_it_is_asked_for(avloc: Shell, tmp_path: Path) -> None:
    gone = tmp_path / "gone.h5"
    assert "Traceback" not in avloc("inspect", gone).err
    assert "Traceback" in avloc("inspect", gone, "--traceback").err


@pytest.mark.parametrize("value", ["-events.csv", "-m.h5"])
def test_the_value_of_an_option_may_begin_with_a_dash(
    avloc: Shell, value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.mp4").touch()
    ended = avloc("localize", "x.mp4", "--model", value)
    assert "read as options" not in ended.err
    assert value in ended.err
    assert avloc("localize", "--heatmap", "-x.mp4").code == 2
    assert "read as options" in avloc("localize", "--heatmap", "-x.mp4").err


def test_after_an_interruption_each_command_says_how_to_go_on() -> None:
    assert "--resume" in after_interruption(["train", "--epochs", "3"])
    for command in ("localize", "extract", "reproduce"):
        said = after_interruption(["--traceback", command, "x"])
        assert "run the same command again" in said
        assert "--resume" not in said
    assert after_interruption(["inspect", "x.h5"]) == "interrupted"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGINT"), reason="there is no SIGINT")
def test_ctrl_c_in_localize_does_not_speak_of_train(
    tmp_path: Path, small_workspace: SmallWorkspace
) -> None:
    place = ["--artifacts", small_workspace.artifacts, "--out", tmp_path, "--heatmap"]
    command = [sys.executable, "-m", "avloc", "localize", small_workspace.data / "AVE", *place]
    running = subprocess.Popen(list(map(str, command)), stderr=subprocess.PIPE, text=True)
    while not list(tmp_path.glob("[!.]*.h5")):
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, said = running.communicate()
    assert running.returncode == 130
    assert said.splitlines()[-1].startswith("interrupted: what was finished is kept")
    assert "train" not in said.splitlines()[-1]


def test_settings_of_training_are_listed(avloc: Shell) -> None:
    ended = avloc("train", "--settings")
    assert ended.code == 0
    lines = ended.out.splitlines()
    kinds = [TrainingConfig, *(model_class(name).Config for name in list_models())]
    for kind in kinds:
        for entry in fields(kind):
            is_listed = any(line.startswith(f"│ {entry.name} ") for line in lines)
            assert is_listed == (
                entry.name not in ("visual_channels", "audio_channels", "n_classes", "independent")
            )
    assert any("learning_rate" in line and "0.001" in line for line in lines)
    assert any("pooling" in line and "auto, count, mean, max, topk" in line for line in lines)
    assert any("hold_out" in line and "0.01 to 0.9" in line for line in lines)
    assert avloc("reproduce", "--settings").out == ended.out


def test_settings_of_made_clips_are_listed(avloc: Shell) -> None:
    ended = avloc("synth", "--settings")
    assert ended.code == 0
    listed = [line.split()[1] for line in ended.out.splitlines() if line.startswith("│")]
    assert [entry.name for entry in fields(SynthesisConfig) if entry.name != "media"] == listed


def test_a_setting_without_a_value_says_where_the_names_are(avloc: Shell, tmp_path: Path) -> None:
    for command in (("train",), ("synth", tmp_path / "data")):
        ended = avloc(*command, "--set", "help")
        assert ended.code == 2
        assert "'help' is not KEY=VALUE" in ended.err
        assert "--settings lists the names" in ended.err


def test_json_is_a_format_of_every_command_that_prints_data(
    avloc: Shell, small_workspace: SmallWorkspace
) -> None:
    model = small_workspace.artifacts / "models" / "cman.h5"
    shown = avloc("inspect", model, "--format", "json")
    assert json.loads(shown.out)["kind"] == "model"
    assert avloc("inspect", model, "--json").out == shown.out  # as it was called before
    for command in ("inspect", "bench", "eval"):
        said = avloc(command, "--help").out
        assert "--json" not in said
        assert "--format table|json" in said
