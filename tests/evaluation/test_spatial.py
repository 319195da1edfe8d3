"""Maps against boxes."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import auc

from avloc.errors import UsageError
from avloc.evaluation.spatial import boxes_mask, centre_map, iou, region, spatial_metrics, upsampled

SIZE = (80, 60)


def block(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """A map that is 1 in a box and 0 elsewhere."""
    return boxes_mask([(x0, y0, x1, y1)], SIZE).astype(float)


def test_a_map_that_is_its_box_is_right_by_every_measure():
    box = (0.25, 0.5, 0.75, 1.0)
    metrics = spatial_metrics([block(*box)], [[box]], size=SIZE)
    assert (metrics.pointing, metrics.ciou, metrics.mean_iou) == (1.0, 1.0, 1.0)
    assert metrics.auc == pytest.approx(1.0)


def test_known_overlaps():
    box = (0.0, 0.0, 0.5, 0.5)
    maps = [block(0.0, 0.0, 0.5, 0.25), block(0.5, 0.5, 1.0, 1.0), block(0.0, 0.0, 0.5, 0.2)]
    metrics = spatial_metrics(maps, [[box]] * 3, size=SIZE)
    assert metrics.ciou == pytest.approx(1 / 3)  # 0.5, 0 and 0.4
    assert metrics.pointing == pytest.approx(2 / 3)
    assert metrics.mean_iou == pytest.approx((0.5 + 0 + 0.4) / 3)
    assert metrics.auc == pytest.approx(metrics.mean_iou, abs=0.01)


def test_the_published_area_has_21_thresholds():
    """As in the field's code: the share at 0, 0.05, ..., 1, and scikit-learn's area."""
    size = (8, 61)  # no overlap is a multiple of 0.05, where 0.05 * 3 is more than 0.15
    widths = np.random.default_rng(0).integers(1, 61, 30)
    maps = [boxes_mask([(0, 0, width / 61, 1)], size).astype(float) for width in widths]
    metrics = spatial_metrics(maps, [[(0.0, 0.0, 1.0, 1.0)]] * 30, size=size)
    ious = widths / 61
    required = [0.05 * k for k in range(21)]
    shares = [np.sum(ious >= least) / len(ious) for least in required]
    assert metrics.auc_published == pytest.approx(auc(required, shares))
    assert metrics.auc_published != pytest.approx(metrics.auc)


def test_any_of_several_boxes_will_do():
    boxes = [(0.0, 0.0, 0.25, 0.25), (0.5, 0.5, 1.0, 1.0)]
    assert spatial_metrics([block(*boxes[1])], [boxes], size=SIZE).pointing == 1.0


def test_the_half_rule_and_the_median_rule():
    ramp = np.linspace(0, 1, 101)[None]
    assert region(ramp, "half").sum() == 51
    assert region(ramp**4, "half").sum() == 16  # 0.5 ** (1/4) = 0.841
    assert region(ramp**4, "median").sum() == 50
    with pytest.raises(UsageError, match="third"):
        region(ramp, "third")


def test_the_centre_baseline():
    mask = region(upsampled(centre_map(), (224, 224)))
    radius = np.sqrt(2) / 4
    assert mask.mean() == pytest.approx(np.pi * radius**2, abs=0.01)
    around, corner = (0.3, 0.3, 0.7, 0.7), (0.0, 0.0, 0.2, 0.2)
    metrics = spatial_metrics([centre_map()] * 2, [[around], [corner]])
    assert metrics.pointing == 0.5


def test_upsampling_keeps_place_and_orientation():
    one = np.zeros((7, 7))
    one[1, 5] = 1
    big = upsampled(one, (140, 70))
    y, x = np.unravel_index(big.argmax(), big.shape)
    assert (y // 20, x // 10) == (1, 5)
    np.testing.assert_allclose(upsampled(np.full((7, 7), 0.3), (10, 20)), 0.3, rtol=1e-6)


def test_iou_of_nothing_is_zero():
    assert iou(np.zeros((2, 2), bool), np.zeros((2, 2), bool)) == 0.0


def test_maps_and_boxes_must_pair():
    with pytest.raises(UsageError):
        spatial_metrics([], [])
    with pytest.raises(UsageError):
        spatial_metrics([centre_map()], [[]])
