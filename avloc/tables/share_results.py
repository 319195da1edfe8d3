"""The results of the study of inconsistency: accuracy by share, and paired differences."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import Comparison, Predictions
from avloc.datasets import SegmentSenses, find_boxes, find_senses
from avloc.datasets.senses import is_inconsistent
from avloc.errors import DatasetError
from avloc.evaluation.paired import PairedDifference, paired_difference
from avloc.tables.comparing import compare
from avloc.tables.inconsistency import INCONSISTENCY, ShareData
from avloc.tables.plan import PlannedRun
from avloc.tables.runs import finished

SECONDS = {"segment_accuracy": "all seconds", "inconsistent_accuracy": "inconsistent seconds alone"}
"""The accuracies, by the names of their metrics, and the seconds that each counts."""

_Marks = NDArray[np.bool_]
_BySeed = Mapping[int, _Marks]  # (R, T) the right segments of a model


@dataclass(frozen=True)
class ShareResult:
    """The models on one share.

    ``differences`` has by metric the accuracy of each row minus that of the first; None for the
    first, and where runs are missing or no such seconds exist.
    """

    share: float  # of the test seconds, as measured
    comparison: Comparison
    differences: Mapping[str, tuple[PairedDifference | None, ...]]


def result_of(share: ShareData, runs: Sequence[PlannedRun]) -> ShareResult:
    """Compare the finished runs of a share."""
    senses = find_senses(share.dataset.root)
    if senses is None:
        raise DatasetError("there is no senses.json", share.dataset.root, hint="Make it again.")
    comparison = compare(
        f"{INCONSISTENCY}, {share.percent:g} % of seconds",
        runs,
        share.folder,
        share.store,
        share.dataset,
        find_boxes(share.dataset.root),
    )
    rights: list[dict[int, _Marks]] = [{} for _ in comparison.titles]
    last: Predictions | None = None
    for run in runs:
        predictions = finished(run, share.folder)
        if predictions is not None:
            right = predictions.class_scores.argmax(axis=-1) == predictions.targets
            rights[comparison.titles.index(run.row.title)][run.training.seed] = right
            last = predictions
    counted = _counted(last, senses)
    accuracy = np.full((len(rights), len(comparison.seeds)), math.nan)
    for row, right_of in zip(accuracy, rights, strict=True):
        for index, seed in enumerate(comparison.seeds.tolist()):
            if seed in right_of and counted["inconsistent_accuracy"].any():
                row[index] = right_of[seed][counted["inconsistent_accuracy"]].mean()
    return ShareResult(
        share=_share(counted),
        comparison=replace(
            comparison, metrics={**comparison.metrics, "inconsistent_accuracy": accuracy}
        ),
        differences={
            metric: tuple(
                None
                if last is None or right_of is rights[0]
                else _difference(right_of, rights[0], marks, last.video_ids)
                for right_of in rights
            )
            for metric, marks in counted.items()
        },
    )


def _counted(predictions: Predictions | None, senses: SegmentSenses) -> dict[str, _Marks]:
    """Return (R, T) by metric: the segments that it counts."""
    if predictions is None:
        return {metric: np.zeros((0, 0), dtype=bool) for metric in SECONDS}
    n_segments = predictions.scored.shape[1]
    marks = [is_inconsistent(senses[name], n_segments) for name in predictions.video_ids]
    scored = predictions.scored
    return dict(zip(SECONDS, (scored, scored & np.array(marks)), strict=True))


def _share(counted: Mapping[str, _Marks]) -> float:
    n_all, n_inconsistent = (int(counted[metric].sum()) for metric in SECONDS)
    return n_inconsistent / n_all if n_all else math.nan


def _difference(
    right: _BySeed, others: _BySeed, counted: _Marks, video_ids: Sequence[str]
) -> PairedDifference | None:
    """Compare two models by the accuracy in the counted segments, over the seeds that both have."""
    seeds = sorted(set(right) & set(others))
    if not seeds:
        return None
    n_counted = counted.sum(axis=1)
    values, other_values = (
        np.array([(of[seed] & counted).sum(axis=1) / np.maximum(n_counted, 1) for seed in seeds])
        for of in (right, others)
    )
    return paired_difference(values, other_values, video_ids, n_counted)
