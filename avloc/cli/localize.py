"""``avloc localize``: a video to its events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avloc.cli import console
from avloc.cli.choices import EXPORT_FORMATS
from avloc.cli.parameters import parameters_of
from avloc.cli.piping import Pipe
from avloc.errors import AvlocError, NameRefusedError, OutputError, PartialFailureError

if TYPE_CHECKING:
    from avloc.stages.localize.run import LocalizedVideo
    from avloc.timeline import Timeline


@parameters_of(
    "avloc.stages.localize.run.localize",
    omit=("write",),
    videos={"more": "A single - reads paths from stdin."},
    model={"metavar": "NAME"},
    heatmap_style={"metavar": "NAME"},
    figure={"metavar": "FILE"},
    compare={"metavar": "FILE"},
    report={"metavar": "FILE"},
    format={"choices": EXPORT_FORMATS},
    out={"flags": ("--out", "-o"), "more": "- writes the events to stdout, and no file."},
    labels={"flags": ("--label",)},
)
def localize(given: dict[str, Any]) -> None:
    """Find what happens in videos, when and where.

    Written beside each video (or to --out): NAME.avloc.h5, and NAME.heatmap.mp4 with --heatmap.
    A result that is there already, from the same video, model and rules, is kept.

    It needs a trained model (avloc train); avloc brings none.
    """
    import avloc
    from avloc.stages.localize.inputs import find_inputs

    given["videos"] = console.paths_or_stdin(given["videos"])
    is_piped = str(given.get("out")) == "-"
    if is_piped:
        given |= {"out": None, "write": False}
    answers: list[LocalizedVideo] = []

    def take(answer: LocalizedVideo) -> None:
        answers.append(answer)
        show(answer)

    n_videos = len(find_inputs(given["videos"], None)) if is_piped else 0
    output = Pipe(given.get("format", ()), n_videos) if is_piped else nullcontext(_show)
    with (
        _summary(answers, given.get("report")),
        output as show,
        console.progress_bar("localize") as progress,
    ):
        avloc.localize(**given, progress=progress, each=take)


def _show(answer: LocalizedVideo) -> None:
    if answer.timeline is None:
        return
    _show_events(answer.video, answer.timeline)
    if answer.note:
        console.say(f"{answer.video} has {answer.note}")
    if answer.kept:
        console.say(f"already there: {', '.join(map(str, answer.kept))}")
    if answer.written:
        console.say(f"wrote {', '.join(map(str, answer.written))}")


def _show_events(video: Path, timeline: Timeline) -> None:
    rows = [
        (f"{event.start:g}", f"{event.end:g}", event.label, f"{event.score:.2f}")
        for event in timeline
    ]
    title = f"{video}: {len(rows) or 'no'} event{'s' * (len(rows) != 1)}"
    if rows:
        console.show_table(title, ("start", "end", "label", "score"), rows)
    else:
        console.data(title)


@contextmanager
def _summary(answers: Sequence[LocalizedVideo], report: Path | None) -> Iterator[None]:
    """Name what failed, also where the run ends with an error; end with the report's place.

    Raises:
        AvlocError: all failed. PartialFailureError: some did.
    """
    failed: list[tuple[Path, AvlocError]] = []
    try:
        yield
    finally:
        failed = [(one.video, _hinted(one.error)) for one in answers if one.error is not None]
        if len(answers) > 1:
            for video, error in failed:
                console.say(console.failure_line(video, error))
    if len(answers) == 1 and failed:
        raise failed[0][1]
    if report is not None and len(failed) < len(answers):
        console.say(f"wrote {report}")
    if failed:
        kind = AvlocError if len(failed) == len(answers) else PartialFailureError
        raise kind(f"{len(failed)} of {len(answers)} videos failed")


def _hinted(error: AvlocError) -> AvlocError:
    """Add the option that helps where a result cannot be written beside its video."""
    if isinstance(error, OutputError) and not isinstance(error, NameRefusedError):
        error.hint = f"{error.hint} --out DIR names another folder.".strip()
    return error
