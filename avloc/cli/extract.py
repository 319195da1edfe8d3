"""``avloc extract``: raw videos to features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from avloc.cli import console
from avloc.cli.parameters import parameters_of
from avloc.errors import AvlocError, PartialFailureError

if TYPE_CHECKING:
    from avloc.datasets import Dataset
    from avloc.features import ExtractionReport
    from avloc.stages.input_videos import InputVideos


@parameters_of(
    "avloc.stages.extract.extract",
    paths={"more": "A single - reads paths from stdin."},
    fps={"min": 1, "max": 120},
    sampling={"choices": "avloc.spec.SAMPLINGS"},
    segment_seconds={"min": 0.1, "max": 10},
    workers={"min": 0},
    batch_size={"min": 1},
    shard={"metavar": "I/N|auto"},
)
def extract(
    given: dict[str, Any],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the videos and their files, and stop.")
    ] = False,
) -> None:
    """List or extract the videos, and print what failed."""
    import avloc
    from avloc.engine.shard import AUTO, named_shard
    from avloc.stages.input_videos import find_videos

    given["paths"] = console.paths_or_stdin(given["paths"])
    if given["shard"] == AUTO:
        given["shard"] = named_shard(AUTO)
        console.say(f"part {given['shard']} of the videos")
    if dry_run:
        _show_plan(find_videos(given["paths"], given["shard"]))
        return
    with console.progress_bar("extract") as progress:
        done = avloc.extract(**given, progress=progress, notice=console.say)
    _say_missing(done.dataset)
    _summarise(done.report, f"features {done.store.fingerprint} in {done.store.root}")
    if not done.store.dataset_root:
        console.say(
            "these videos have no labels, and `avloc train` needs labels: --dataset with a data "
            "set's folder, or with a CSV file whose columns are video, label, start, end, split"
        )


def _show_plan(sources: InputVideos) -> None:
    from avloc.datasets import count_labels

    for video_id, path in sources.videos:
        console.data(f"{video_id}\t{path}")
    n_videos = len(sources.videos)
    console.say(f"{n_videos} video{'s' * (n_videos != 1)}")
    _say_missing(sources.dataset)
    for line in count_labels(sources.dataset).lines() if sources.dataset else ():
        console.say(line)


def _say_missing(dataset: Dataset | None) -> None:
    if dataset is None:
        return
    if missing := dataset.coverage.missing:
        console.say(f"{len(missing)} of {dataset.coverage.total} videos are missing")
    if dataset.ignored_fields:
        console.say(f"fields of the manifest that are ignored: {', '.join(dataset.ignored_fields)}")
    for note in dataset.notes:
        console.say(note)


def _summarise(report: ExtractionReport, where: str) -> None:
    for failure in report.failures:
        console.say(f"failed: {failure.video_id}: {failure.reason}")
    counts = f"{report.n_done} extracted, {report.n_skipped} already there"
    if not report.failures:
        console.say(f"{counts}; {where}")
        return
    n_failed = len(report.failures)
    if not report.n_done + report.n_skipped:
        raise AvlocError(f"no video could be extracted ({n_failed} failed)")
    raise PartialFailureError(f"{counts}, {n_failed} failed; {where}")
