"""``avloc calibrate``: only thresholds change, and only where there is an example."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from workspaces import SmallWorkspace

import avloc
from avloc.artifacts import read_model
from avloc.datasets.targets import Targets
from avloc.errors import ArtifactError, DatasetError
from avloc.stages.calibrate import _Answer, _sense_thresholds


@pytest.fixture
def workspace(small_workspace: SmallWorkspace, tmp_path: Path) -> SmallWorkspace:
    return small_workspace.with_artifacts_at(tmp_path / "artifacts")


def write_manifest(path: Path, lines: list[str]) -> Path:
    path.write_text("\n".join(["video,label,start,end,split", *lines]) + "\n")
    return path


def test_only_the_thresholds_of_labels_with_examples_change(
    workspace: SmallWorkspace, tmp_path: Path
) -> None:
    path = workspace.artifacts / "models/cman.h5"
    old = read_model(path)
    label = old.labels.names[1]
    # whatever the model says, the label is everywhere: a threshold below all its scores is right
    lines = [f"{clip},{label},0,10,train" for clip in workspace.clips[:3]]
    manifest = write_manifest(tmp_path / "corrected.csv", [*lines, f"{workspace.clips[3]},,,,"])
    done = avloc.calibrate(manifest, model="cman", artifacts=workspace.artifacts, name="mine")
    new = read_model(done.path)
    assert done.path == workspace.artifacts / "models/mine.h5"
    assert [n for n in range(3) if new.thresholds[n] != old.thresholds[n]] in ([], [1])
    assert done.thresholds[label].n_segments == 30
    assert done.thresholds[label].f1_after >= done.thresholds[label].f1_before
    assert all(np.array_equal(new.weights[name], w) for name, w in old.weights.items())
    assert new.data["n_calibration_videos"] == 4
    thresholds = {"thresholds": (), "data": {}}
    assert replace(new, **thresholds, weights={}) == replace(old, **thresholds, weights={})
    assert done.few == ()


def test_it_replaces_the_model_and_localize_uses_it(
    workspace: SmallWorkspace, tmp_path: Path
) -> None:
    clip = workspace.clips[0]
    before = avloc.localize(clip, artifacts=workspace.artifacts, out=tmp_path / "out")[0]
    assert before.timeline is not None
    scores, names = before.timeline.scores, before.timeline.labels.names
    best = int(scores.sum(axis=0).argmax())
    manifest = write_manifest(
        tmp_path / "m.csv", [f"{clip},{names[best]},0,10,", f"{clip},no such thing,0,2,"]
    )
    done = avloc.calibrate(manifest, model="cman", artifacts=workspace.artifacts)
    assert done.path == workspace.artifacts / "models/cman.h5"
    assert done.unknown == ("no such thing",)
    assert done.few == (names[best],)
    after = avloc.localize(clip, artifacts=workspace.artifacts, out=tmp_path / "out")[0]
    assert after.timeline is not None
    assert np.array_equal(after.timeline.scores, scores)
    is_changed = done.thresholds[names[best]].before != done.thresholds[names[best]].after
    assert bool(after.written) == is_changed  # an answer with other thresholds is made again


def test_senses_need_twenty_segments_with_and_without() -> None:
    from avloc.labels import LabelSet
    from avloc.timeline import Grid, Timeline

    n = 40
    labels = LabelSet(("bark",), kind="independent")
    heard = np.where(np.arange(n) < 20, 0.3, 0.1).astype(np.float32)[:, None]
    truth = Targets.empty(n, 1)
    truth.events[:] = True
    truth.heard[:20] = True
    truth.seen[:] = True
    timeline = Timeline("v", labels, Grid(n), heard, (), heard=heard, seen=heard)
    after = _sense_thresholds([_Answer(timeline, truth)], ())
    assert after == (pytest.approx(0.2), 1.0)  # half way; nothing is not seen, so 1.0 is kept
    truth.scored[0] = False  # 19 with
    assert _sense_thresholds([_Answer(timeline, truth)], (0.4, 0.6)) == (0.4, 0.6)


@pytest.mark.parametrize(
    ("lines", "kind", "words"),
    [
        (["{clip},no such thing,0,2,train"], DatasetError, "knows none of its labels"),
        (["gone.mp4,{label},0,2,train"], DatasetError, "no video outside the split test"),
        (["{clip},{label},0,2,test"], DatasetError, "no video outside the split test"),
        (["{clip},{label},,,train"], DatasetError, "an event with times"),
        (["broken.mp4,{label},0,2,train"], DatasetError, "no video can be read"),
    ],
)
def test_data_without_an_example_are_refused(
    workspace: SmallWorkspace,
    tmp_path: Path,
    lines: list[str],
    kind: type[Exception],
    words: str,
) -> None:
    path = workspace.artifacts / "models/cman.h5"
    content, label = path.read_bytes(), read_model(path).labels.names[0]
    (tmp_path / "broken.mp4").write_bytes(b"not a video")
    filled = [line.format(clip=workspace.clips[0], label=label) for line in lines]
    manifest = write_manifest(tmp_path / "m.csv", filled)
    with pytest.raises(kind, match=words):
        avloc.calibrate(manifest, model="cman", artifacts=workspace.artifacts)
    assert path.read_bytes() == content


def test_a_model_that_is_missing_is_named(workspace: SmallWorkspace, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="there is no model"):
        avloc.calibrate(workspace.data, model="none", artifacts=workspace.artifacts)
