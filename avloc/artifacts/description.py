"""What a person wants to know of an artifact: the heart of ``avloc inspect``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts.comparison_file import Comparison, read_comparison
from avloc.artifacts.features_file import VideoFeatures, look_at_features
from avloc.artifacts.hdf5 import identify, read_artifact
from avloc.artifacts.localization_file import read_localization
from avloc.artifacts.model_file import ModelFile, parse_model
from avloc.artifacts.predictions_file import Predictions, read_predictions
from avloc.artifacts.reading import Depth
from avloc.artifacts.store import FeatureStore
from avloc.spec import FeatureSpec
from avloc.timeline import Timeline


@dataclass(frozen=True)
class Description:
    """An artifact in words.

    Attributes:
        kind: ``features``, ``feature store``, ``model``, ``predictions``, ``comparison`` or
            ``localization``.
        facts: name and value, in the order to show them.
        header: the columns of the table, empty without one.
        rows: the table: arrays of the file, events, or failures.
        is_detail: the facts sum the table up, and few readers want it.
    """

    kind: str
    facts: tuple[tuple[str, str], ...]
    header: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    is_detail: bool = False


def describe(file: Path | str) -> Description:
    """Describe any artifact: a features, model, predictions or localization file, or a store.

    The content of feature maps and weights is not read; `avloc.stages.verify` checks it.

    Raises:
        ArtifactError: there is nothing, or it is damaged, or avloc did not write it.
    """
    path = Path(file)
    if path.is_dir():
        return _of_store(FeatureStore.open(path))
    kind, _ = identify(path)
    if kind == "features":
        return _of_features(look_at_features(path))
    if kind == "model":
        return _of_model(read_artifact(path, "model", parse_model, Depth.HEADERS))
    if kind == "predictions":
        return _of_predictions(read_predictions(path))
    if kind == "comparison":
        return _of_comparison(read_comparison(path))
    return _of_localization(read_localization(path))


def _of_store(store: FeatureStore) -> Description:
    failures = store.failures()
    facts = (
        ("data set", store.dataset_root or "none"),
        ("videos", str(len(store.video_ids()))),
        ("failures", str(len(failures))),
        ("fingerprint", store.fingerprint),
        *_spec_facts(store.spec),
    )
    rows = tuple((failure.video_id, failure.reason) for failure in failures)
    return Description("feature store", facts, ("failed video", "reason") if rows else (), rows)


def _of_features(features: VideoFeatures) -> Description:
    facts = (
        ("video", features.video_id),
        ("source", features.source),
        ("duration", f"{features.duration:.3f} s"),
        ("segments", f"{features.n_segments} of {features.segment_seconds:g} s"),
        ("with picture", f"{int(features.visual_valid.sum())} segments"),
        ("with sound", f"{int(features.audio_valid.sum())} segments"),
        ("flags", ", ".join(features.flags) or "none"),
        ("fingerprint", features.fingerprint),
        *_spec_facts(features.spec),
    )
    arrays = {name: getattr(features, name) for name in ("visual", "audio", "frame_index")}
    return Description("features", facts, *_array_table(arrays))


def _of_model(model: ModelFile) -> Description:
    weights = model.weights.values()
    n_done = len(model.history.get("epoch", ()))
    facts = (
        ("model", model.name),
        ("labels", ", ".join(model.labels.names)),
        ("window", f"{model.n_segments} segments of {model.segment_seconds:g} s"),
        ("supervision", model.supervision),
        ("seed", str(model.seed)),
        *((name, f"{value:.4g}") for name, value in model.metrics.items()),
        *((f"data: {name}", str(value)) for name, value in model.data.items()),
        ("tensors", str(len(weights))),
        ("parameters", f"{sum(array.size for array in weights):,}"),
        ("bytes of weights", f"{sum(array.nbytes for array in weights):,}"),
        ("temperature", f"{model.temperature:.3g}"),
        *([("unfinished", f"{n_done} epochs done")] if model.resume else []),
        ("trained on features", model.fingerprint),
        *_spec_facts(model.spec),
        *((f"option: {name}", str(value)) for name, value in model.config.items()),
    )
    return Description("model", facts, *_array_table(model.weights), is_detail=True)


def _of_predictions(predictions: Predictions) -> Description:
    n_rows, n_segments, n_classes = predictions.scores.shape
    scored = predictions.targets >= 0  # -1 fills up rows that are shorter than the longest
    correct = (predictions.scores.argmax(axis=2) == predictions.targets) & scored
    facts = (
        ("model", predictions.model),
        ("split", predictions.split),
        ("scores", f"{n_rows} rows x {n_segments} segments x {n_classes} classes"),
        ("segment accuracy", f"{correct.sum() / max(1, scored.sum()):.1%}"),
        ("labels", ", ".join(predictions.labels.names)),
        ("features", predictions.fingerprint),
    )
    header = ("row", "video", "segments right", "truth")
    rows = tuple(
        (
            str(predictions.rows[place]),
            video_id,
            f"{int(correct[place].sum())}/{int(scored[place].sum())}",
            _row_labels(predictions, place),
        )
        for place, video_id in enumerate(predictions.video_ids)
    )
    return Description("predictions", facts, header, rows)


def _row_labels(predictions: Predictions, place: int) -> str:
    names = predictions.labels.names
    events = [index for index in predictions.targets[place] if 0 <= index < len(names)]
    return ", ".join(dict.fromkeys(names[index] for index in events)) or "-"


def _of_localization(timeline: Timeline) -> Description:
    facts = (
        ("video", timeline.video_id),
        ("source", timeline.source),
        ("duration", f"{timeline.duration:.3f} s"),
        ("segments", f"{timeline.grid.n_segments} of {float(timeline.grid.segment_seconds):g} s"),
        ("attention", "none" if timeline.attention is None else str(timeline.attention.shape)),
        ("flags", ", ".join(timeline.flags) or "none"),
        ("model", timeline.model),
        ("features", timeline.fingerprint),
    )
    rows = tuple(
        (f"{event.start:g}", f"{event.end:g}", event.label, f"{event.score:.2f}")
        for event in timeline
    )
    return Description("localization", facts, ("start", "end", "label", "score"), rows)


def _of_comparison(comparison: Comparison) -> Description:
    facts = (
        ("table", comparison.table),
        ("supervision", comparison.supervision),
        ("seeds", ", ".join(map(str, comparison.seeds))),
        *((name, str(value)) for name, value in comparison.made.items()),
        *((name, f"{value:.1%}") for name, value in comparison.baselines.items()),
    )
    names = tuple(comparison.metrics)
    rows = tuple(
        (title, *(_mean_of(comparison.metrics[name][place]) for name in names))
        for place, title in enumerate(comparison.titles)
    )
    return Description("comparison", facts, ("row", *names), rows)


def _mean_of(seeds: NDArray[np.float64]) -> str:
    there = seeds[np.isfinite(seeds)]
    return f"{there.mean():.1%}" if there.size else "-"


def _spec_facts(spec: FeatureSpec) -> tuple[tuple[str, str], ...]:
    return tuple((f"spec: {name}", str(value)) for name, value in asdict(spec).items())


def _array_table(
    arrays: Mapping[str, Any],
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    present = {name: np.asarray(array) for name, array in arrays.items() if array is not None}
    rows = tuple((name, str(array.shape), str(array.dtype)) for name, array in present.items())
    return ("array", "shape", "type"), rows
