"""Tables say what the evaluation says, the trivial line and a leak included."""

from __future__ import annotations

import numpy as np

from avloc.artifacts import Predictions
from avloc.evaluation import measure
from avloc.labels import LabelSet
from avloc.results import accuracy_table, class_table, percent


def predictions_of(winners: list[list[int]], targets: list[list[int]]) -> Predictions:
    return Predictions(
        scores=np.eye(3, dtype=np.float32)[winners],
        targets=np.array(targets),
        video_ids=("a", "b"),
        rows=np.arange(2),
        labels=LabelSet(("bark", "bell")),
        split="test",
        model="cman",
        fingerprint="f00d",
    )


# video a: 3 of 4 segments right; video b: 1 of 4; 7 of 8 segments are events
HAND_MADE = predictions_of([[0, 0, 2, 2], [1, 2, 2, 2]], [[0, 0, 0, 2], [1, 1, 0, 0]])


def test_accuracy_stands_beside_the_trivial_line() -> None:
    table = accuracy_table([("ours", measure(HAND_MADE))])
    (ours, trivial) = table.rows
    assert ours[:2] == ("ours", "50.0%")
    assert trivial[1] == "87.5%"
    assert "8 segments of 2 videos" in table.caption
    assert "Without" not in table.caption


def test_leak_between_training_and_test_is_told() -> None:
    table = accuracy_table([("ours", measure(HAND_MADE, training_videos=["b"]))])
    assert table.caption.endswith("Without the 1 rows whose video is also trained on: ours 75.0%.")


def test_every_class_has_its_row_background_last() -> None:
    table = class_table(measure(HAND_MADE))
    assert [row[0] for row in table.rows] == ["bark", "bell", "background"]
    assert [row[-1] for row in table.rows] == ["5", "2", "1"]


def test_what_cannot_be_given_is_a_dash() -> None:
    assert percent(None) == "-"
    assert percent(0.1234) == "12.3%"
