"""A hostile file given to a command is one line and exit code 1, never a traceback."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from commands import Shell
from made_up import features_of
from workspaces import SmallWorkspace

from avloc.artifacts import write_features


def _absurd_tensor(file: h5py.File) -> None:
    name = next(iter(file["weights"]))
    del file["weights"][name]
    file["weights"].create_dataset(name, (10**12, 10**3), "f4", chunks=True)


def _absurd_width(file: h5py.File) -> None:
    file.attrs["config"] = file.attrs["config"].replace('"width": 256', '"width": 1000000')


def _linked_tensor(file: h5py.File) -> None:
    name = next(iter(file["weights"]))
    del file["weights"][name]
    file["weights"][name] = h5py.ExternalLink("/etc/passwd", "/")


def _deep_config(file: h5py.File) -> None:
    file.attrs["config"] = "[" * 100_000


def _odd_spec(file: h5py.File) -> None:
    file.attrs["feature_spec"] = file.attrs["feature_spec"].replace('"fps": 1', '"fps": "\\u001b"')


def _absurd_rate(file: h5py.File) -> None:
    file.attrs["feature_spec"] = file.attrs["feature_spec"].replace('"fps": 1', '"fps": 100000000')


def _numbers_for_labels(file: h5py.File) -> None:
    file.attrs["labels"] = '{"names": [1, 2, 3], "background": "background"}'


def _window_without_end(file: h5py.File) -> None:
    file.attrs["n_segments"] = 10**18


HOSTILE = (
    _absurd_tensor,
    _absurd_width,
    _linked_tensor,
    _deep_config,
    _odd_spec,
    _absurd_rate,
    _numbers_for_labels,
    _window_without_end,
)


@pytest.mark.parametrize("change", HOSTILE, ids=lambda change: change.__name__)
def test_hostile_model_is_one_line(
    avloc: Shell,
    tmp_path: Path,
    small_workspace: SmallWorkspace,
    change: Callable[[h5py.File], None],
) -> None:
    path, clip = tmp_path / "hostile.h5", small_workspace.clips[0]
    shutil.copy(small_workspace.artifacts / "models" / "cman.h5", path)
    with h5py.File(path, "r+") as file:
        before = dict(file.attrs)
        change(file)
        assert dict(file.attrs) != before or "tensor" in change.__name__
    commands = [("localize", clip, "--model", path, "--out", tmp_path / "out")]
    if change is not _absurd_width:  # every word of that file is well formed
        commands.append(("inspect", path))
    for command in commands:
        ended = avloc(*command)
        assert (ended.code, ended.out) == (1, "")
        [line] = ended.err.splitlines()
        assert line.startswith("error: ")
        assert "hostile.h5" in line or change is _absurd_width
        assert "Traceback" not in line
        assert "--traceback" not in line  # it would be a fault of avloc's own
    assert not (tmp_path / "out").exists()


def test_hostile_store_is_one_line(avloc: Shell, tmp_path: Path) -> None:
    (tmp_path / "store.json").write_text('{"schema": "avloc.features/1", "spec": [[[')
    ended = avloc("inspect", tmp_path)
    assert (ended.code, ended.out) == (1, "")
    [line] = ended.err.splitlines()
    assert "store.json is damaged" in line


def test_hostile_features_are_one_line(avloc: Shell, tmp_path: Path) -> None:
    write_features(tmp_path / "clip.h5", features_of("clip", np.ones((2, 2, 2, 3)), None))
    assert avloc("inspect", tmp_path / "clip.h5").code == 0
    with h5py.File(tmp_path / "clip.h5", "r+") as file:
        del file["visual"]
        file.create_dataset("visual", (2, 10**4, 10**4, 10**4), np.float16)
    ended = avloc("inspect", tmp_path / "clip.h5")
    assert (ended.code, ended.out) == (1, "")
    [line] = ended.err.splitlines()
    assert "visual declares 4000000000000 bytes, more than the file can hold" in line
