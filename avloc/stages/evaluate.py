"""The stage ``eval``: a model, features and labels in; predictions and metrics out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from avloc.artifacts import Predictions, read_model, write_predictions
from avloc.artifacts.staged_store import staged_store
from avloc.datasets import SegmentBoxes, find_boxes, read_boxes
from avloc.errors import UsageError
from avloc.evaluation.cross_modal import CrossModal
from avloc.evaluation.cross_modal import match as match_modalities
from avloc.evaluation.evaluator import evaluate as evaluate_model
from avloc.evaluation.measure import Evaluation
from avloc.evaluation.spatial import SpatialPair, has_boxes, measure_spatial
from avloc.stages.train import labelled_store, split_ids
from avloc.stages.workspace import DEFAULT_MODEL, Workspace


@dataclass(frozen=True)
class EvaluatedSplit:
    """Predictions on a split, where they were written, and their metrics.

    Attributes:
        path: the file of the predictions.
        predictions: scores beside the truth.
        evaluation: metrics of when and which.
        spatial: metrics of where, by rule (``half``, ``median``); None without boxes or attention.
        cross_modal: A2V and V2A; None without a second model.
    """

    path: Path
    predictions: Predictions
    evaluation: Evaluation
    spatial: Mapping[str, SpatialPair] | None = None
    cross_modal: CrossModal | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain values for JSON."""
        return self.evaluation.to_dict() | {
            "spatial": {rule: asdict(pair) for rule, pair in (self.spatial or {}).items()} or None,
            "cross_modal": asdict(self.cross_modal) if self.cross_modal else None,
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
    store: Path | str | None = None,
) -> EvaluatedSplit:
    """Measure a model on a split.

    Exclusive labels: the accuracy, next to two baselines, a constant answer and an oracle that
    knows each clip's class. Independent labels: F1, by sense where the data know it. Both: the
    mean average precision of events. The predictions are written to predictions/MODEL-SPLIT.h5
    in the workspace.

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
        dataset: The labels: a data set's folder, a manifest, or labels that you corrected (.csv,
            .eaf, .json). Default: the extracted data set.
        artifacts: The workspace folder. Default: ``$AVLOC_ARTIFACTS``, or ./artifacts.
        store: The feature store, a folder or an address as s3://bucket/features. Default: the
            workspace's features.

    Raises:
        ArtifactError: no model or no features. FingerprintError: the model was trained on
        other features. DatasetError: the split has no rows with features, or the boxes are
        damaged. UsageError: no such decoder, no attention to measure against the given boxes, or
        not two models of one modality each. OutputError: the predictions cannot be written.
    """
    workspace = Workspace.at(artifacts)
    paths = [workspace.existing_model(name) for name in (model, match) if name is not None]
    models = [read_model(path) for path in paths]
    modalities = [str(file.config.get("modalities", "both")) for file in models]
    if match is not None and sorted(modalities) != ["audio", "visual"]:
        raise UsageError(
            "matching needs a model that only hears and one that only sees; "
            f"{paths[0].stem} uses {modalities[0]}, {paths[1].stem} uses {modalities[1]}",
            "Train them with --set where=false --set which=false and --set modalities=audio, "
            "or modalities=visual.",
        )
    name = paths[0].stem  # two files may hold one kind of model: the file's name distinguishes
    target = workspace.predictions(name, f"{split}-without-{without}" if without else split)
    features, labelled = labelled_store(workspace.store(store), dataset)
    features = staged_store(features, split_ids(labelled, (split,)), workspace.copies)
    boxes = find_boxes(labelled.root) if spatial is None else read_boxes(spatial)
    predictions, evaluation = evaluate_model(
        models[0], features, labelled, split, decode=decode, without=without, device=device
    )
    predictions, evaluation = replace(predictions, model=name), replace(evaluation, model=name)
    attention = cross_modal = None
    if without != "visual":  # a map over no picture points nowhere
        attention = _measure_attention(predictions, boxes, is_required=spatial is not None)
    if match is not None:
        others, _ = evaluate_model(models[1], features, labelled, split, device=device)
        both = {modalities[0]: predictions, modalities[1]: replace(others, model=paths[1].stem)}
        cross_modal = match_modalities(both["audio"], both["visual"])
    write_predictions(target, predictions)
    return EvaluatedSplit(target, predictions, evaluation, attention, cross_modal)


def _measure_attention(
    predictions: Predictions, boxes: SegmentBoxes | None, *, is_required: bool
) -> Mapping[str, SpatialPair] | None:
    if boxes is None:
        return None
    if not has_boxes(predictions, boxes):
        if not is_required:
            return None
        if predictions.attention is not None:
            raise UsageError(
                f"the boxes are of other videos than the {predictions.split} split's",
                "Name the file of this data set's boxes.",
            )
    return measure_spatial(predictions, boxes)
