"""A run as one page of HTML, with everything inside but the videos that it plays."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

import jinja2

from avloc.artifacts import write_text
from avloc.export.axis import STEPS
from avloc.export.lines import one_line
from avloc.export.links import shown_names
from avloc.export.report.report_clips import view_clip
from avloc.export.report.report_parts import ReportClip

_MAKER = f"avloc {version('avloc')}"


def write_report(
    target: Path | str,
    *,
    title: str,
    timelines: Sequence[ReportClip],
    made: Mapping[str, str] | None = None,
) -> Path:
    """Write an HTML page with everything inside but the videos, which lie beside it.

    Videos and files are linked, relative to the page. Each video has its player, and under it
    a time line that moves with it and can be zoomed. With truth, the page's index says which
    videos agree with it. The page opens from a disk, without a network; without JavaScript it
    says the same and stands still.

    Args:
        target: the page's file.
        title: its heading.
        timelines: the videos, in the order they should be read.
        made: more on how it was made, name by name, in order: versions, the model's file, the
            event rules, ...; model, features and avloc's version are told without asking.

    Returns:
        ``target``.

    Raises:
        OutputError: the target cannot be written.
    """
    target = Path(target)
    names = shown_names([clip.timeline.video_id for clip in timelines])
    clips = [view_clip(clip, target, name) for clip, name in zip(timelines, names, strict=True)]
    text = _template().render(
        title=one_line(title),
        maker=_MAKER,
        tick_steps=STEPS,
        script=_script(),
        policy=_policy(),
        made=_how_made(timelines, made or {}),
        clips=clips,
        zooms=any(view.can_zoom for view in clips),
        n_events=sum(len(clip.timeline) for clip in timelines),
    )
    # A file name that is no UTF-8 reaches here as lone surrogates, which no file can hold.
    write_text(target, text.encode("utf-8", errors="replace").decode("utf-8"))
    return target


def _how_made(clips: Sequence[ReportClip], more: Mapping[str, str]) -> dict[str, str]:
    """Return what stands at the foot of the page, name by name."""

    def all_of(name: str) -> str:
        return ", ".join(dict.fromkeys(v for c in clips if (v := getattr(c.timeline, name))))

    told = {"Model": all_of("model"), "Features": all_of("fingerprint")}
    told = {name: words for name, words in told.items() if words}
    return {**told, **more, "Made by": _MAKER}


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("avloc.export.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _template() -> jinja2.Template:
    return _environment().get_template("report.html.j2")


@cache
def _script() -> str:
    """Return the page's script, as it is: to Jinja, braces in JavaScript would be its own."""
    environment = _environment()
    assert environment.loader is not None
    source, _, _ = environment.loader.get_source(environment, "report.js")
    return "\n" + "\n".join(source.splitlines()) + "\n"


@cache
def _policy() -> str:
    """Return what the page may load: its own script and no other, nothing from elsewhere.

    ``'self'`` is the folder the page came from, by ``file:`` as by ``http:``; ``file:`` is for
    a video on another drive.
    """
    digest = base64.b64encode(hashlib.sha256(_script().encode("utf-8")).digest()).decode("ascii")
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "img-src data:; media-src 'self' file:; base-uri 'none'; form-action 'none'"
    )
