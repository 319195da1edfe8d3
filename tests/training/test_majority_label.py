"""The most frequent label of training, which tables print as a baseline."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_up import made_up

from avloc.datasets import Row
from avloc.labels import LabelKind, LabelSet
from avloc.training.config import TrainingConfig
from avloc.training.splits import load_splits


def majority(folder: Path, kind: LabelKind, *rows: Row) -> str:
    world = made_up(folder, n_videos=4, splits=("train", "train", "train", "val"))
    dataset = replace(
        world.dataset,
        labels=LabelSet(("bell", "bark"), kind=kind),
        rows=(*rows, Row("video003", "bell", 0, 10, "val")),
        is_row_alone=False,
    )
    data = load_splits(world.store, dataset, TrainingConfig())
    return str(data.describe(dataset)["majority_label"])


def weak(video: int, label: str) -> Row:
    return Row(f"video{video:03d}", label, 0, 0, "train", is_whole_video=True)


def test_independent_labels_count_their_segments(tmp_path):
    rows = (Row("video000", "bell", 0, 10, "train"), Row("video000", "bark", 0, 4, "train"))
    assert majority(tmp_path / "a", "independent", *rows) == "bell"
    more = (*rows, Row("video001", "bark", 0, 7, "train"))
    assert majority(tmp_path / "b", "independent", *more) == "bark"


@pytest.mark.parametrize("kind", ["exclusive", "independent"])
def test_labels_of_whole_videos_count_videos(tmp_path, kind):
    rows = (weak(0, "bell"), weak(1, "bark"), weak(2, "bark"))
    assert majority(tmp_path, kind, *rows) == "bark"
