"""A model on a split: predictions and what they are worth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from avloc.artifacts import FeatureStore, ModelFile, Predictions
from avloc.datasets import Dataset
from avloc.datasets.batches import IGNORED, Examples, load_examples
from avloc.datasets.event_times import late_events
from avloc.errors import DatasetError, FingerprintError, UnknownNameError
from avloc.evaluation.decoders import check_decoder
from avloc.evaluation.measure import Evaluation, measure
from avloc.evaluation.predict import predict
from avloc.labels import LabelSet
from avloc.models import restore
from avloc.progress import Progress
from avloc.spec import FeatureSpec

MODALITIES = ("audio", "visual")


def evaluate(
    model: ModelFile,
    store: FeatureStore,
    dataset: Dataset,
    split: str = "test",
    *,
    device: str | torch.device = "auto",
    batch_size: int = 64,
    decode: str = "segment",
    without: str = "",
    progress: Progress | None = None,
) -> tuple[Predictions, Evaluation]:
    """Score a split and measure the scores.

    Args:
        model: the trained model.
        store: features of the kind it was trained on.
        dataset: rows and labels; labels are matched by name, so their order may differ.
        split: ``train``, ``val`` or ``test``.
        device: ``auto``, ``cpu``, ``cuda``, ...
        batch_size: windows at once.
        decode: how classes are read off the scores, one of `decoding.DECODERS`.
        without: ``audio`` or ``visual``: what to take from every video first, to see how much
            the other half is worth alone.
        progress: called with (done, total, what).

    Raises:
        FingerprintError: the features are not those the model was trained on.
        DatasetError: the split has no rows or no features, or a label the model lacks.
        UnknownNameError: there is no such decoder or modality.
    """
    check_decoder(decode)
    if without not in ("", *MODALITIES):
        raise UnknownNameError("modality", without, MODALITIES)
    check_fingerprint(model, store)
    network = restore(model, device)
    examples = load_examples(
        store,
        dataset,
        split,
        window=model.n_segments,
        channels=(network.scale_visual.n_channels, network.scale_audio.n_channels),
        progress=progress,
    )
    class_of = _class_map(dataset, model.labels)
    scored = predict(network, examples, batch_size=batch_size, without=without, progress=progress)
    predictions = Predictions(
        scores=scored.scores,
        targets=_targets(examples, class_of),
        video_ids=examples.video_ids,
        rows=np.array([entry.row for entry in examples.entries], dtype=np.int64),
        labels=model.labels,
        split=split,
        model=model.name,
        fingerprint=model.fingerprint,
        gate_visual=scored.gate_visual,
        gate_audio=scored.gate_audio,
        attention=scored.attention,
    )
    trained_on = {row.video_id for row in dataset.rows if row.split == "train" != split}
    evaluation = measure(
        predictions,
        dataset=dataset.name,
        missing_videos=examples.missing,
        training_videos=trained_on,
        decode=decode,
        selection=str(model.data.get("selection", "")),
        without=without,
        majority_label=str(model.data.get("majority_label", "")),
    )
    return predictions, replace(evaluation, late_events=late_events(dataset, examples))


def check_fingerprint(model: ModelFile, store: FeatureStore) -> None:
    """Refuse features the model was not trained on.

    Raises:
        FingerprintError: naming both.
    """
    if model.fingerprint != store.fingerprint:
        raise FingerprintError(
            f"the features in {store.root} are {_in_words(store.spec)}, "
            f"the model was trained on {_in_words(model.spec)}",
            "Extract features with the model's encoders, or train a model on these.",
        )


def _in_words(spec: FeatureSpec) -> str:
    return f"{spec.fingerprint} ({' + '.join(spec.encoders)})"


def _class_map(dataset: Dataset, labels: LabelSet) -> NDArray[np.int64]:
    """Return (C' + 1,): the model's class of each of the data set's, `IGNORED` last."""
    unknown = [name for name in dataset.labels.names if name not in labels.names]
    if unknown:
        raise DatasetError(
            f"the model does not know the label{'s' * (len(unknown) > 1)} {', '.join(unknown)}",
            dataset.root,
            hint=f"It knows: {', '.join(labels.names)}.",
        )
    classes = [labels.index(name) for name in dataset.labels.names]
    return np.array([*classes, labels.background_index, IGNORED], dtype=np.int64)


def _targets(examples: Examples, class_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (R, T) in the model's classes, `IGNORED` behind the end of shorter windows."""
    targets = np.full((len(examples), examples.n_segments), IGNORED, dtype=np.int64)
    for row, entry in zip(targets, examples.entries, strict=True):
        row[: len(entry.targets)] = class_of[entry.targets]
    return targets
