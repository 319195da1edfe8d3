"""Attention maps (H, W) against boxes around the sources of sound.

Boxes are (x0, y0, x1, y1) in fractions of the picture, the origin at the top left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from avloc.artifacts import Predictions
from avloc.datasets import Box, SegmentBoxes
from avloc.errors import UsageError

Map = NDArray[np.floating]
Mask = NDArray[np.bool_]

RULES = ("half", "median")
"""How a map becomes a region: above half of its maximum, or above its median."""


@dataclass(frozen=True)
class SpatialMetrics:
    """How well maps find their boxes."""

    pointing: float  # share of maps whose greatest weight lies in a box (the pointing game)
    ciou: float  # share of maps whose region overlaps the boxes with IoU of at least 0.5
    auc: float  # area under that share as the required IoU goes from 0 to 1 in steps of 0.01
    auc_published: float  # the same in steps of 0.05, as the field's code has it
    mean_iou: float
    n_maps: int


@dataclass(frozen=True)
class SpatialPair:
    """A model's attention, and always pointing at the centre, by one rule."""

    attention: SpatialMetrics
    centre: SpatialMetrics


def spatial_metrics(
    maps: Sequence[Map],
    boxes: Sequence[Sequence[Box]],
    *,
    rule: str = "half",
    size: tuple[int, int] = (224, 224),
) -> SpatialMetrics:
    """Measure (H, W) maps, each against its boxes, at least one.

    Maps are up-sampled bilinearly to ``size``, (height, width), as for a heat map. ``rule`` is
    one of `RULES`.
    """
    if not maps or len(maps) != len(boxes) or not all(boxes):
        raise UsageError(f"{len(maps)} maps need as many lists of boxes, got {len(boxes)}")
    hits, ious = [], []
    for weights, around in zip(maps, boxes, strict=True):
        scaled, mask = upsampled(weights, size), boxes_mask(around, size)
        hits.append(bool(mask.flat[scaled.argmax()]))
        ious.append(iou(region(scaled, rule), mask))
    overlaps = np.array(ious)
    return SpatialMetrics(
        pointing=float(np.mean(hits)),
        ciou=float((overlaps >= 0.5).mean()),
        auc=_area(overlaps, 100),
        auc_published=_area(overlaps, 20),
        mean_iou=float(overlaps.mean()),
        n_maps=len(maps),
    )


def _area(overlaps: NDArray[np.floating], n_steps: int) -> float:
    """Return the area under the share of maps that reach an IoU, by the trapezoidal rule.

    20 steps: Senocak et al., Learning to localize sound source in visual scenes, CVPR 2018.
    """
    shares = [(overlaps >= step / n_steps).mean() for step in range(n_steps + 1)]
    return float(np.trapezoid(shares, dx=1 / n_steps))


def measure_attention(
    predictions: Predictions, boxes: SegmentBoxes, rule: str = "half"
) -> SpatialMetrics:
    """Measure a split's attention against the boxes in event segments."""
    if predictions.attention is None:
        raise UsageError("the model has no spatial attention to measure")
    return spatial_metrics(*_boxed(predictions, boxes), rule=rule)


def measure_centre(
    predictions: Predictions, boxes: SegmentBoxes, rule: str = "half"
) -> SpatialMetrics:
    """Measure always pointing at the centre, in the segments of `measure_attention`."""
    _, true_boxes = _boxed(predictions, boxes)
    return spatial_metrics([centre_map()] * len(true_boxes), true_boxes, rule=rule)


def measure_spatial(predictions: Predictions, boxes: SegmentBoxes) -> dict[str, SpatialPair]:
    """Measure attention and the centre by each of `RULES`; a UsageError without such a pair."""
    return {
        rule: SpatialPair(
            measure_attention(predictions, boxes, rule), measure_centre(predictions, boxes, rule)
        )
        for rule in RULES
    }


def has_boxes(predictions: Predictions, boxes: SegmentBoxes) -> bool:
    """Return whether there is anything to measure: attention where a segment has a box."""
    return bool(_boxed(predictions, boxes)[0])


def _boxed(predictions: Predictions, boxes: SegmentBoxes) -> tuple[list[Map], list[list[Box]]]:
    maps: list[Map] = []
    true_boxes: list[list[Box]] = []
    if predictions.attention is None:
        return maps, true_boxes
    rows = zip(predictions.attention, predictions.scored, predictions.video_ids, strict=True)
    for attention, scored, video_id in rows:
        for weights, around in zip(attention[scored], boxes.get(video_id, ()), strict=False):
            if around:
                maps.append(weights)
                true_boxes.append(list(around))
    return maps, true_boxes


def centre_map() -> Map:
    """Return the baseline that always points at the centre.

    It is a cone: 1 at the centre, falling linearly to 0 in the corners. Its region is the disc
    with a quarter of the diagonal for radius by the half rule, half the picture by the median.
    """
    offsets = (np.arange(57) + 0.5) / 57 - 0.5
    return np.asarray(1 - np.hypot(offsets[:, None], offsets) / np.hypot(0.5, 0.5))


def upsampled(weights: Map, size: tuple[int, int]) -> NDArray[np.float32]:
    """Return a map at a picture's (height, width), bilinearly, edges held."""
    tensor = torch.from_numpy(np.array(weights, dtype=np.float32))[None, None]
    return interpolate(tensor, size=size, mode="bilinear", align_corners=False)[0, 0].numpy()


def region(scaled: Map, rule: str = "half") -> Mask:
    """Return the region of a map by one of `RULES`."""
    if rule == "half":
        return np.asarray(scaled >= scaled.max() / 2)
    if rule == "median":
        return np.asarray(scaled > np.median(scaled))
    raise UsageError(f"no rule is called {rule!r}", f"There are: {', '.join(RULES)}.")


def boxes_mask(boxes: Sequence[Box], size: tuple[int, int]) -> Mask:
    """Return which pixels' centres lie in any of the boxes."""
    height, width = size
    y = ((np.arange(height) + 0.5) / height)[:, None]
    x = ((np.arange(width) + 0.5) / width)[None, :]
    inside = [(x >= x0) & (x < x1) & (y >= y0) & (y < y1) for x0, y0, x1, y1 in boxes]
    return np.asarray(np.any(inside, axis=0))


def iou(mask: Mask, truth: Mask) -> float:
    """Return the pixels in both masks over the pixels in either; 0 when both are empty."""
    either = np.count_nonzero(mask | truth)
    return float(np.count_nonzero(mask & truth) / either) if either else 0.0
