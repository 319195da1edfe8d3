"""How high a classifier's scores are on ordinary videos, so that labels can be compared.

A classifier is surer of some classes than of others, and a label of many classes is likelier than
one of few. The background says how a label scores where nothing points to it. It is shipped as
moments, from which scores of background seconds can be drawn: no second of a video is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from avloc.errors import UnknownNameError
from avloc.vocabulary.class_names import data_bytes

_FILE = "background.npz"
_N_DRAWN = 400
_SHARED_VARIANCE = 0.2  # of a class's variance: few videos know it only roughly
_SHARED_LABEL_VARIANCE = 0.3

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Background:
    """Moments of a classifier's K scores over seconds of ordinary videos.

    Attributes:
        mean: (K,).
        factors: (r, K) directions in which scores vary together, as long as their deviation.
        rest: (K,) the deviation that they do not explain.
    """

    mean: Floats
    factors: Floats
    rest: Floats

    @classmethod
    def of(cls, scores: Floats, rank: int = 24) -> Background:
        """Measure the background of (n, K) scores."""
        mean = scores.mean(axis=0)
        residues = (scores - mean) / np.sqrt(len(scores))
        _, lengths, directions = np.linalg.svd(residues, full_matrices=False)
        factors = lengths[:rank, None] * directions[:rank]
        variance = (residues**2).sum(axis=0) - (factors**2).sum(axis=0)
        return cls(mean, factors, np.sqrt(np.maximum(variance, 0)))

    @classmethod
    def of_absence(cls, logits: Floats, below: float = -1.0) -> Background:
        """Measure each class's background by itself: over the seconds that seem to lack it.

        Speech and music are in many ordinary videos. Counting those seconds would hide them.

        Args:
            logits: (n, K) of a classifier whose classes do not exclude each other.
            below: a class with a higher logit is taken for present.
        """
        absent = np.where(logits < below, logits, np.nan)
        none = np.zeros((0, logits.shape[1]))
        return cls(np.nanmean(absent, axis=0), none, np.nanstd(absent, axis=0))

    @property
    def deviation(self) -> Floats:
        """(K,) each class's standard deviation, drawn a little towards that of all."""
        variance = self._variance()
        shared = (1 - _SHARED_VARIANCE) * variance + _SHARED_VARIANCE * variance.mean()
        return np.asarray(np.sqrt(shared))

    def draw(self, n: int = _N_DRAWN, seed: int = 0) -> Floats:
        """Draw (n, K) scores of background seconds; the same each time."""
        generator = np.random.default_rng(seed)
        together = generator.standard_normal((n, len(self.factors))) @ self.factors
        return self.mean + together + generator.standard_normal((n, len(self.mean))) * self.rest

    def of_label(self, classes: Sequence[int], weights: Sequence[float]) -> tuple[float, float]:
        """Return mean and deviation of a label's log-probability: that of any of its classes.

        The background's scores must be log-probabilities.
        """
        return self.of_labels([(classes, weights)])[0]

    def of_labels(
        self, labels: Sequence[tuple[Sequence[int], Sequence[float]]]
    ) -> list[tuple[float, float]]:
        """Return `of_label` of each label's classes and weights; the seconds are drawn once."""
        drawn = self.draw()
        return [self._moments(drawn[:, list(classes)], weights) for classes, weights in labels]

    def _moments(self, drawn: Floats, weights: Sequence[float]) -> tuple[float, float]:
        if not drawn.size:
            return 0.0, 1.0
        raw = np.logaddexp.reduce(drawn + np.log(weights), axis=1)
        shared = _SHARED_LABEL_VARIANCE * self._variance().mean()
        return float(raw.mean()), float(np.sqrt((1 - _SHARED_LABEL_VARIANCE) * raw.var() + shared))

    def _variance(self) -> Floats:
        return np.asarray((self.factors**2).sum(axis=0) + self.rest**2)


def read_background(encoder: str) -> Background:
    """Return the shipped background of an encoder's classifier."""
    with np.load(BytesIO(data_bytes(_FILE))) as arrays:
        known = sorted({name.partition("/")[0] for name in arrays.files})
        if encoder not in known:
            raise UnknownNameError("classifier with a background", encoder, known)
        parts = {n: arrays[f"{encoder}/{n}"].astype(float) for n in ("mean", "factors", "rest")}
    return Background(**parts)
