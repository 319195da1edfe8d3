"""The models of a figure: their names, told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from avloc.errors import UsageError
from avloc.export.figures.figure_sheet import cut_to
from avloc.export.lines import one_line
from avloc.timeline import Timeline

TRUTH = "truth"
NAME_ROOM = 290
_UNNAMED = "found"


@dataclass(frozen=True)
class Voice:
    """One model's answer and the name it goes by."""

    timeline: Timeline
    name: str


def voices(timelines: Sequence[Timeline], names: Sequence[str] | None = None) -> list[Voice]:
    """Give each timeline of one video a name of its own, short enough for a margin.

    Names that are, or once cut would be, the same are numbered.

    Args:
        timelines: one a model.
        names: instead of the models' own names.

    Raises:
        UsageError: there is no timeline, their segments differ, or the names do not match.
    """
    if not timelines:
        raise UsageError("a figure needs a timeline", "Give one a model.")
    if any(timeline.grid != timelines[0].grid for timeline in timelines):
        raise UsageError(
            "the timelines are cut into different segments, which one figure cannot show",
            "Localize one video with models of one segment length.",
        )
    if names is not None and len(names) != len(timelines):
        raise UsageError(f"{len(names)} names do not fit {len(timelines)} timelines")
    given = [timeline.model for timeline in timelines] if names is None else names
    whole = [one_line(name) or _UNNAMED for name in given]
    short = [cut_to(name, NAME_ROOM) for name in whole]
    if len({*short, TRUTH}) <= len(short):
        short = [cut_to(f"{n}: {name}", NAME_ROOM) for n, name in enumerate(whole, start=1)]
    return [Voice(timeline, name) for timeline, name in zip(timelines, short, strict=True)]
