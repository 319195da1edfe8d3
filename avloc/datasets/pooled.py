"""Maps replaced by their means over the picture, for models that use nothing else of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray

from avloc.artifacts.stored_array import StoredArray
from avloc.datasets.examples import Examples
from avloc.progress import Progress

_TOGETHER = 16  # segments


def pooled(examples: Examples, progress: Progress | None = None) -> Examples:
    """Return examples with maps of 1 x 1, in memory and in single precision.

    ``progress`` gets (videos read, videos, video id).
    """
    videos = []
    for done, video in enumerate(examples.videos, start=1):
        visual = None if video.visual is None else _mean(video.visual)
        videos.append(replace(video, visual=cast(Any, visual)))  # files have half precision
        if progress is not None:
            progress(done, len(examples.videos), video.video_id)
    shape = (1, 1, examples.visual_shape[-1])
    return replace(examples, videos=tuple(videos), visual_shape=shape)


def _mean(maps: NDArray[np.floating] | StoredArray) -> NDArray[np.float32]:
    """Return (T, 1, 1, Dv) means of (T, H, W, Dv) maps, as `Model.pool_regions` takes them."""
    means = np.empty((len(maps), 1, 1, maps.shape[-1]), np.float32)
    for first in range(0, len(maps), _TOGETHER):
        part = slice(first, first + _TOGETHER)
        regions = torch.from_numpy(maps[part]).float().flatten(1, 2)
        means[part, 0, 0] = regions.mean(dim=1).numpy()
    return means
