"""OV-AVEBench: the lines without a model from the real annotation, and cases by hand."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from avloc.evaluation.ov_ave import clip_metrics, clip_values

BACKGROUND = 67


@pytest.fixture(scope="module")
def clips(real_data: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of the test split: (R, 10) targets, (R,) the clips' classes, (R,) whether they are seen."""
    folder = real_data / "annotations" / "ov-avel"
    if not folder.is_dir():
        pytest.skip(f"no annotation of OV-AVEBench at {folder}")
    with (folder / "ovave_dataset_meta.csv").open(newline="") as file:
        listed = list(csv.DictReader(file))
    seconds = json.loads((folder / "released_ovavel_dataset_anno.json").read_text())
    names = sorted({clip["cls_name"] for clip in listed})
    test = [clip for clip in listed if clip["split"] == "test"]
    classes = np.array([names.index(clip["cls_name"]) for clip in test])
    on = np.array([json.loads(seconds[clip["vid_name"]]["label"]) for clip in test], bool)
    is_seen = np.array([clip["cls_type"] == "close" for clip in test])
    return np.where(on, classes[:, None], BACKGROUND), classes, is_seen


def percentages(answer: np.ndarray, truth: np.ndarray, of: np.ndarray | None = None) -> list[float]:
    values = clip_values(answer, truth, np.ones(truth.shape, bool), BACKGROUND + 1)
    metrics = clip_metrics(values, of)
    of_all = (metrics.accuracy, metrics.segment_f1, metrics.event_f1)
    return [round(100 * value, 1) for value in of_all]


@pytest.mark.real
def test_the_lines_that_need_no_model(clips):
    truth, classes, is_seen = clips
    oracle = np.repeat(classes[:, None], truth.shape[1], axis=1)
    background = np.full_like(truth, BACKGROUND)
    assert len(truth) == 5820
    assert percentages(oracle, truth) == [61.5, 54.0, 50.1]
    assert percentages(background, truth) == [38.5, 33.5, 28.7]
    assert percentages(oracle, truth, is_seen) == [60.8, 54.0, 50.4]
    assert percentages(background, truth, ~is_seen) == [38.1, 33.2, 28.2]
    assert percentages(truth, truth) == [100.0] * 3


def test_a_clip_by_hand():
    """Two labels and background (2); the last second is not scored."""
    truth = np.array([[0, 0, 2, 2, 0]])
    answer = np.array([[0, 1, 1, 2, 1]])
    scored = np.array([[True, True, True, True, False]])
    values = clip_values(answer, truth, scored, 3)
    assert values["accuracy"][0] == pytest.approx(2 / 4)
    assert values["segment_f1"][0] == pytest.approx((2 / 3 + 0 + 2 / 3) / 3)
    # the runs of 0 and of background have an IoU of 1/2; label 1 is a false alarm
    assert values["event_f1"][0] == pytest.approx((1 + 0 + 1) / 3)


def test_no_clip_of_a_kind_has_no_metrics():
    values = clip_values(np.zeros((2, 3), int), np.zeros((2, 3), int), np.ones((2, 3), bool), 2)
    assert clip_metrics(values, np.zeros(2, bool)) is None
    assert clip_metrics(values).n_clips == 2
