"""A model on a split: its predictions, and metrics of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from avloc.artifacts import FeatureStore, ModelFile, Predictions
from avloc.datasets import Dataset
from avloc.datasets.batch_order import batch_indices
from avloc.datasets.batches import make_batch
from avloc.datasets.event_times import late_events
from avloc.datasets.examples import Examples, load_examples
from avloc.errors import DatasetError, FingerprintError, UnknownNameError
from avloc.evaluation.decoders import check_decoder
from avloc.evaluation.event_evaluation import measure_events
from avloc.evaluation.measure import Evaluation, measure
from avloc.evaluation.split_answers import answers_of
from avloc.inference import Outputs, infer
from avloc.labels import LabelSet
from avloc.models import Model, restore
from avloc.spec import FeatureSpec

MODALITIES = ("audio", "visual")
_BATCH = 64  # videos at once


def evaluate(
    model: ModelFile,
    store: FeatureStore,
    dataset: Dataset,
    split: str = "test",
    *,
    device: str | torch.device = "auto",
    decode: str = "segment",
    without: str = "",
) -> tuple[Predictions, Evaluation]:
    """Score the videos of a split as `avloc.localize` does, and measure the scores.

    Labels are matched by name, so their order may differ. ``decode`` is one of `DECODERS`;
    ``without`` names the modality to take from every video, ``audio`` or ``visual``.

    Raises:
        FingerprintError: the features are not those the model was trained on.
        DatasetError: the split has no rows, features or times, or a label the model lacks.
    """
    check_decoder(decode)
    if without not in ("", *MODALITIES):
        raise UnknownNameError("modality", without, MODALITIES)
    _check_fingerprint(model, store)
    network = restore(model, device)
    channels = (network.scale_visual.n_channels, network.scale_audio.n_channels)
    examples = load_examples(store, dataset, split, channels=channels)
    arrays: dict[str, Any] = _truth(examples, dataset, model.labels)
    if not arrays["scored"].any():
        raise DatasetError(
            f"no video of {split} has labels with times, which evaluation needs",
            dataset.root,
            hint="Add the start and end of each event, or evaluate another split.",
        )
    arrays |= _predict(network, examples, model.n_segments, without)
    arrays |= _streams(examples, without)
    predictions = Predictions(
        **arrays,
        video_ids=examples.video_ids,
        rows=np.array([entry.row for entry in examples.entries], dtype=np.int64),
        labels=model.labels,
        split=split,
        model=model.name,
        fingerprint=model.fingerprint,
        durations=np.array([examples.videos[entry.video].duration for entry in examples.entries]),
        thresholds=model.thresholds,
        sense_thresholds=model.sense_thresholds,
        segment_seconds=model.spec.exact_segment_seconds,
    )
    evaluation = measure(
        predictions,
        training_videos={row.video_id for row in dataset.rows if row.split == "train" != split},
        decode=decode,
        selection=str(model.data.get("selection", "")),
        majority_label=str(model.data.get("majority_label", "")),
    )
    return predictions, replace(
        evaluation,
        selected_by=str(model.data.get("selected_by", "")),
        dataset=dataset.name,
        missing_videos=examples.missing,
        without=without,
        late_events=late_events(dataset, examples),
        events=measure_events(
            predictions,
            answers_of(predictions, examples, dataset),
            majority_label=evaluation.majority_label,
            groups=dataset.label_groups,
        ),
    )


def _predict(model: Model, examples: Examples, window: int, without: str) -> Outputs:
    """Return the model's outputs for R examples, T that of the longest; the rest are zeros."""
    columns: Outputs = {}
    for indices in _batches(examples, window, one_length=not model.takes_padding):
        batch = make_batch(examples, indices)
        if without:
            batch.hide(without)
        outputs = infer(model, batch.visual, batch.audio, window, batch.real)
        outputs.pop("rivals", None)  # which no truth is about
        for name, values in outputs.items():
            if name not in columns:
                shape = (len(examples), examples.n_segments, *values.shape[2:])
                columns[name] = np.zeros(shape, dtype=np.float32)
            columns[name][indices, : values.shape[1]] = values
    return columns


def _streams(examples: Examples, without: str) -> dict[str, NDArray[np.bool_]]:
    """Return which rows have sound, and which a picture, by the fields of `Predictions`."""
    videos = [examples.videos[entry.video] for entry in examples.entries]
    has_sound = [video.audio is not None and without != "audio" for video in videos]
    has_picture = [video.visual is not None and without != "visual" for video in videos]
    return {"has_sound": np.array(has_sound), "has_picture": np.array(has_picture)}


def _batches(examples: Examples, window: int, *, one_length: bool) -> Iterator[list[int]]:
    """Yield indices of batches; a video longer than the window is alone in one."""
    for indices in batch_indices(examples, _BATCH, one_length=one_length):
        is_long = [len(examples.entries[index].targets) > window for index in indices]
        if short := [index for index, alone in zip(indices, is_long, strict=True) if not alone]:
            yield short
        yield from ([index] for index, alone in zip(indices, is_long, strict=True) if alone)


def _check_fingerprint(model: ModelFile, store: FeatureStore) -> None:
    if model.fingerprint != store.fingerprint:
        raise FingerprintError(
            f"the features in {store.root} are {_in_words(store.spec)}, "
            f"the model was trained on {_in_words(model.spec)}",
            "Extract features with the model's encoders, or train a model on these.",
        )


def _in_words(spec: FeatureSpec) -> str:
    return f"{spec.fingerprint} ({' + '.join(spec.encoders)})"


def _truth(examples: Examples, dataset: Dataset, labels: LabelSet) -> dict[str, Any]:
    """Return the truth by the fields of `Predictions`, its columns in the model's order."""
    unknown = [name for name in dataset.labels.names if name not in labels.names]
    if unknown:
        raise DatasetError(
            f"the model does not know the label{'s' * (len(unknown) > 1)} {', '.join(unknown)}",
            dataset.root,
            hint=f"It knows: {', '.join(labels.names)}.",
        )
    columns = [labels.index(name) for name in dataset.labels.names]
    shape = (len(examples), examples.n_segments)
    scored = np.zeros(shape, bool)
    truth, heard, seen = np.zeros((3, *shape, labels.n_labels), bool)
    for row, entry in enumerate(examples.entries):
        targets = entry.targets
        scored[row, : len(targets)] = targets.scored
        for array, events in (
            (truth, targets.events),
            (heard, targets.heard),
            (seen, targets.seen),
        ):
            array[row, : len(targets), columns] = events.T
    if labels.is_exclusive and (truth.sum(axis=-1) > 1).any():
        raise DatasetError(
            "has several events at once, and the model knows one label at a time",
            dataset.root,
            hint="Train a model on independent labels: avloc train --set labels=independent.",
        )
    senses = {"true_heard": heard, "true_seen": seen} if dataset.knows_senses else {}
    return {"truth": truth, "scored": scored, **senses}
