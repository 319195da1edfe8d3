"""``avloc localize``: a video to its events."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avloc.cli import console
from avloc.cli.parameters import parameters_of
from avloc.errors import (
    AvlocError,
    NameRefusedError,
    OutputError,
    PartialFailureError,
    UsageError,
)

if TYPE_CHECKING:
    from avloc.artifacts import Location
    from avloc.stages.localize.localized_video import LocalizedVideo
    from avloc.timeline import Event

_WITH_HEADER = ("csv", "tsv")
_JOINABLE = ("json", "jsonl", *_WITH_HEADER)  # json as one list, the others line after line


@parameters_of(
    "avloc.stages.localize.run.localize",
    omit=("write",),
    videos={"more": "A single - reads paths from stdin."},
    model={"metavar": "NAME"},
    heatmap_style={"metavar": "NAME"},
    figure={"metavar": "FILE"},
    compare={"metavar": "FILE"},
    report={"metavar": "FILE"},
    format={"choices": "avloc.export.formats.saving.FORMATS"},
    out={"flags": ("--out", "-o"), "more": "- writes the events to stdout, and no file."},
    labels={"flags": ("--label",)},
    segment_seconds={"min": 0.1, "max": 10},
)
def localize(given: dict[str, Any]) -> None:
    """Localize, and print the events of each video as it is done."""
    import avloc
    from avloc.stages.localize.inputs import find_inputs

    given["videos"] = console.paths_or_stdin(given["videos"])
    output: AbstractContextManager[Callable[[LocalizedVideo], None]] = nullcontext(_show)
    if str(given.get("out")) == "-":
        given |= {"out": None, "write": False}
        output = _stdout(given.get("format", ()), len(find_inputs(given["videos"], None)))
    answers: list[LocalizedVideo] = []

    def each(answer: LocalizedVideo) -> None:
        answers.append(answer)
        show(answer)

    with (
        _summary(answers, given.get("report")),
        output as show,
        console.progress_bar("localize") as progress,
    ):
        avloc.localize(**given, progress=progress, each=each, notice=console.say)


def _show(answer: LocalizedVideo) -> None:
    if answer.timeline is None:
        return
    header, rows = _table(answer.timeline.events)
    title = f"{answer.video}: {len(rows) or 'no'} event{'s' * (len(rows) != 1)}"
    if rows:
        console.show_table(title, header, rows)
    else:
        console.data(title)
    _say_note(answer)
    if answer.kept:
        console.say(f"already there: {', '.join(map(str, answer.kept))}")
    if answer.written:
        console.say(f"wrote {', '.join(map(str, answer.written))}")


def _table(events: Sequence[Event]) -> tuple[list[str], list[list[str]]]:
    """Return the header and the rows of a table of events; senses where any is known."""
    from avloc.export.confidence import confidence
    from avloc.export.sense_letters import WORDS, are_unknown

    header = ["start", "end", "label", "score", "confidence", "sense"]
    rows = [
        [
            *(f"{event.start:g}", f"{event.end:g}", event.label, f"{event.score:.2f}"),
            *(confidence(event.score), WORDS[event.sense]),
        ]
        for event in events
    ]
    if events and not are_unknown(events):
        header += ["heard", "seen"]
        for row, event in zip(rows, events, strict=True):
            values = (event.heard, event.seen)
            row += ["" if value is None else f"{value:.2f}" for value in values]
    return header, rows


def _say_note(answer: LocalizedVideo) -> None:
    from avloc.export.sense_letters import are_unknown, reason_unknown

    if answer.note:
        console.say(f"{answer.video} has {answer.note}")
    for remark in answer.remarks:
        console.say(f"{answer.video}: {remark}")
    if answer.timeline is not None and are_unknown(answer.timeline.events):
        reason = reason_unknown(answer.timeline)
        console.say(f"{answer.video}: the sense of its events is not known: {reason}")


@contextmanager
def _stdout(formats: Sequence[str], n_videos: int) -> Iterator[Callable[[LocalizedVideo], None]]:
    """Yield a function that writes answers to stdout; what an interruption leaves can be read."""
    from avloc.export.formats.saving import dumps

    if len(formats) > 1:
        raise UsageError("stdout takes one format", "Name one: --format jsonl.")
    format = formats[0] if formats else "jsonl"
    if n_videos > 1 and format not in _JOINABLE:
        raise UsageError(
            f"{format} holds one video, and there are {n_videos}",
            f"On stdout choose one of {', '.join(_JOINABLE)}.",
        )
    is_list = format == "json" and n_videos > 1
    n_written = 0

    def write(answer: LocalizedVideo) -> None:
        nonlocal n_written
        if answer.timeline is None:
            return
        text = dumps(answer.timeline, format)
        if is_list:
            text = ("," if n_written else "") + "\n" + text.rstrip("\n")
        elif n_written and format in _WITH_HEADER:
            text = text.partition("\n")[2]
        n_written += 1
        console.write(text)
        _say_note(answer)

    if is_list:
        console.write("[")
    try:
        yield write
    finally:
        if is_list:
            console.write("\n]\n")


@contextmanager
def _summary(answers: Sequence[LocalizedVideo], report: Path | None) -> Iterator[None]:
    """At the end, also of an interrupted run, name the failures and the report."""
    failures: list[tuple[Location, AvlocError]] = []
    try:
        yield
    finally:
        failures += [(done.video, _with_hint(done.error)) for done in answers if done.error]
        for video, error in failures if len(answers) > 1 else ():
            line = console.one_line(error)
            console.say(f"failed: {line}" if video.name in line else f"failed: {video}: {line}")
    if len(answers) == 1 and failures:
        raise failures[0][1]
    if report is not None and len(failures) < len(answers):
        console.say(f"wrote {report}")
    if failures:
        kind = AvlocError if len(failures) == len(answers) else PartialFailureError
        raise kind(f"{len(failures)} of {len(answers)} videos failed")


def _with_hint(error: AvlocError) -> AvlocError:
    """Add the option that helps where a result cannot be written beside its video."""
    if isinstance(error, OutputError) and not isinstance(error, NameRefusedError):
        error.hint = f"{error.hint} --out DIR names another folder.".strip()
    return error
