"""The stage ``eval``: a model, features and labels in; predictions and honest numbers out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from avloc.artifacts import Predictions, read_model, write_predictions
from avloc.evaluation import Evaluation
from avloc.evaluation import evaluate as evaluate_model
from avloc.stages.training import labelled_store
from avloc.stages.workspace import DEFAULT_MODEL, Workspace


@dataclass(frozen=True)
class EvaluatedSplit:
    """Predictions on a split, where they were written, and what they are worth."""

    path: Path
    predictions: Predictions
    evaluation: Evaluation


def evaluate(
    *,
    artifacts: Path | str | None = None,
    dataset: Path | str | None = None,
    model: Path | str = DEFAULT_MODEL,
    split: str = "test",
    device: str = "auto",
) -> EvaluatedSplit:
    """Evaluate a model on a split and leave ``predictions/<model>-<split>.h5``.

    Args:
        artifacts: the workspace; ``$AVLOC_ARTIFACTS`` or ``./artifacts`` by default.
        dataset: where the labels are; by default the data set the features came from.
        model: a model's name in the workspace, or a model file.
        split: ``train``, ``val`` or ``test``.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``.

    Raises:
        ArtifactError: no model or no features. FingerprintError: the model was trained on
        other features. DatasetError: the split has no rows with features.
        OutputError: the predictions cannot be written.
    """
    workspace = Workspace.at(artifacts)
    path = workspace.existing_model(model)
    store, labelled = labelled_store(workspace, dataset)
    predictions, evaluation = evaluate_model(
        read_model(path), store, labelled, split, device=device
    )
    target = workspace.predictions(path.stem, split)
    write_predictions(target, predictions)
    return EvaluatedSplit(target, predictions, evaluation)
