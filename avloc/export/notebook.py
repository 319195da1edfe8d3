"""A timeline in a notebook: HTML without script or style sheet, for light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from avloc.colours import SENSE_COLOURS, as_hex
from avloc.export.axis import Axis
from avloc.export.report.blocks import DAY, Block, track_of
from avloc.export.report.page import environment
from avloc.export.sense_letters import are_unknown, reason_unknown
from avloc.timeline import Timeline

MOST_ROWS = 20
_NARROWEST = 0.25  # percent of the strip: less than two pixels of the widest


def timeline_html(timeline: Timeline) -> str:
    """Return a title line, a strip of all events, and a table of the first `MOST_ROWS`.

    Events at the same time are drawn under each other, fainter where they are less sure.
    """
    n_events = len(timeline)
    is_known = math.isfinite(timeline.duration) and timeline.duration > 0
    facts = (
        f"{timeline.duration:.1f} s" if is_known else "",
        timeline.model,
        f"{n_events or 'no'} event{'' if n_events == 1 else 's'}",
        *(flag.replace("_", " ") for flag in timeline.flags),
    )
    axis = Axis(float(timeline.grid.n_segments * timeline.grid.segment_seconds))
    track = track_of("found", timeline.events, axis, timeline.labels)
    note = f"sense not known: {reason_unknown(timeline)}" if are_unknown(timeline.events) else ""
    text = (
        environment()
        .get_template("notebook.html.j2")
        .render(
            name=timeline.video_id,
            facts=[fact for fact in facts if fact],
            axis=axis,
            high=30 if track.n_lanes == 1 else 24,
            ground=as_hex(DAY),
            n_lanes=track.n_lanes,
            blocks=_visible(track.shown),
            n_hidden=track.n_hidden,
            rows=track.blocks[:MOST_ROWS],
            has_senses=track.has_senses,
            sense_note=note,
            senses={sense: as_hex(colour) for sense, colour in SENSE_COLOURS.items()},
            n_more=max(0, n_events - MOST_ROWS),
        )
    )
    # A notebook is JSON in UTF-8, which cannot hold a file name's lone surrogates.
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _visible(blocks: Iterable[Block]) -> list[Block]:
    """Widen narrow blocks, and drop those that would hide each other: they would be thousands."""
    visible: dict[tuple[int, int, int | None], Block] = {}
    for block in blocks:
        left, width = min(block.left, 100 - _NARROWEST), max(block.width, _NARROWEST)
        cell = int(left / _NARROWEST), math.ceil(width / _NARROWEST), block.lane
        visible.setdefault(cell, replace(block, left=left, width=width))
    return list(visible.values())
