"""A split's attention against its boxes: which maps meet which boxes, and by which rule."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avloc.artifacts import Predictions
from avloc.errors import UsageError
from avloc.evaluation.spatial import has_boxes, measure_spatial
from avloc.labels import LabelSet
from avloc.tables.numbers import spatial_table

LEFT, RIGHT = (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0)
TO_LEFT, TO_RIGHT = [[1.0, 0.0]], [[0.0, 1.0]]


def predictions_of(maps: list, targets: list, ids: tuple[str, ...], rows: list[int]) -> Predictions:
    shown = np.array(targets)
    return Predictions(
        scores=np.full((*shown.shape, 1), 0.5, dtype=np.float32),
        truth=shown[..., None] == [0],
        scored=shown >= 0,
        video_ids=ids,
        rows=np.array(rows),
        labels=LabelSet(("bell",)),
        split="test",
        model="cman",
        fingerprint="f",
        durations=np.full(len(targets), 4.0),
        attention=np.array(maps, dtype=np.float32),
    )


ONE = predictions_of([[TO_LEFT, TO_RIGHT, TO_LEFT]], [[0, 0, 1]], ("a",), [0])


def test_both_rules_beside_the_centre():
    found = measure_spatial(ONE, {"a": [[LEFT], [LEFT], []]})
    assert set(found) == {"half", "median"}
    for pair in found.values():
        assert pair.attention.n_maps == pair.centre.n_maps == 2
        assert pair.attention.pointing == 0.5  # the first into its box, the second not
        assert pair.attention.ciou == 0.5
        # IoU 1 and 0: the share is 1 where 0 is asked, else 1/2; trapezoids 0.01 wide
        assert pair.attention.auc == pytest.approx(0.01 * 0.75 + 0.99 * 0.5)
    # the centre's disc, half of it in the left box: (pi/16) / (1/2 + pi/16)
    half = found["half"].centre
    assert half.mean_iou == pytest.approx((np.pi / 16) / (0.5 + np.pi / 16), abs=0.01)
    assert half.ciou == 0
    # by the median the disc is half of the picture, a half of it in the box: 1/4 of 3/4
    assert found["median"].centre.mean_iou == pytest.approx(1 / 3, abs=0.01)


def test_tables_name_their_rule_and_have_the_centre_beneath():
    for rule, pair in measure_spatial(ONE, {"a": [[LEFT], [LEFT], []]}).items():
        table = spatial_table(pair.attention, pair.centre, rule)
        assert [row[0] for row in table.rows] == ["attention", "always the centre"]
        assert {"half": "maximum", "median": "median"}[rule] in table.caption
        assert table.rows[0][1:3] == ("50.0%", "50.0%")


def test_each_scored_segment_meets_its_own_box():
    # rows of five segments and of one, padded; a video without boxes is left out
    maps = [[TO_LEFT, TO_RIGHT, TO_LEFT, TO_RIGHT, TO_LEFT], [TO_RIGHT] * 5, [TO_LEFT] * 5]
    targets = [[0, 0, 0, 0, 0], [0, -1, -1, -1, -1], [0] * 5]
    videos = predictions_of(maps, targets, ("a", "b", "c"), [4, 7, 9])
    boxes = {"a": [[LEFT], [RIGHT], [LEFT], [RIGHT], [LEFT]], "b": [[RIGHT]] * 5}
    metrics = measure_spatial(videos, boxes)["half"].attention
    assert (metrics.n_maps, metrics.pointing) == (6, 1.0)


def test_two_rows_of_one_video_have_its_boxes_each():
    twice = predictions_of([[TO_LEFT], [TO_RIGHT]], [[0], [0]], ("a", "a"), [0, 1])
    found = measure_spatial(twice, {"a": [[LEFT]]})["half"].attention
    assert (found.n_maps, found.pointing) == (2, 0.5)


def test_no_attention_and_no_boxes():
    blind = replace(ONE, attention=None)
    assert has_boxes(ONE, {"a": [[LEFT]]})
    assert not has_boxes(ONE, {"b": [[LEFT]]})
    assert not has_boxes(blind, {"a": [[LEFT]]})
    with pytest.raises(UsageError, match="no spatial attention"):
        measure_spatial(blind, {"a": [[LEFT]]})
