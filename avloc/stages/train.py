"""The stage ``train``: a feature store and a data set in, a model file out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from avloc.artifacts import FeatureStore, ModelFile, read_model, write_model
from avloc.datasets import Dataset, load_dataset
from avloc.errors import ArtifactError, UsageError
from avloc.options import Settings
from avloc.progress import Progress
from avloc.stages.settings import settings_of
from avloc.stages.workspace import DEFAULT_MODEL, Workspace
from avloc.training import Review, TrainingConfig, is_leader, load_splits, review
from avloc.training import train as train_model


@dataclass(frozen=True)
class Training:
    """A trained model and where it was written."""

    path: Path
    model: ModelFile


def labelled_store(
    features: Path, dataset: Path | str | None = None
) -> tuple[FeatureStore, Dataset]:
    """Open features and the data set they were extracted from.

    Args:
        features: the store.
        dataset: a data set to take the labels from instead of the store's own.

    Raises:
        ArtifactError: there is no store.
        UsageError: nothing says what the labels are.
        DatasetError: the data set's files are wrong.
    """
    store = FeatureStore.open(features)
    root = dataset or store.dataset_root
    if not root:
        raise UsageError(
            f"{store.root} was extracted from plain videos, which have no labels",
            "Write down what happens when: a file manifest.csv beside the videos with the columns "
            "video,label,start,end,split (times in seconds; split: train, val, test or empty), a "
            "line an event. Then name it: --dataset manifest.csv.",
        )
    return store, load_dataset(Path(root))


def train(
    *,
    artifacts: Path | str | None = None,
    dataset: Path | str | None = None,
    model: str = DEFAULT_MODEL,
    name: str | None = None,
    seed: int | None = None,
    epochs: int | None = None,
    supervision: str | None = None,
    weak_labels: str | None = None,
    select: str | None = None,
    set: Settings = (),
    options: Mapping[str, object] | None = None,
    config: TrainingConfig | None = None,
    device: str = "auto",
    resume: bool = False,
    report: Callable[[Review], None] | None = None,
    progress: Progress | None = None,
) -> Training:
    """Train a model on the workspace's features and leave it in ``models/<name>.h5``.

    While it trains, ``models/unfinished/<name>.h5`` is all that is needed to go on after an
    interruption; each epoch replaces it, and the finished model takes its place.

    Args:
        artifacts: the workspace; ``$AVLOC_ARTIFACTS`` or ``./artifacts`` by default.
        dataset: where the labels are; by default the data set the features came from.
        model: the registered model (`avloc.list_models`).
        name: the file's name; the model's by default.
        seed: the random seed, 0 by default.
        epochs: at most so many, 100 by default.
        supervision: ``full`` (default), or ``weak``: the label of the video only.
        weak_labels: ``proportion`` (default) or ``presence``.
        select: the split that chooses the epoch, ``val`` by default.
        set: any options of the training or the model, for example ``{"dropout": 0.2}``.
        options: the model's own options, for example ``{"modalities": "audio"}``.
        config: the training's, which the arguments above change.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``.
        resume: go on with the unfinished training of that name, to the same bits on a CPU.
        report: called before the first epoch with the labels by split, and with warnings.
        progress: called with (epochs done, epochs, what).

    Raises:
        ArtifactError: no features, or no unfinished training with these options.
        DatasetError: no labels for them. UnknownNameError: no such model. UsageError: the name
        is no plain name. OutputError: the model cannot be written.
    """
    given = {
        "seed": seed,
        "epochs": epochs,
        "supervision": supervision,
        "weak_labels": weak_labels,
        "select": select,
    }
    named = {key: value for key, value in given.items() if value is not None}
    config, of_model = settings_of(model, set, named, config)
    workspace = Workspace.at(artifacts)
    path = workspace.new_model(name or model)
    unfinished = workspace.unfinished(path)
    store, labelled = labelled_store(workspace.features, dataset)
    data = load_splits(store, labelled, config, progress)
    if report is not None and is_leader():
        report(review(data, labelled))
    trained = train_model(
        store,
        labelled,
        model=model,
        options={**(options or {}), **of_model},
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
