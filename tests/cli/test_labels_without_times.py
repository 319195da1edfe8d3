"""Labels of whole videos are enough to train, to be answered with times, and to be refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import Shell
from workspaces import SmallWorkspace

from avloc.datasets import load_dataset


@pytest.fixture
def workspace(small_workspace: SmallWorkspace, tmp_path: Path) -> SmallWorkspace:
    return small_workspace.with_artifacts_at(tmp_path / "artifacts")


def manifest(workspace: SmallWorkspace, path: Path, *timed: str) -> Path:
    """Write the labels of the data set; only ``timed`` splits have times."""
    lines = ["video,label,start,end,split"]
    for row in load_dataset(workspace.data).rows:
        times = (row.start, row.end) if row.split in timed else ("", "")
        lines.append(f"{row.video_id}.mp4,{row.label},{times[0]},{times[1]},{row.split}")
    path.write_text("\n".join(lines))
    return path


def test_from_labels_of_whole_videos_to_events_with_times(
    avloc: Shell, workspace: SmallWorkspace, tmp_path: Path
) -> None:
    place = ("--artifacts", workspace.artifacts)
    untimed = ("--dataset", manifest(workspace, tmp_path / "untimed.csv"))
    refused = avloc("train", *untimed, "--name", "untimed", *place)
    assert refused.code == 1
    assert "supervision=weak" in refused.err.splitlines()[-1]

    trained = avloc(
        *("train", *untimed, "--name", "untimed", "--supervision", "weak", *place),
        *("--epochs", 6, "--set", "learning_rate=3e-3"),
    )
    assert trained.code == 0, trained.err
    assert "val_error: " in trained.err
    assert "nan" not in trained.err
    assert "val_accuracy" not in trained.err  # nobody knows what is right in a segment

    refused = avloc("eval", "--model", "untimed", *untimed, *place)
    assert refused.code == 1
    assert "no video of test has labels with times" in refused.err.splitlines()[-1]
    assert not list((workspace.artifacts / "predictions").glob("untimed*"))

    timed = ("--dataset", manifest(workspace, tmp_path / "timed.csv", "test"))
    measured = avloc("eval", "--model", "untimed", *timed, *place, "--format", "json")
    assert measured.code == 0, measured.err
    numbers = json.loads(measured.out)
    assert numbers["selected_by"] == "agreement with weak labels"
    assert numbers["segment_accuracy"] > 0

    tests = [clip for clip in workspace.clips if clip.stem.startswith("test")]
    found = avloc(
        *("localize", *tests, "--model", "untimed", *place, "--format", "jsonl", "--out", "-")
    )
    assert found.code == 0, found.err
    events = [json.loads(line) for line in found.out.splitlines()]
    assert events
    labels = {row.label for row in load_dataset(workspace.data).rows}
    for event in events:
        assert event["label"] in labels
        assert 0 <= event["start"] < event["end"] <= 10
