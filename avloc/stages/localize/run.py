"""The stage ``localize``: videos and models in; timelines, exports, pictures and a report out."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from avloc.artifacts import as_location, is_address
from avloc.engine.cluster_options import ClusterOptions, choose_engine
from avloc.errors import UsageError
from avloc.events import EventRules
from avloc.export.heat_style import HeatStyle
from avloc.progress import Progress, silent
from avloc.stages.localize.answers import CachedModels
from avloc.stages.localize.choice import OpenRequest, choose_models
from avloc.stages.localize.inputs import InputVideo, add_truth, find_inputs
from avloc.stages.localize.localized_video import LocalizedVideo
from avloc.stages.localize.output_files import OutputOptions, check_outputs
from avloc.stages.localize.video_worker import VideoWorker
from avloc.stages.workspace import Workspace

if TYPE_CHECKING:
    from avloc.stages.localize.report_writer import ReportWriter

_PATIENCE = 0.5  # seconds between two looks at videos that another run works on


def localize(
    videos: Sequence[str | Path] | str | Path,
    *,
    model: Sequence[str | Path] | str | Path = (),
    heatmap: bool = False,
    heatmap_style: str = HeatStyle.colormap,
    alpha: float = HeatStyle.alpha,
    figure: str | None = None,
    compare: str | None = None,
    report: Path | str | None = None,
    format: Sequence[str] = (),
    out: Path | str | None = None,
    overwrite: str = "stale",
    dataset: Path | str | None = None,
    threshold: float = EventRules.threshold,
    keep: float = EventRules.keep,
    min_gap: float = EventRules.min_gap,
    min_seconds: float = EventRules.min_seconds,
    min_score: float = EventRules.min_score,
    labels: Sequence[str] = (),
    segment_seconds: float | None = None,
    device: str = "auto",
    weights: Path | None = None,
    offline: bool = False,
    artifacts: Path | str | None = None,
    engine: str = "local",
    cluster: str | None = None,
    cluster_workers: int | None = None,
    cpus: float | None = None,
    gpus: float | None = None,
    write: bool = True,
    progress: Progress | None = None,
    each: Callable[[LocalizedVideo], None] | None = None,
    notice: Callable[[str], None] | None = None,
) -> list[LocalizedVideo]:
    """Find what happens in videos, when and where.

    Written beside each video (or to ``out``): NAME.avloc.h5, and NAME.heatmap.mp4 with
    ``heatmap``. A result of the same video, model and rules that exists already is kept. A file
    that avloc did not write is never replaced. After an interruption the results so far stay.

    Without a trained model (avloc train) the model open answers, which needs no training: it
    looks for ``labels``, or for some 150 things that can be heard and seen.

    Args:
        videos: Videos, sound files, or folders of them; or their addresses, as s3://bucket/clips.
        model: A model's name in the workspace, or a model file. The model open needs no training.
            Events of further models are shown beside those of the first, and written to
            NAME.avloc.MODEL.h5. Default: cman, or open where no model was trained.
        heatmap: Also write the video with its heat map and its sound.
        heatmap_style: A matplotlib colour map.
        alpha: The heat map's greatest opacity, from 0 to 1.
        figure: Draw events, senses and pictures by second: png, pdf or svg for a file beside the
            results, or a file's name.
        compare: Draw where two models look: png, pdf or svg for a file beside the results, or a
            file's name.
        report: Write one HTML page about all videos to this file.
        format: Also write the events in this format.
        out: A folder for the results. Default: beside each video.
        overwrite: Which existing results to make again. stale: those made from another video,
            or with another model or other settings.
        dataset: A labelled data set: its true events are shown beside those found.
        threshold: A label is an event where its score reaches this. 0: the model's own
            thresholds, fitted on validation.
        keep: An event continues while its label has this score.
        min_gap: Join events of one label that are fewer seconds apart.
        min_seconds: Drop events shorter than this.
        min_score: Drop events with a lower score.
        labels: Keep only events of this label; of the model open, look for it, whatever it is.
            Default: all labels of the model.
        segment_seconds: Length of a segment of the model open. Default: 1.
        device: Where the networks run.
        weights: A folder with weight files, searched before any download.
        offline: Never use the network, but for addresses that you name.
        artifacts: The workspace folder. Default: ``$AVLOC_ARTIFACTS``, or ./artifacts.
        engine: What does the work: this machine, or a Ray cluster, whose workers write the results.
        cluster: The Ray cluster: HOST:PORT, auto for the cluster that this machine belongs to,
            or local. Default: ``$RAY_ADDRESS``, or a new one on this machine.
        cluster_workers: Workers on the cluster. Default: as many as it has room for.
        cpus: CPUs per worker on the cluster. Default: 1, or a GPU's share of its machine.
        gpus: GPUs per worker on the cluster, as 0.5. Default: 1 if there are any.
        write: False only returns the results: no file but the report is written.
        progress: called with (videos done, videos, what); the first may be a fraction.
        each: called with each result as it comes.
        notice: called with lines about the model open, before the first result.

    Returns:
        One result for each video. One that fails carries its error, and the others go on.
        Videos that another run works on come last; on a cluster all keep their order.

    Raises:
        PartialFailureError: everything is done except the report.
        AvlocError: an argument is invalid, a model cannot be loaded, or a named file cannot be
            written.
    """
    on = choose_engine(engine, device, ClusterOptions(cluster or "", cluster_workers, cpus, gpus))
    look = HeatStyle(heatmap_style, alpha)
    if not write and (heatmap or figure or compare):
        raise UsageError("pictures are files, and nothing is to be written")
    addresses = [video for video in _as_list(videos) if is_address(video)]
    if addresses and write and not out:
        raise UsageError(
            f"no results can be written beside {addresses[0]}",
            "Name a folder for them on this machine: --out DIR.",
        )
    inputs = find_inputs(_as_list(videos), Path(out) if out else None)
    if dataset is not None:
        inputs = add_truth(inputs, as_location(dataset))
    is_any_video = any(video.error is None for video in inputs)  # else that is what to report
    names, workspace = _as_list(model), Workspace.at(artifacts)
    request = OpenRequest(tuple(labels), segment_seconds, device, weights, offline)
    chosen, labels = choose_models(
        names if is_any_video else None, workspace, request, notice or (lambda _: None)
    )
    rules = EventRules(threshold, keep, min_gap, min_seconds, min_score, labels)
    loading = {"device": device, "weights": weights, "offline": offline}
    models = CachedModels(chosen, rules, overwrite, **loading)
    outputs = OutputOptions(format, heatmap, figure, compare, look, models.names, overwrite)
    check_outputs(outputs, len(inputs))
    writer = None
    if report is not None:
        from avloc.stages.localize.report_writer import ReportWriter  # imports matplotlib

        writer = ReportWriter(Path(report), models, look)
    with writer or nullcontext():
        worker = VideoWorker(models, outputs, is_written=write)
        if on is None or not is_any_video:
            return _Run(inputs, worker, writer, progress or silent).localize_all(each)
        from avloc.stages.localize.cluster_run import ClusterRun, LocalizationPlan

        plan = LocalizationPlan(names, workspace, request, rules, outputs, write)
        run = ClusterRun(inputs, worker, plan, on, writer, progress or silent)
        return run.localize_all(each)


@dataclass(frozen=True)
class _Run:
    inputs: Sequence[InputVideo]
    worker: VideoWorker
    writer: ReportWriter | None
    progress: Progress

    def localize_all(self, each: Callable[[LocalizedVideo], None] | None) -> list[LocalizedVideo]:
        """Localize each video; last those of other runs, whose answers may exist by then."""
        localized: dict[int, LocalizedVideo] = {}
        n_videos = len(self.inputs)
        while waiting := [n for n in range(n_videos) if n not in localized]:
            n_before = len(localized)
            for n in waiting:
                part = partial(self._report, len(localized))
                done = self.worker.localize(self.inputs[n], part, self.writer)
                if done is None:
                    continue
                localized[n] = done
                if each is not None:
                    each(done)
            if len(localized) == n_before:
                self.progress(n_before, n_videos, "waiting for another run")
                time.sleep(_PATIENCE)
        self.progress(n_videos, n_videos, "done")
        return [localized[n] for n in range(n_videos)]

    def _report(self, n_done: int, share: float, what: str) -> None:
        self.progress(n_done + share, len(self.inputs), what)


def _as_list(given: Sequence[str | Path] | str | Path) -> list[str | Path]:
    return [given] if isinstance(given, str | Path) else list(given)
