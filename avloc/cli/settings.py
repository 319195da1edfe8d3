"""What ``--set KEY=VALUE`` takes, as tables: ``--settings``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from avloc.cli import console

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_HEADER = ("setting", "default", "values", "meaning")


def _show_training(value: bool) -> None:
    from avloc.models import list_models, model_class
    from avloc.training import TrainingConfig

    if value:
        _show("Training", TrainingConfig)
        for name in list_models():
            _show(f"The model {name} (--model {name})", model_class(name).Config)
        raise typer.Exit


def _show_synthesis(value: bool) -> None:
    from avloc.datasets import SynthesisConfig

    if value:
        _show("Made clips", SynthesisConfig)
        raise typer.Exit


def _show(title: str, kind: type[DataclassInstance]) -> None:
    from avloc.options import describe_options

    rows = [(line.name, line.default, line.values, line.help) for line in describe_options(kind)]
    console.show_table(title, _HEADER, rows)


def _listing(show: Callable[[bool], None]) -> typer.models.OptionInfo:
    option: typer.models.OptionInfo = typer.Option(
        "--settings", callback=show, is_eager=True, help="List what --set takes, and exit."
    )
    return option


TrainingSettings = Annotated[bool, _listing(_show_training)]
SynthesisSettings = Annotated[bool, _listing(_show_synthesis)]
