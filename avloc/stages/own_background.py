"""Labels of the model ``open`` compared with what they score in the user's own videos."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import FeatureStore, ModelFile
from avloc.errors import ArtifactError, FingerprintError
from avloc.localizer import Localizer
from avloc.models.label_scores import MIDDLE, SLOPE

_SHIPPED = 300
"""How many seconds the shipped background counts for, against those of the store."""

Deviations = NDArray[np.float64]


def with_background(localizer: Localizer, store: Path) -> ModelFile:
    """Return the localizer's model, its labels compared with a store's videos as well.

    A second in which a label seems to be is not its background, so a folder of dogs does not hide
    dogs.

    Raises:
        ArtifactError: the store has no features.
        FingerprintError: the features are not the model's.
    """
    model, features = localizer.model_file, FeatureStore.open(store)
    if features.spec != model.spec:
        spec = model.spec
        raise FingerprintError(
            f"{store} has other features than the model ({features.spec.differences(spec)})",
            f"Extract them so: avloc extract DIR --visual {spec.visual} --audio {spec.audio}"
            f" --fps {spec.fps} --segment-seconds {spec.segment_seconds:g}.",
        )
    timelines = [
        localizer.of_features(features.read(video_id)) for video_id in features.video_ids()
    ]
    if not timelines:
        raise ArtifactError(f"{store} has no features", "Extract videos into it: avloc extract.")
    weights: dict[str, NDArray[Any]] = dict(model.weights)
    for sense in ("heard", "seen"):
        known = [said for line in timelines if (said := getattr(line, sense)) is not None]
        if known and (centre := f"{sense}_labels.centre") in weights:
            scale = f"{sense}_labels.scale"
            odds = np.concatenate(known).astype(float).clip(1e-7, 1 - 1e-7)
            mean, deviation = pooled(np.log(odds / (1 - odds)) / SLOPE + MIDDLE)
            n = len(mean)  # behind the labels are the rivals, which stay
            weights[centre], weights[scale] = weights[centre].copy(), weights[scale].copy()
            weights[centre][:n] += mean * weights[scale][:n]
            weights[scale][:n] *= deviation
    return replace(model, weights=weights)


def pooled(deviations: Deviations) -> tuple[Deviations, Deviations]:
    """Return mean and deviation (C,) of (n, C) seconds without each label and the shipped ones.

    In units of the shipped background, of which the mean is 0 and the deviation 1. NaN, where a
    sense abstains, counts for nothing.
    """
    absent = np.where(deviations < MIDDLE, deviations, np.nan)
    n = np.isfinite(absent).sum(axis=0)
    total = n + _SHIPPED
    mean = np.nansum(absent, axis=0) / total
    return mean, np.sqrt((np.nansum(absent**2, axis=0) + _SHIPPED) / total - mean**2)
