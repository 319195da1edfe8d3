"""A run as one page of HTML that contains everything but the videos that it plays."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import jinja2

from avloc.artifacts import write_text
from avloc.colours import SENSE_COLOURS, as_hex
from avloc.export.axis import STEPS
from avloc.export.confidence import LIMITS
from avloc.export.lines import one_line
from avloc.export.links import shown_names
from avloc.export.report.report_clips import ClipView, ReportClip
from avloc.export.sense_letters import KEY

_MAKER = f"avloc {version('avloc')}"


def write_report(
    target: Path | str,
    *,
    title: str,
    timelines: Sequence[ReportClip],
    made: Mapping[str, str] | None = None,
) -> Path:
    """Write an HTML page with everything inside but the videos, which are linked relative to it.

    Each video has its player over a time line that moves with it. With truth, the index says
    which videos agree. The page opens from a disk, without a network or JavaScript. ``made``
    adds facts on how it was made to model, features and avloc's version.
    """
    target = Path(target)
    names = shown_names([clip.timeline.video_id for clip in timelines])
    clips = [
        ClipView(clip, target, one_line(name)) for clip, name in zip(timelines, names, strict=True)
    ]
    text = (
        environment()
        .get_template("report.html.j2")
        .render(
            title=one_line(title),
            maker=_MAKER,
            tick_steps=STEPS,
            script=_script(),
            policy=_policy(),
            senses={sense: as_hex(colour) for sense, colour in SENSE_COLOURS.items()},
            letters=KEY,
            limits=LIMITS,
            made=_how_made(timelines, made or {}),
            clips=clips,
            zooms=any(view.can_zoom for view in clips),
            n_events=sum(len(clip.timeline) for clip in timelines),
        )
    )
    # A file name that is not UTF-8 comes with lone surrogates, which no file can hold.
    write_text(target, text.encode("utf-8", errors="replace").decode("utf-8"))
    return target


def _how_made(clips: Sequence[ReportClip], more: Mapping[str, str]) -> dict[str, str]:
    models = dict.fromkeys(clip.timeline.model for clip in clips if clip.timeline.model)
    features = dict.fromkeys(c.timeline.fingerprint for c in clips if c.timeline.fingerprint)
    facts = {"Model": ", ".join(models), "Features": ", ".join(features)}
    return {n: words for n, words in facts.items() if words} | {**more, "Made by": _MAKER}


@cache
def environment() -> jinja2.Environment:
    """Return the templates of the report and of the notebook."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("avloc.export.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _script() -> str:
    """Return the page's script as it is: Jinja would take braces in JavaScript for its own."""
    source = (files("avloc.export.report") / "templates" / "report.js").read_text("utf-8")
    return "\n" + "\n".join(source.splitlines()) + "\n"


@cache
def _policy() -> str:
    """Return what the page may load: only its own script, and videos in its folder or by file:."""
    digest = base64.b64encode(hashlib.sha256(_script().encode("utf-8")).digest()).decode("ascii")
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )
