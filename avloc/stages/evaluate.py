"""The stage ``eval``: a model, features and labels in; predictions and honest numbers out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from avloc.artifacts import ModelFile, Predictions, read_model, write_predictions
from avloc.datasets import SegmentBoxes, find_boxes, read_boxes
from avloc.errors import UsageError
from avloc.evaluation import (
    CrossModal,
    Evaluation,
    SpatialPair,
    check_decoder,
    has_boxes,
    measure_spatial,
)
from avloc.evaluation import evaluate as evaluate_model
from avloc.evaluation import match as match_modalities
from avloc.stages.train import labelled_store
from avloc.stages.workspace import DEFAULT_MODEL, Workspace


@dataclass(frozen=True)
class EvaluatedSplit:
    """Predictions on a split, where they were written, and what they are worth.

    Attributes:
        path: of the predictions.
        predictions: scores beside the truth.
        evaluation: when and which.
        spatial: where, by rule (``half``, ``median``); None without boxes or attention.
        cross_modal: A2V and V2A; None without a second model.
    """

    path: Path
    predictions: Predictions
    evaluation: Evaluation
    spatial: Mapping[str, SpatialPair] | None = None
    cross_modal: CrossModal | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain values for JSON."""
        by_rule = {rule: asdict(pair) for rule, pair in (self.spatial or {}).items()}
        cross_modal = asdict(self.cross_modal) if self.cross_modal else None
        return self.evaluation.to_dict() | {
            "spatial": by_rule or None,
            "cross_modal": cross_modal,
        }


def evaluate(
    *,
    model: str | Path = DEFAULT_MODEL,
    split: str = "test",
    decode: str = "segment",
    spatial: Path | str | None = None,
    match: str | Path | None = None,
    without: str = "",
    device: str = "auto",
    dataset: Path | str | None = None,
    artifacts: Path | str | None = None,
) -> EvaluatedSplit:
    """Evaluate a model on a split and write ``predictions/<model>-<split>.h5``.

    Args:
        model: A model's name in the workspace, or a model file.
        split: The split to evaluate on.
        decode: How classes are read off the scores. segment: the likeliest class of each
            segment; video: one class for the video. Numbers of the two are not comparable.
        spatial: A boxes.json: measure whether attention points into the boxes. Default: the
            data set's boxes.json.
        match: A second model, of the other modality: find events across modalities (A2V, V2A).
        without: Remove this modality, to measure the other one alone. The predictions are
            written to MODEL-SPLIT-without-MODALITY.h5. Default: nothing.
        device: Where the networks run.
        dataset: The labels: a data set's folder, or a manifest. Default: the extracted data set.
        artifacts: The workspace folder. Default: ``$AVLOC_ARTIFACTS``, or ./artifacts.

    Raises:
        ArtifactError: no model or no features. FingerprintError: the model was trained on
        other features. DatasetError: the split has no rows with features, or the boxes are
        damaged. UsageError: no such decoder, no attention to measure against the given boxes, or
        not two models of one modality each. OutputError: the predictions cannot be written.
    """
    check_decoder(decode)
    workspace = Workspace.at(artifacts)
    paths = [workspace.existing_model(one) for one in (model, match) if one is not None]
    models = [read_model(path) for path in paths]
    if match is not None:
        _check_modalities(paths, models)
    given = f"{split}-without-{without}" if without else split
    target = workspace.predictions(paths[0].stem, given)
    store, labelled = labelled_store(workspace.features, dataset)
    boxes = find_boxes(labelled.root) if spatial is None else read_boxes(spatial)
    predictions, evaluation = evaluate_model(
        models[0], store, labelled, split, decode=decode, without=without, device=device
    )
    seen = None if without == "visual" else boxes  # a map over no picture points nowhere
    where = _where(predictions, seen, is_asked=spatial is not None)
    across = None
    if match is not None:
        others, _ = evaluate_model(models[1], store, labelled, split, device=device)
        across = _across(paths, models, (predictions, others))
    name = paths[0].stem  # two files may hold one kind of model: the file's name tells them apart
    predictions, evaluation = replace(predictions, model=name), replace(evaluation, model=name)
    write_predictions(target, predictions)
    return EvaluatedSplit(target, predictions, evaluation, where, across)


def _where(
    predictions: Predictions, boxes: SegmentBoxes | None, *, is_asked: bool
) -> Mapping[str, SpatialPair] | None:
    """Measure attention; what nobody asked for and cannot be given is None."""
    if boxes is None:
        return None
    is_there = has_boxes(predictions, boxes)
    if not (is_there or is_asked):
        return None
    if not is_there and predictions.attention is not None:
        raise UsageError(
            f"the boxes are of other videos than the {predictions.split} split's",
            "Name the file of this data set's boxes.",
        )
    return measure_spatial(predictions, boxes)


def _modality(model: ModelFile) -> str:
    return str(model.config.get("modalities", "both"))


def _across(
    paths: Sequence[Path], models: Sequence[ModelFile], predictions: Sequence[Predictions]
) -> CrossModal:
    """Match two models' predictions, whichever of them hears, under their files' names."""
    of_modality = {
        _modality(model): replace(one, model=path.stem)
        for path, model, one in zip(paths, models, predictions, strict=True)
    }
    return match_modalities(of_modality["audio"], of_modality["visual"])


def _check_modalities(paths: Sequence[Path], models: Sequence[ModelFile]) -> None:
    of_modality = [_modality(model) for model in models]
    if sorted(of_modality) != ["audio", "visual"]:
        raise UsageError(
            "matching needs a model that only hears and one that only sees; "
            f"{paths[0].stem} is of {of_modality[0]}, {paths[1].stem} of {of_modality[1]}",
            "Train them with --set where=false --set which=false and --set modalities=audio, "
            "or modalities=visual.",
        )
