"""``--settings``: what ``--set KEY=VALUE`` takes, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from avloc.cli import console

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def _show_training(value: bool) -> None:
    if value:
        from avloc.models import list_models, model_class
        from avloc.training import TrainingConfig

        models = {f"The model {name} (--model {name})": model_class(name) for name in list_models()}
        _show({"Training": TrainingConfig} | {title: kind.Config for title, kind in models.items()})


def _show_synthesis(value: bool) -> None:
    if value:
        from avloc.datasets import SynthesisConfig

        _show({"Made clips": SynthesisConfig})


def _show(kinds: Mapping[str, type[DataclassInstance]]) -> None:
    from avloc.options import describe_options

    for title, kind in kinds.items():
        rows = [
            (line.name, line.default, line.values, line.help) for line in describe_options(kind)
        ]
        console.show_table(title, ("setting", "default", "values", "meaning"), rows)
    raise typer.Exit


_HELP = "List what --set takes, and exit."
TrainingSettings = Annotated[
    bool, typer.Option("--settings", callback=_show_training, is_eager=True, help=_HELP)
]
SynthesisSettings = Annotated[
    bool, typer.Option("--settings", callback=_show_synthesis, is_eager=True, help=_HELP)
]
