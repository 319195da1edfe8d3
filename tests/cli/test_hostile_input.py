"""A hostile file given to a command is one line and exit code 1, never a traceback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from commands import Shell
from made_up import features_of
from workspaces import SmallWorkspace
from xxhash import xxh3_128_hexdigest

from avloc.artifacts import write_features


def _seal(file: h5py.File, text: str) -> None:
    """Give a file another header, with the digest that belongs to it, as a forger would."""
    raw = text.encode()
    del file["header"]
    file.create_dataset("header", data=np.frombuffer(raw, np.uint8))
    stamps = [file.attrs[name] for name in ("schema", "avloc_version", "created")]
    file.attrs["digest"] = np.bytes_(xxh3_128_hexdigest(b"\n".join([*stamps, raw])))


def _replace(file: h5py.File, old: str, new: str) -> None:
    header = file["header"][:].tobytes().decode()
    assert old in header
    _seal(file, header.replace(old, new))


def _absurd_tensor(file: h5py.File) -> None:
    header = json.loads(file["header"][:].tobytes())
    name = next(iter(file["weights"]))
    del file["weights"][name]
    file["weights"].create_dataset(name, (10**12, 10**3), "f4", chunks=True)
    header["arrays"][f"weights/{name}"] |= {"dtype": "<f4", "shape": [10**12, 10**3]}
    _seal(file, json.dumps(header))


def _absurd_width(file: h5py.File) -> None:
    _replace(file, '"width": 256', '"width": 1000000')


def _linked_tensor(file: h5py.File) -> None:
    name = next(iter(file["weights"]))
    del file["weights"][name]
    file["weights"][name] = h5py.ExternalLink("/etc/passwd", "/")


def _deep_config(file: h5py.File) -> None:
    _replace(file, '"config": {', '"config": ' + "[" * 100_000)


def _odd_spec(file: h5py.File) -> None:
    _replace(file, '"fps": 1', '"fps": "\\u001b"')


def _absurd_rate(file: h5py.File) -> None:
    _replace(file, '"fps": 1', '"fps": 100000000')


def _numbers_for_labels(file: h5py.File) -> None:
    header = json.loads(file["header"][:].tobytes())
    header["labels"] = {"names": [1, 2, 3], "background": "background"}
    _seal(file, json.dumps(header))


def _window_without_end(file: h5py.File) -> None:
    _replace(file, '"n_segments": 10', '"n_segments": 1000000000000000000')


def _flipped_weight(file: h5py.File) -> None:
    tensor = file["weights"][next(iter(file["weights"]))]
    tensor[...] = -tensor[...]


HOSTILE = (
    _absurd_tensor,
    _absurd_width,
    _linked_tensor,
    _deep_config,
    _odd_spec,
    _absurd_rate,
    _numbers_for_labels,
    _window_without_end,
    _flipped_weight,
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
    before = path.read_bytes()
    with h5py.File(path, "r+") as file:
        change(file)
    assert path.read_bytes() != before
    commands = [("localize", clip, "--model", path, "--out", tmp_path / "out")]
    if change not in (_absurd_width, _flipped_weight):  # every word of these is well formed
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
        _replace(file, '"shape": [2, 2, 2, 3]', '"shape": [2, 10000, 10000, 10000]')
    ended = avloc("inspect", tmp_path / "clip.h5")
    assert (ended.code, ended.out) == (1, "")
    [line] = ended.err.splitlines()
    assert "visual declares 4000000000000 bytes, more than the file can hold" in line
