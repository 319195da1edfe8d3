"""Sharding, runtimes and the benchmark, as commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import Shell
from workspaces import SmallWorkspace

SMALL = ("--visual", "efficientnet-lite0", "--audio", "logmel")


def test_shards_list_every_video_once(
    avloc: Shell, small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    listed: list[str] = []
    for shard in ("1/3", "2/3", "3/3"):
        ended = avloc("extract", small_workspace.data, "--dry-run", "--shard", shard)
        assert ended.code == 0
        listed += [line.split("\t")[0] for line in ended.out.splitlines()]
    assert sorted(listed) == sorted(clip.stem for clip in small_workspace.clips)


def test_a_task_of_a_slurm_array_says_which_part_it_does(
    avloc: Shell, small_workspace: SmallWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("ID", "2"), ("COUNT", "3"), ("MIN", "1")):
        monkeypatch.setenv(f"SLURM_ARRAY_TASK_{name}", value)
    mine = avloc("extract", small_workspace.data, "--dry-run", "--shard", "auto")
    assert mine.err.startswith("part 2/3 of the videos\n")
    by_hand = avloc("extract", small_workspace.data, "--dry-run", "--shard", "2/3")
    assert mine.out == by_hand.out != ""


def test_two_shards_fill_one_workspace(
    avloc: Shell, small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    for clip in small_workspace.clips[:4]:
        (folder / clip.name).symlink_to(clip)
    said = []
    for shard in ("2/2", "1/2", "1/2"):
        to = ("--artifacts", tmp_path / "a", "--fps", 1, "--shard", shard, "--workers", 0)
        said.append(avloc("extract", folder, *SMALL, *to).err.split(";")[0])
    done = [int(line.split()[0]) for line in said]
    assert sum(done) == 4
    assert done[2] == 0
    files = {path.stem for path in (tmp_path / "a/features/videos").glob("*.h5")}
    assert files == {clip.stem for clip in small_workspace.clips[:4]}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--shard", "3/2"), "how many: 1/4"),
        (("--shard", "half"), "how many: 1/4"),
        (("--runtime", "tensorrt"), "onnx"),
    ],
)
def test_invalid_values_are_usage_errors(
    avloc: Shell, small_workspace: SmallWorkspace, options: tuple[str, str], message: str
) -> None:
    ended = avloc("extract", small_workspace.data, *SMALL, *options)
    assert ended.code == 2
    assert message in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.slow
def test_bench_writes_numbers(
    avloc: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("avloc.stages.bench_extraction._NETWORK_SECONDS", 0.5)
    made = ("--clips", 2, "--size", "96x64", "--rounds", 1, "--scratch", tmp_path / "new")
    ended = avloc("bench", *SMALL, *made, "--workers", 0, "--json")
    assert ended.code == 0, ended.err
    numbers = json.loads(ended.out)
    assert numbers["n_frames"] == 160
    assert numbers["n_clips"] == 2
    assert 0 < numbers["ratio"][0] < 1.5
    assert "cores" in numbers["machine"]
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [
        "clips"
    ]  # stores are gone
