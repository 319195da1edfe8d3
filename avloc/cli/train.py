"""``avloc train``: features and labels to a model."""

from __future__ import annotations

from typing import Annotated

import typer

from avloc.cli import console
from avloc.cli.options import Artifacts, DatasetRoot, Device


def train(
    model: Annotated[str, typer.Option(help="The model to train.")] = "cman",
    name: Annotated[
        str | None, typer.Option(help="The model file's name.", show_default="the model's")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed.", show_default="0")] = None,
    epochs: Annotated[
        int | None, typer.Option(help="At most so many epochs.", show_default="100")
    ] = None,
    supervision: Annotated[
        str | None,
        typer.Option(help="full, or weak: the label of the video only.", show_default="full"),
    ] = None,
    weak_labels: Annotated[
        str | None,
        typer.Option(help="proportion or presence.", show_default="proportion"),
    ] = None,
    select: Annotated[
        str | None,
        typer.Option(help="The split that chooses the epoch.", show_default="val"),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any option of the training or the model, for example learning_rate=3e-4.",
        ),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a training that was interrupted.")
    ] = False,
    device: Device = "auto",
    dataset: DatasetRoot = None,
    artifacts: Artifacts = None,
) -> None:
    """Train a model on the features.

    The epoch is chosen on validation; the model goes to artifacts/models/NAME.h5. Several
    GPUs: torchrun --nproc-per-node N -m avloc train ...
    """
    from avloc import stages
    from avloc.training import is_leader

    with console.progress_bar("train") as progress:
        done = stages.train(
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
