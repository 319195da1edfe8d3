"""``avloc open``: words to a model that needs no training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from avloc.cli import console
from avloc.cli.parameters import parameters_of

if TYPE_CHECKING:
    from avloc.vocabulary import ClassWeight, LabelMapping

_MOST_CLASSES = 6  # of a label's that are printed


@parameters_of(
    "avloc.stages.open_model.open_model",
    labels={"flags": ("--label",)},
    labels_file={"metavar": "FILE"},
    map={"metavar": "FILE"},
    background={"metavar": "STORE"},
    fps={"min": 1, "max": 120},
    segment_seconds={"min": 0.1, "max": 10},
)
def open_model(
    given: dict[str, Any],
    show: Annotated[
        bool, typer.Option("--show", help="Print which classes stand for each label.")
    ] = False,
) -> None:
    """Make the model, and print its notes and its file."""
    import avloc

    made = avloc.open_model(**given)
    if show:
        rows = [_row(mapping) for mapping in made.mappings]
        console.show_table("", ["label", "heard", "seen", "note"], rows)
    for note in made.notes:
        console.say(note)
    console.say(f"wrote {made.path}")


def _row(mapping: LabelMapping) -> list[str]:
    senses = {"heard": mapping.heard, "seen": mapping.seen}
    lacking = [sense for sense, classes in senses.items() if not classes]
    note = f"abstains: {lacking[0]}" if len(lacking) == 1 else ""
    if len(lacking) == 2:
        note = f"matches nothing; nearest: {', '.join(mapping.nearest) or 'none'}"
    return [mapping.label, *map(_classes, senses.values()), note]


def _classes(weights: Sequence[ClassWeight]) -> str:
    shown = [f"{entry.name} {entry.weight:.2g} ({entry.reason})" for entry in weights]
    more = len(shown) - _MOST_CLASSES
    return "; ".join(shown[:_MOST_CLASSES]) + (f"; and {more} more" if more > 0 else "") or "-"
