"""The stage ``train``: a feature store and a data set in, a model file out."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

from avloc.artifacts import (
    FeatureStore,
    Location,
    ModelFile,
    as_location,
    read_model,
    write_model,
)
from avloc.artifacts.staged_store import staged_store
from avloc.datasets import Dataset, load_dataset
from avloc.errors import ArtifactError, UnknownNameError, UsageError
from avloc.models import model_class
from avloc.options import Settings, options_from, values_of
from avloc.progress import Progress
from avloc.stages.workspace import DEFAULT_MODEL, Workspace
from avloc.training import TrainingConfig, is_leader, load_splits
from avloc.training.fit import fit
from avloc.training.review import Review, review
from avloc.training.supervision import resolved


@dataclass(frozen=True)
class Training:
    """A trained model and where it was written."""

    path: Path
    model: ModelFile


def labelled_store(
    features: Location, dataset: Path | str | None = None
) -> tuple[FeatureStore, Dataset]:
    """Open a feature store and its labels: those of ``dataset``, or of what was extracted."""
    store = FeatureStore.open(features)
    root = dataset or store.dataset_root
    if not root:
        raise UsageError(
            f"{store.root} was extracted from plain videos, which have no labels",
            "Write the events into a file manifest.csv beside the videos, one event per line, with "
            "the columns video,label,start,end,split (times in seconds; split: train, val, test "
            "or empty). Then name it: --dataset manifest.csv.",
        )
    location = as_location(root)
    if dataset is None and isinstance(location, Path) and not location.exists():
        raise UsageError(
            f"{store.root} was extracted from {root}, which is not there",
            "Name the labels: --dataset PATH.",
        )
    return store, load_dataset(location)


def split_ids(dataset: Dataset, splits: Container[str]) -> list[str]:
    """Return the ids of the videos with rows in some splits."""
    return [row.video_id for row in dataset.rows if row.split in splits]


def train(
    *,
    model: str = DEFAULT_MODEL,
    name: str | None = None,
    seed: int = TrainingConfig.seed,
    epochs: int = TrainingConfig.epochs,
    labels: str = TrainingConfig.labels,
    supervision: str = TrainingConfig.supervision,
    weak_labels: str = TrainingConfig.weak_labels,
    select: str = TrainingConfig.select,
    set: Settings = (),
    resume: bool = False,
    device: str = "auto",
    dataset: Path | str | None = None,
    artifacts: Path | str | None = None,
    store: Path | str | None = None,
    report: Callable[[Review], None] | None = None,
    progress: Progress | None = None,
) -> Training:
    """Train a model on extracted features and their labels.

    The epoch is chosen on the validation split. The model is written to models/NAME.h5 in the
    workspace; until then models/unfinished/NAME.h5 holds what ``resume`` needs.

    Several GPUs: torchrun --nproc-per-node N -m avloc train ...

    Args:
        model: The model to train.
        name: The model file's name. Default: the model's name.
        seed: Random seed of weights, shuffling and dropout.
        epochs: The most passes over the training rows.
        labels: Whether a segment has one label at most (exclusive) or may have several
            (independent). auto: as the data set says.
        supervision: Train on the label of each segment, or on the labels of the video only.
        weak_labels: What a weak label says: how much of the video each label fills, or only
            which labels it has.
        select: The split that chooses the epoch.
        set: Any setting of the training or the model, for example learning_rate=3e-4. Settings
            win over the arguments above.
        resume: Continue a training that was interrupted, on a CPU to the same bits.
        device: Where the networks run.
        dataset: The labels: a data set's folder, a manifest, or labels that you corrected (.csv,
            .eaf, .json). Default: the extracted data set.
        artifacts: The workspace folder. Default: ``$AVLOC_ARTIFACTS``, or ./artifacts.
        store: The feature store, a folder or an address as s3://bucket/features. Default: the
            workspace's features.
        report: called once before the first epoch, with the labels by split and with warnings.
        progress: called with (epochs done, epochs, what).

    Raises:
        ArtifactError: no features, or no unfinished training with these settings.
        DatasetError: no labels for them. UnknownNameError: no such model or setting.
        UsageError: the name is not a plain name. OutputError: the model cannot be written.
    """
    named = {
        "seed": seed,
        "epochs": epochs,
        "labels": labels,
        "supervision": supervision,
        "weak_labels": weak_labels,
        "select": select,
    }
    if not model_class(model).is_trained:
        raise UsageError(
            f"the model {model} is not trained", "It needs no training: avloc open makes it."
        )
    config, options = settings_of(model, named | values_of(set, example="epochs=20"))
    workspace = Workspace.at(artifacts)
    path = workspace.new_model(name or model)
    unfinished = workspace.unfinished(path)
    features, labelled = labelled_store(workspace.store(store), dataset)
    used = {"train", "val", "", config.select}
    features = staged_store(features, split_ids(labelled, used), workspace.copies, progress)
    data = load_splits(features, labelled, config, progress)
    if report is not None and is_leader():
        report(review(data, labelled, resolved(config, data, model_class(model), labelled)))
    trained = fit(
        features,
        labelled,
        model=model,
        options=options,
        config=config,
        device=device,
        data=data,
        unfinished=_unfinished(unfinished) if resume else None,
        keep=lambda file: write_model(unfinished, file),
        progress=progress,
    )
    if is_leader():
        write_model(path, trained)
        unfinished.unlink(missing_ok=True)
    return Training(path, trained)


def _unfinished(path: Path) -> ModelFile:
    if not path.exists():
        raise ArtifactError(
            f"there is no unfinished training {path}", "Leave out --resume to begin one."
        )
    return read_model(path)


def settings_of(
    model: str, settings: Mapping[str, object]
) -> tuple[TrainingConfig, dict[str, object]]:
    """Sort settings into those of the training and those of the model."""
    of_training = {entry.name for entry in fields(TrainingConfig)}
    of_model = {entry.name for entry in fields(model_class(model).Config)}
    for name in settings:
        if name not in of_training | of_model:
            raise UnknownNameError("setting", name, of_training | of_model)
    training = {name: value for name, value in settings.items() if name in of_training}
    options = {name: value for name, value in settings.items() if name not in of_training}
    return options_from(TrainingConfig, training), options
