"""The stage ``localize``: videos and models in; timelines, exports, pictures and a report out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from avloc.errors import AvlocError, OutputError, PartialFailureError, UsageError
from avloc.events import EventRules
from avloc.export.heat_style import DEFAULT_STYLE, HeatStyle
from avloc.progress import Progress, silent
from avloc.stages.localize.answers import Answerer
from avloc.stages.localize.inputs import Input, find_inputs
from avloc.stages.localize.outputs import Products
from avloc.stages.localize.run import Localization, Run
from avloc.stages.workspace import DEFAULT_MODEL, Workspace

if TYPE_CHECKING:
    from avloc.stages.localize.report_writer import Reporting
    from avloc.stages.localize.truth import Truth


def localize(
    videos: Sequence[Path | str] | Path | str,
    *,
    model: Sequence[Path | str] | Path | str = DEFAULT_MODEL,
    artifacts: Path | str | None = None,
    heatmap: bool = False,
    heatmap_style: str = DEFAULT_STYLE.colormap,
    alpha: float = DEFAULT_STYLE.alpha,
    figure: str | None = None,
    compare: str | None = None,
    report: Path | str | None = None,
    format: Sequence[str] = (),
    out: Path | str | None = None,
    write: bool = True,
    overwrite: str = "stale",
    dataset: Path | str | None = None,
    keep: float = 1.0,
    min_gap: float = 0.0,
    min_seconds: float = 0.0,
    min_score: float = 0.0,
    labels: Sequence[str] = (),
    device: str = "auto",
    weights: Path | None = None,
    offline: bool = False,
    progress: Progress | None = None,
    each: Callable[[Localization], None] | None = None,
) -> list[Localization]:
    """Localize the events of videos, one after the other, and write each answer.

    An interruption keeps the answers that are done, and the report tells of those.

    Args:
        videos: video and sound files, and folders of them.
        model: a model's name in the workspace, or a model file; of several, the first one's
            answer is a video's own, the others' stand beside it in figures and in
            ``<video>.avloc.<model>.h5``.
        artifacts: the workspace; ``$AVLOC_ARTIFACTS`` or ``./artifacts`` by default.
        heatmap: also render ``<video>.heatmap.mp4``, the video with its attention, sound kept.
        heatmap_style: a matplotlib colour map, and
        alpha: the opacity in [0, 1] where it is strongest, of all heat maps.
        figure: also draw the events of each model over the seconds: ``png``, ``pdf`` or
            ``svg`` for ``<video>.avloc.figure.<kind>``, or a file's name for one video.
        compare: the same for a figure of where the models look
            (``<video>.avloc.compare.<kind>``).
        report: also write a page about all videos to this file.
        format: other files to write, for example ``["csv", "srt"]`` for ``<video>.avloc.csv``
            and ``<video>.avloc.srt``.
        out: a folder for what is written, in which a given folder's own tree is kept; beside
            each video by default.
        write: False only returns the answers: nothing but the report is written, nothing read.
        overwrite: ``stale`` makes anew what does not follow from the same model, rules and
            video, ``always`` everything, ``never`` nothing that is there and can be read. A
            file that avloc did not write is never replaced.
        dataset: a data set that knows the true events, and perhaps the boxes, of the videos.
        keep: an event goes on over background where its label still has this probability.
        min_gap: events of one label that are fewer seconds apart become one.
        min_seconds: shorter events are left out.
        min_score: events of a lower score are left out.
        labels: only events of these labels; all by default.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``.
        weights: a folder that is searched for the encoders' weight files first.
        offline: never open a socket.
        progress: called with (videos done, with the share of the one under way; videos; what).
        each: called with each answer as it comes.

    Returns:
        An answer a video; one that fails carries its error, and the others go on. Videos that
        another run is at are waited for, last of all.

    Raises:
        ArtifactError: there is no model. UnknownNameError: no such format, style or kind of
        figure, or the model knows no such label. UsageError: a number is out of its range, or
        two videos would write the same files. DatasetError: the data set's files are wrong.
        WeightsError: an encoder's weights cannot be had. OutputError: the report or the figure
        cannot be written, or would replace a file that avloc did not write.
        PartialFailureError: all is done but the report, which could not be written in the end.
    """
    rules = EventRules(keep, min_gap, min_seconds, min_score, tuple(labels))
    look = HeatStyle(heatmap_style, alpha)
    if not write and (heatmap or figure or compare):
        raise UsageError("pictures are files, and nothing is to be written")
    inputs = find_inputs(_listed(videos), Path(out) if out else None)
    paths = _models(inputs, Workspace.at(artifacts), _listed(model))
    products = Products(
        format=tuple(format),
        heatmap=heatmap,
        figure=figure,
        compare=compare,
        look=look,
        truth=None if dataset is None else _truth(Path(dataset)),
        names=_distinct([path.stem for path in paths]),
        overwrite=overwrite,
    )
    products.check(len(inputs))
    answerer = Answerer(
        dict(zip(products.names, paths, strict=True)),
        rules,
        overwrite,
        device=device,
        weights=weights,
        offline=offline,
    )
    reporting = None
    if report is not None:
        from avloc.stages.localize.report_writer import Reporting, check_page  # costs matplotlib

        check_page(Path(report))
        if answerer.models:
            reporting = Reporting(Path(report), products, answerer.models[0], paths[0], rules)
    run = Run(answerer, products, reporting, is_written=write)
    try:
        answers = run(inputs, progress or silent, each)
    except BaseException:
        with suppress(AvlocError):  # what ended the run is what matters
            _write(reporting)
        raise
    try:
        _write(reporting)
    except OutputError as error:
        n_done = sum(answer.timeline is not None for answer in answers)
        reason = (
            f"{n_done} of {len(answers)} videos were answered, but not the report: {error.message}"
        )
        raise PartialFailureError(reason, error.hint) from error
    return answers


def _listed(given: Sequence[Path | str] | Path | str) -> list[Path | str]:
    return [given] if isinstance(given, str | Path) else list(given)


def _models(
    inputs: Sequence[Input], workspace: Workspace, asked: Sequence[Path | str]
) -> list[Path]:
    """Return the models' files; where there is no video, what is wrong is not the model."""
    if all(one.error is not None for one in inputs):
        return []
    return list(dict.fromkeys(workspace.existing_model(one) for one in asked))


def _truth(root: Path) -> Truth:
    from avloc.stages.localize.truth import Truth

    return Truth(root)


def _write(reporting: Reporting | None) -> None:
    if reporting is not None:
        reporting.write()


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Number the names that came before: they also name files."""
    return tuple(
        f"{name}-{names[:n].count(name) + 1}" if name in names[:n] else name
        for n, name in enumerate(names)
    )
