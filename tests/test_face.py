"""The Python face: light, complete, and what the README says works."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from made_media import make_media
from published_layout import publish
from workspaces import SmallWorkspace

import avloc

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def code_blocks(language: str) -> list[str]:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
    return [block for named, block in blocks if named == language]


def test_every_public_name_is_there_and_documented() -> None:
    for name in avloc.__all__:
        assert getattr(avloc, name).__doc__, name
    assert set(avloc.__all__) <= set(dir(avloc))


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="locallize"):
        _ = avloc.locallize  # type: ignore[attr-defined]


def test_errors_tree_is_as_its_docstring_draws_it() -> None:
    from avloc import errors

    assert errors.__doc__ is not None
    drawn = set(re.findall(r"\b(\w+Error)\b", errors.__doc__))
    defined = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.AvlocError)
    }
    assert defined == drawn


def test_errors_survive_the_way_between_processes() -> None:
    import pickle

    from avloc.errors import DatasetError, UnknownNameError

    for error in (
        DatasetError("is wrong", "a.csv", 3, "Mend it."),
        UnknownNameError("x", "y", "z"),
    ):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), copy.hint) == (type(error), str(error), error.hint)


def test_readmes_python_lines_work(
    small_workspace: SmallWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("artifacts").symlink_to(small_workspace.artifacts)
    Path("clip.mp4").symlink_to(small_workspace.clips[0])
    (lines,) = code_blocks("python")
    exec(compile(lines, "README.md", "exec"), {})
    assert Path("clip.csv").read_text().splitlines()[0].startswith(("start", "video"))


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_readmes_commands_work(small_workspace: SmallWorkspace, tmp_path: Path) -> None:
    """Run every ``avloc`` line of the README, as written but for encoders and sizes."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "AVE").symlink_to(small_workspace.data)
    (tmp_path / "clip.mp4").symlink_to(small_workspace.clips[0])
    (tmp_path / "clips").mkdir()
    for clip in small_workspace.clips[:2]:
        (tmp_path / "clips" / clip.name).symlink_to(clip)
    (tmp_path / "boxes.json").symlink_to(small_workspace.data / "boxes.json")
    publish(tmp_path / "data" / "AVE_features")
    media = make_media(tmp_path)
    media["pictures"].rename(tmp_path / "photographs")
    media["sounds"].rename(tmp_path / "recordings")
    lines = [
        line.partition("#")[0].strip()
        for block in code_blocks("")
        for line in block.splitlines()
        if line.startswith("avloc ")
    ]
    assert len(lines) >= 8
    small = "--visual efficientnet-lite0 --audio logmel"
    smaller = {
        "avloc extract": f"{small} --fps 1",
        "avloc train": "--epochs 2",
        "avloc reproduce": "--seeds 1 --supervision full --set epochs=1",
        "avloc bench": f"--clips 1 --size 96x64 --rounds 1 {small}",
        "avloc synth": "--train 2 --val 1 --test 1",
    }
    for line in lines:
        added = next((more for start, more in smaller.items() if line.startswith(start)), "")
        command = [sys.executable, "-m", *shlex.split(f"{line} {added}")]
        environment = {**os.environ, "AVLOC_ARTIFACTS": ""}
        run = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert run.returncode == 0, f"{line}\n{run.stderr}"
    assert (tmp_path / "clip.heatmap.mp4").stat().st_size > 1000
    assert (tmp_path / "results" / "clip.srt").exists()
    assert (tmp_path / "exported" / "visual_feature.h5").exists()
