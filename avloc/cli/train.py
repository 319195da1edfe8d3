"""``avloc train``: features and labels to a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from avloc.cli import console
from avloc.cli.choices import MODELS, SELECTIONS, SUPERVISIONS, WEAK_LABELS, choice
from avloc.cli.parameters import Artifacts, DatasetRoot, Device
from avloc.cli.settings import TrainingSettings

if TYPE_CHECKING:
    from avloc.training import Review


def train(
    model: Annotated[str, choice("model", MODELS, help="The model to train.")] = "cman",
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The model file's name.", show_default="the model's name"
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed.", show_default="0")] = None,
    epochs: Annotated[int | None, typer.Option(help="The most epochs.", show_default="100")] = None,
    supervision: Annotated[
        str | None,
        choice(
            "supervision",
            SUPERVISIONS,
            help="Train on the label of each segment, or on the label of the video only.",
            show_default="full",
        ),
    ] = None,
    weak_labels: Annotated[
        str | None,
        choice(
            "kind of weak label",
            WEAK_LABELS,
            help="What a weak label says: how much of the video each label fills, or only which "
            "labels it has.",
            show_default="proportion",
        ),
    ] = None,
    select: Annotated[
        str | None,
        choice(
            "split to select on",
            SELECTIONS,
            help="The split that chooses the epoch.",
            show_default="val",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any setting of the training or the model, for example learning_rate=3e-4. "
            "--settings lists them.",
        ),
    ] = None,
    list_settings: TrainingSettings = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue a training that was interrupted.")
    ] = False,
    device: Device = "auto",
    dataset: DatasetRoot = None,
    artifacts: Artifacts = None,
) -> None:
    """Train a model on extracted features and their labels.

    Labels come from the data set that was extracted, or from --dataset. The epoch is chosen on
    the validation split. The model is written to artifacts/models/NAME.h5.

    Several GPUs: torchrun --nproc-per-node N -m avloc train ...
    """
    import avloc
    from avloc.training import is_leader

    with console.progress_bar("train") as progress:
        done = avloc.train(
            artifacts=artifacts,
            dataset=dataset,
            model=model,
            name=name,
            seed=seed,
            epochs=epochs,
            supervision=supervision,
            weak_labels=weak_labels,
            select=select,
            set=settings or (),
            device=device,
            resume=resume,
            report=_show_review,
            progress=progress,
        )
    if not is_leader():
        return
    for key, value in done.model.metrics.items():
        console.say(f"{key}: {value:.4g}")
    n_unreadable = done.model.data["n_unreadable"]
    if n_unreadable:
        console.say(
            f"{n_unreadable} features files cannot be read and were left out; extract again. "
            f"The first: {done.model.data['first_unreadable']}"
        )
    console.say(f"wrote {done.path}")


def _show_review(review: Review) -> None:
    for line in review.lines():
        console.say(line)
