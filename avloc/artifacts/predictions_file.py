"""A model's scores over a split (schema ``avloc.predictions/3``)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts.arrays import Arrays
from avloc.artifacts.hdf5 import read_artifact
from avloc.artifacts.model_file import check_thresholds
from avloc.artifacts.new_artifact import create
from avloc.artifacts.schema import Array, Range, header_fields, types_of
from avloc.errors import UsageError
from avloc.labels import LabelSet, class_indices

_Gate = Annotated[NDArray[np.float32] | None, Array("R T")]
_OfASense = Annotated[NDArray[np.float32] | None, Array("R T C", may_be_nan=True)]
_TrueOfASense = Annotated[NDArray[np.bool_] | None, Array("R T C")]
_HasASense = Annotated[NDArray[np.bool_] | None, Array("R")]


@dataclass(frozen=True)
class Predictions:
    """Scores of R rows beside the truth; C are the event labels, without background.

    Attributes:
        scores: (R, T, C) probabilities.
        truth: (R, T, C) the labels that each segment has.
        scored: (R, T) the segments that count; not those behind the end of a row shorter than T.
        video_ids: R ids; an id repeats when its video has several rows.
        rows: (R,) row numbers in the data set.
        labels: the C labels.
        split: which split.
        model: the model's name.
        fingerprint: of the features.
        thresholds: of the model, by label; empty where none were fitted.
        sense_thresholds: of the model, for ``heard`` and ``seen``; empty where none were fitted.
        segment_seconds: a segment's length.
        durations: (R,) the videos' seconds.
        heard, seen: (R, T, C) what the sound alone and the picture alone say of each label; None
            where the model cannot tell, NaN for a label of which the sense knows nothing.
        true_heard, true_seen: (R, T, C) the labels that can be heard and seen; None where the data
            do not say.
        has_sound, has_picture: (R,) the row's video has sound, and a picture; None if all have.
            What a model says of a sense that is missing is no evidence.
        gate_visual, gate_audio: (R, T) normalised sentinel gates; None without them.
        attention: (R, T, H, W) weights over the picture; None without it.
    """

    scores: Annotated[NDArray[np.float32], Array("R T C")]
    truth: Annotated[NDArray[np.bool_], Array("R T C")]
    scored: Annotated[NDArray[np.bool_], Array("R T")]
    video_ids: tuple[str, ...]
    rows: Annotated[NDArray[np.int64], Array("R")]
    labels: LabelSet
    split: str
    model: str
    fingerprint: str
    durations: Annotated[NDArray[np.float64], Array("R")]
    thresholds: tuple[Annotated[float, Range(0, 1)], ...] = ()
    sense_thresholds: tuple[Annotated[float, Range(0, 1)], ...] = ()
    segment_seconds: Annotated[Fraction, Range(1e-6, 1e6)] = Fraction(1)
    heard: _OfASense = None
    seen: _OfASense = None
    true_heard: _TrueOfASense = None
    true_seen: _TrueOfASense = None
    has_sound: _HasASense = None
    has_picture: _HasASense = None
    gate_visual: _Gate = None
    gate_audio: _Gate = None
    attention: Annotated[NDArray[np.float32] | None, Array("R T H W")] = None

    @property
    def targets(self) -> NDArray[np.int64]:
        """Return (R, T) true class indices, background last; `IGNORED` where not scored."""
        self._check_exclusive()
        return class_indices(self.truth, self.scored)

    @property
    def class_scores(self) -> NDArray[np.float32]:
        """Return (R, T, C + 1) probabilities of the classes; background has what labels leave."""
        self._check_exclusive()
        rest = 1 - self.scores.sum(axis=-1, keepdims=True, dtype=np.float64)
        return np.concatenate([self.scores, rest.clip(min=0).astype(np.float32)], axis=-1)

    def _check_exclusive(self) -> None:
        if not self.labels.is_exclusive:
            raise UsageError(
                "these labels are independent: a segment may have several, so it has no class"
            )


def write_predictions(path: Path | str, predictions: Predictions) -> None:
    """Write predictions atomically; ArtifactError if a score is NaN or infinite."""
    with create(path, "predictions", parse_predictions) as new:
        new.put(vars(predictions), types_of(Predictions))


def read_predictions(path: Path | str) -> Predictions:
    """Read predictions; ArtifactError if missing, damaged, of another kind or version."""
    return read_artifact(path, "predictions", parse_predictions)


def parse_predictions(arrays: Arrays, header: dict[str, Any]) -> Predictions:
    """Make predictions of a file's arrays and header; ValueError where they are damaged."""
    types = types_of(Predictions)
    fields = header_fields({"sense_thresholds": []} | header, types)
    arrays.sizes |= {"C": fields["labels"].n_labels, "R": len(fields["video_ids"])}
    check_thresholds(fields)
    return Predictions(**fields, **arrays.fields(types))
