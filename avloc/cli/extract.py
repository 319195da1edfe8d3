"""``avloc extract``: raw videos to features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from avloc.cli import console
from avloc.cli.choices import SAMPLINGS, choice
from avloc.cli.parameters import (
    Artifacts,
    Audio,
    Device,
    Offline,
    Overwrite,
    Precision,
    Runtime,
    Visual,
    Weights,
    paths_or_stdin,
)
from avloc.errors import AvlocError, PartialFailureError

if TYPE_CHECKING:
    from avloc.datasets import Coverage
    from avloc.stages.extract import Extraction, Sources


def extract(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="A data set's folder, a manifest, folders of videos, or videos; - reads paths "
            "from stdin."
        ),
    ],
    visual: Visual = "resnet152",
    audio: Audio = "vggish",
    fps: Annotated[int, typer.Option(min=1, max=120, help="Frames sampled per second.")] = 16,
    sampling: Annotated[
        str,
        choice(
            "sampling",
            SAMPLINGS,
            help="How frames are chosen: by their time stamps, or by AVE's frame counts.",
        ),
    ] = "pts",
    device: Device = "auto",
    precision: Precision = "auto",
    runtime: Runtime = "auto",
    workers: Annotated[
        int | None,
        typer.Option(min=0, help="Decoding processes.", show_default="by the number of cores"),
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Frames per batch.", show_default="auto")
    ] = None,
    overwrite: Overwrite = "stale",
    shard: Annotated[
        str,
        typer.Option(metavar="I/N", help="Extract part I of N; other machines extract the others."),
    ] = "1/1",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the videos and their files, and stop.")
    ] = False,
    weights: Weights = None,
    offline: Offline = False,
    artifacts: Artifacts = None,
) -> None:
    """Extract features from videos.

    They are written to artifacts/features, one file per video. A video whose features are
    there already is skipped.
    """
    import avloc
    from avloc.stages.extract import find_sources

    sources = paths_or_stdin(paths)
    if dry_run:
        _show_plan(find_sources(sources, shard))
        return
    with console.progress_bar("extract") as progress:
        done = avloc.extract(
            sources,
            artifacts=artifacts,
            visual=visual,
            audio=audio,
            fps=fps,
            sampling=sampling,
            device=device,
            precision=precision,
            runtime=runtime,
            weights=weights,
            offline=offline,
            workers=workers,
            batch_size=batch_size,
            overwrite=overwrite,
            shard=shard,
            progress=progress,
        )
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
