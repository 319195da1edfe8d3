"""``--settings``: what ``--set KEY=VALUE`` takes, as tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from avloc.cli import console


def _training() -> Mapping[str, type[Any]]:
    from avloc.errors import DependencyError
    from avloc.models import list_models, model_class
    from avloc.training import TrainingConfig

    kinds: dict[str, type[Any]] = {"Training": TrainingConfig}
    for name in list_models():
        try:
            kinds[f"The model {name} (--model {name})"] = model_class(name).Config
        except DependencyError as error:  # another package's model; the others can be listed
            console.say(f"left out: {console.one_line(error)}")
    return kinds


def _synthesis() -> Mapping[str, type[Any]]:
    from avloc.datasets import SynthesisConfig

    return {"Made clips": SynthesisConfig}


def _listing(kinds: Callable[[], Mapping[str, type[Any]]]) -> Any:
    def show(value: bool) -> None:
        if value:
            from avloc.options import describe_options

            for title, kind in kinds().items():
                lines = describe_options(kind)
                rows = [(line.name, line.default, line.values, line.help) for line in lines]
                console.show_table(title, ("setting", "default", "values", "meaning"), rows)
            raise typer.Exit

    return typer.Option(
        "--settings", callback=show, is_eager=True, help="List what --set takes, and exit."
    )


TrainingSettings = Annotated[bool, _listing(_training)]
SynthesisSettings = Annotated[bool, _listing(_synthesis)]
