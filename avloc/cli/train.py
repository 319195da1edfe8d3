"""``avloc train``: features and labels to a model."""

from __future__ import annotations

from typing import Annotated, Any

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
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any option of the training or the model, for example learning_rate=3e-4.",
        ),
    ] = None,
    device: Device = "auto",
    dataset: DatasetRoot = None,
    artifacts: Artifacts = None,
) -> None:
    """Train a model on the features.

    The epoch is chosen on validation; the model goes to artifacts/models/NAME.h5.
    """
    from avloc import stages
    from avloc.recipes import settings_of

    named: dict[str, Any] = {"seed": seed, "epochs": epochs}
    config, options = settings_of(
        model, settings or (), {key: value for key, value in named.items() if value is not None}
    )
    with console.progress_bar("train") as progress:
        done = stages.train(
            artifacts=artifacts,
            dataset=dataset,
            model=model,
            name=name,
            options=options,
            config=config,
            device=device,
            progress=progress,
        )
    for key, value in done.model.metrics.items():
        console.say(f"{key}: {value:.4g}")
    console.say(f"wrote {done.path}")
