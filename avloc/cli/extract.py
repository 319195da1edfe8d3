"""``avloc extract``: raw videos to features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from avloc.cli import console
from avloc.cli.choices import SAMPLINGS
from avloc.cli.parameters import parameters_of
from avloc.errors import AvlocError, PartialFailureError

if TYPE_CHECKING:
    from avloc.datasets import Coverage
    from avloc.stages.extract import Extraction, Sources


@parameters_of(
    "avloc.stages.extract.extract",
    paths={"more": "A single - reads paths from stdin."},
    fps={"min": 1, "max": 120},
    sampling={"choices": SAMPLINGS},
    workers={"min": 0},
    batch_size={"min": 1},
    shard={"metavar": "I/N"},
)
def extract(
    given: dict[str, Any],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the videos and their files, and stop.")
    ] = False,
) -> None:
    """Extract features from videos.

    They are written to artifacts/features, one file per video. A video whose features are
    there already is skipped.
    """
    import avloc
    from avloc.stages.extract import find_sources

    given["paths"] = console.paths_or_stdin(given["paths"])
    if dry_run:
        _show_plan(find_sources(given["paths"], given["shard"]))
        return
    with console.progress_bar("extract") as progress:
        done = avloc.extract(**given, progress=progress)
    _summarise(done)


def _show_plan(sources: Sources) -> None:
    for video_id, path in sources.videos:
        console.data(f"{video_id}\t{path}")
    n_videos = len(sources.videos)
    console.say(f"{n_videos} video{'s' * (n_videos != 1)}")
    _say_coverage(sources.coverage)
    _say_ignored(sources.ignored_fields)
    for line in sources.labels.lines() if sources.labels else ():
        console.say(line)


def _say_coverage(coverage: Coverage | None) -> None:
    if coverage is not None and coverage.missing:
        console.say(f"{len(coverage.missing)} of {coverage.total} videos are missing")


def _say_ignored(fields: Sequence[str]) -> None:
    if fields:
        console.say(f"fields of the manifest that are ignored: {', '.join(fields)}")


def _summarise(done: Extraction) -> None:
    report = done.report
    _say_coverage(done.coverage)
    _say_ignored(done.ignored_fields)
    for failure in report.failures:
        console.say(f"failed: {failure.video_id}: {failure.reason}")
    counts = f"{report.n_done} extracted, {report.n_skipped} already there"
    if report.failures:
        counts += f", {len(report.failures)} failed"
    where = f"features {done.store.fingerprint} in {done.store.root}"
    if report.failures and not report.n_done + report.n_skipped:
        raise AvlocError(f"no video could be extracted ({len(report.failures)} failed)")
    if report.failures:
        raise PartialFailureError(f"{counts}; {where}")
    console.say(f"{counts}; {where}")
    if not done.store.dataset_root:
        console.say(
            "these videos have no labels, and `avloc train` needs labels: --dataset with a data "
            "set's folder, or with a CSV file whose columns are video, label, start, end, split"
        )
