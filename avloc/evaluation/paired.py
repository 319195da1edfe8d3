"""Two models on the same videos: is the difference more than the choice of videos?

Whole videos are drawn again, with replacement, the same ones for both models. What makes a video
hard for both then cancels, so the interval is narrower than those of the models say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avloc.errors import UsageError

_N_RESAMPLES = 2000


@dataclass(frozen=True)
class PairedDifference:
    """The first model's metric minus the second's."""

    mean: float
    interval: tuple[float, float]  # 95 % of the resamples
    share_above: float  # of the resamples whose difference is above zero
    n_videos: int

    @property
    def excludes_zero(self) -> bool:
        """Whether the whole interval lies on one side of zero."""
        return self.interval[0] > 0 or self.interval[1] < 0


def paired_difference(
    values: NDArray[np.floating],
    others: NDArray[np.floating],
    video_ids: Sequence[str],
    weights: NDArray[np.integer] | NDArray[np.floating] | None = None,
) -> PairedDifference | None:
    """Compare a metric that is a mean over rows, such as accuracy or a video's F1.

    Args:
        values: (R,) of the first model, or (S, R) of several seeds: then of their mean.
        others: the second model's, of as many seeds or others.
        video_ids: R; the rows of a video are drawn together.
        weights: (R,) of the mean: for accuracy the row's scored segments. Default: equal.

    Returns:
        None if no row has a weight.
    """
    if values.shape[-1] != len(video_ids) or others.shape[-1] != len(video_ids):
        raise UsageError(
            f"{values.shape[-1]} and {others.shape[-1]} values are not of {len(video_ids)} rows",
            "Compare two models on the same rows.",
        )
    difference = np.atleast_2d(values).mean(axis=0) - np.atleast_2d(others).mean(axis=0)
    of_row = np.ones(len(video_ids)) if weights is None else weights.astype(np.float64)
    names, video = np.unique(np.asarray(video_ids), return_inverse=True)
    weight = np.bincount(video, of_row, len(names))
    if not weight.any():
        return None
    total = np.bincount(video, np.where(of_row > 0, difference * of_row, 0), len(names))
    drawn = np.random.default_rng(0).integers(len(names), size=(_N_RESAMPLES, len(names)))
    weights_drawn = weight[drawn].sum(axis=1)
    is_drawn = weights_drawn > 0
    resampled = total[drawn].sum(axis=1)[is_drawn] / weights_drawn[is_drawn]
    low, high = np.percentile(resampled, [2.5, 97.5])
    return PairedDifference(
        mean=float(total.sum() / weight.sum()),
        interval=(float(low), float(high)),
        share_above=float((resampled > 0).mean()),
        n_videos=len(names),
    )
