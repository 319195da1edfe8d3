"""``avloc train --model`` and the models that installed packages add."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import Shell
from plugin_packages import AVERAGE, install
from workspaces import SmallWorkspace

AVLOC = Path(sys.executable).with_name("avloc")


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of Python's path with a package that has a sound model and a broken one."""
    folder = tmp_path / "packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "odd_models", raising=False)
    models = {"average": "odd_models:Average", "broken": "odd_models_gone:Model"}
    install(folder, "odd-models", models, odd_models=AVERAGE)
    return folder


def test_completion_offers_them(packages: Path) -> None:
    ended = subprocess.run(
        [AVLOC],
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(packages), os.environ.get("PYTHONPATH", "")]),
            "_AVLOC_COMPLETE": "complete_bash",
            "COMP_WORDS": "avloc train --model av",
            "COMP_CWORD": "3",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.split() == ["avel", "average", "avsdn"]


@pytest.mark.usefixtures("packages")
def test_a_misspelt_name_is_refused_with_all_names(avloc: Shell) -> None:
    ended = avloc("train", "--model", "averag")
    assert ended.code == 2
    assert "Did you mean 'average'?" in ended.err
    assert "broken" in ended.err


@pytest.mark.usefixtures("packages")
def test_a_model_that_cannot_be_imported_is_named_in_a_line(
    avloc: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    ended = avloc("train", "--model", "broken")
    assert ended.code == 1
    assert ended.err.startswith("error: the model 'broken' of the package odd-models 1.0 cannot")
    assert ended.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.usefixtures("packages")
def test_settings_lists_the_others(avloc: Shell) -> None:
    ended = avloc("train", "--settings")
    assert ended.code == 0
    assert "The model average (--model average)" in ended.out
    assert "The model cman (--model cman)" in ended.out
    assert "(--model broken)" not in ended.out
    assert "left out: the model 'broken' of the package odd-models 1.0" in ended.err


@pytest.mark.usefixtures("packages")
def test_a_model_of_a_package_is_trained_measured_and_missed_when_it_is_gone(
    avloc: Shell, small_workspace: SmallWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = ("--artifacts", small_workspace.artifacts)
    assert avloc("train", "--model", "average", "--epochs", 2, *where).code == 0
    assert avloc("eval", "--model", "average", *where).code == 0
    shown = avloc("inspect", small_workspace.artifacts / "models" / "average.h5").out
    assert "odd-models 1.0" in shown
    monkeypatch.undo()
    out = tmp_path / "out"
    said = subprocess.run(
        [AVLOC, "localize", small_workspace.clips[0], "-o", out, "--model", "average", *where],
        env={**os.environ, "AVLOC_ARTIFACTS": "", "AVLOC_TRACEBACK": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode == 1
    assert "the package odd-models 1.0, which is not installed. Install odd-models" in said.stderr
    assert "Traceback" not in said.stderr
    assert not out.exists()
