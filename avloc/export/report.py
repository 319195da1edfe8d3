"""A run as one page of HTML that needs nothing beside itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

import jinja2

from avloc.artifacts import write_text
from avloc.export.curves import draw_curve
from avloc.export.lines import one_line
from avloc.export.report_clips import view_clip
from avloc.export.report_parts import ReportClip, ReportResults


def write_report(
    target: Path | str,
    *,
    title: str,
    timelines: Sequence[ReportClip],
    results: ReportResults | None = None,
    made: Mapping[str, str] | None = None,
) -> Path:
    """Write a self-contained HTML page; only videos and files are linked, relative to it.

    Args:
        target: the page's file.
        title: its heading.
        timelines: the videos, in the order they should be read.
        results: tables and curves to stand before them.
        made: more on how it was made, name by name; model, features and version are told
            without asking.

    Returns:
        ``target``.

    Raises:
        OutputError: the target cannot be written.
    """
    target = Path(target)
    results = results or ReportResults()
    text = _template().render(
        title=one_line(title),
        made=_how_made(timelines, made or {}),
        tables=results.tables,
        curves=[draw_curve(curve) for curve in results.curves],
        clips=[view_clip(clip, target) for clip in timelines],
    )
    # A file name that is no UTF-8 reaches here as lone surrogates, which no file can hold.
    write_text(target, text.encode("utf-8", errors="replace").decode("utf-8"))
    return target


def _how_made(clips: Sequence[ReportClip], more: Mapping[str, str]) -> dict[str, str]:
    """Return what stands at the head of the page, name by name."""

    def all_of(name: str) -> str:
        return ", ".join(dict.fromkeys(v for c in clips if (v := getattr(c.timeline, name))))

    told = {"Model": all_of("model"), "Features": all_of("fingerprint")}
    told = {name: words for name, words in told.items() if words}
    return {**told, **more, "Made by": f"avloc {version('avloc')}"}


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("avloc.export", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["is_number"] = _is_number
    return environment.get_template("report.html.j2")


def _is_number(cell: str) -> bool:
    """Tell whether a cell reads as a number, which stands at the right of its column."""
    first = cell.split()[0].strip("%±+-<>~") if cell.split() else "-"
    return first.replace(".", "", 1).isdigit() or first in ("", "—", "–")
