"""Two runs of ``localize`` over one folder share its videos."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from workspaces import SmallWorkspace

import avloc
from avloc.artifacts import claim

pytestmark = pytest.mark.slow


@pytest.fixture
def videos(small_workspace: SmallWorkspace, tmp_path: Path) -> list[Path]:
    """Four videos in a folder of their own."""
    folder = tmp_path / "videos"
    folder.mkdir()
    return [Path(shutil.copy(clip, folder / clip.name)) for clip in small_workspace.clips[:4]]


def begin(small_workspace: SmallWorkspace, folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "avloc", "localize", folder]
    command += ["--artifacts", small_workspace.artifacts]
    return subprocess.Popen([*map(str, command)], stderr=subprocess.PIPE, text=True)


def names_after(word: str, talk: str) -> list[str]:
    lines = [line for line in talk.splitlines() if line.startswith(word)]
    return [Path(line.removeprefix(word)).name.removesuffix(".avloc.h5") for line in lines]


def test_a_video_that_another_run_works_on_comes_last_and_is_not_made_twice(
    small_workspace: SmallWorkspace, videos: list[Path]
) -> None:
    first, *others = videos
    answer = first.with_name(f"{first.stem}.avloc.h5")
    avloc.localize(first, artifacts=small_workspace.artifacts)
    made = answer.read_bytes()
    answer.unlink()
    with claim(answer) as is_mine:
        assert is_mine
        running = begin(small_workspace, first.parent)
        awaited = [path.with_name(f"{path.stem}.avloc.h5") for path in others]
        while not all(path.exists() for path in awaited):
            assert running.poll() is None
            time.sleep(0.1)
        assert not answer.exists()
        answer.write_bytes(made)
    _, talk = running.communicate()
    assert running.returncode == 0, talk
    assert names_after("already there: ", talk) == [first.stem]
    assert names_after("wrote ", talk) == [path.stem for path in others]
    assert not list(first.parent.glob(".avloc.*"))


def test_two_runs_at_once_make_each_answer_once(
    small_workspace: SmallWorkspace, videos: list[Path]
) -> None:
    folder = videos[0].parent
    runs = [begin(small_workspace, folder) for _ in range(2)]
    said = [running.communicate()[1] for running in runs]
    assert [running.returncode for running in runs] == [0, 0], said
    written = [name for talk in said for name in names_after("wrote ", talk)]
    assert sorted(written) == [path.stem for path in videos]
    for talk in said:
        both = names_after("wrote ", talk) + names_after("already there: ", talk)
        assert sorted(both) == [path.stem for path in videos]
