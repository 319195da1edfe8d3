"""``avloc extract``: raw videos to features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from avloc.cli import console
from avloc.cli.options import Artifacts, Device, Offline, Weights, paths_or_stdin
from avloc.errors import AvlocError, PartialFailureError

if TYPE_CHECKING:
    from avloc.datasets import Coverage
    from avloc.stages import Extraction, Sources


def extract(
    paths: Annotated[
        list[str],
        typer.Argument(
            help="A data set's root, a manifest, folders or videos; - reads paths from stdin."
        ),
    ],
    visual: Annotated[str, typer.Option(help="The visual encoder.")] = "resnet152",
    audio: Annotated[str, typer.Option(help="The audio encoder.")] = "vggish",
    fps: Annotated[int, typer.Option(min=1, max=120, help="Frames sampled a second.")] = 16,
    sampling: Annotated[str, typer.Option(help="pts, or ave2018 for AVE's own rule.")] = "pts",
    device: Device = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32 or fp16.")] = "auto",
    runtime: Annotated[str, typer.Option(help="auto, eager, compile or onnx.")] = "auto",
    workers: Annotated[
        int | None, typer.Option(min=0, help="Decoding processes.", show_default="one a core")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Frames a batch.", show_default="auto")
    ] = None,
    overwrite: Annotated[str, typer.Option(help="stale, always or never.")] = "stale",
    shard: Annotated[
        str, typer.Option(metavar="I/N", help="Do the i-th of n parts; the others run elsewhere.")
    ] = "1/1",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and stop.")
    ] = False,
    weights: Weights = None,
    offline: Offline = False,
    artifacts: Artifacts = None,
) -> None:
    """Extract features from videos.

    They go into artifacts/features, one file a video; what is there already is skipped.
    """
    from avloc import stages

    sources = paths_or_stdin(paths)
    if dry_run:
        _show_plan(stages.find_sources(sources, shard))
        return
    with console.progress_bar("extract") as progress:
        done = stages.extract(
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
    _say_coverage(sources.coverage)


def _say_coverage(coverage: Coverage | None) -> None:
    if coverage is not None and coverage.missing:
        console.say(f"{len(coverage.missing)} of {coverage.total} videos are missing")


def _summarise(done: Extraction) -> None:
    report = done.report
    _say_coverage(done.coverage)
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
