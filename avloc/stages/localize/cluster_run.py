"""A run of ``localize`` whose workers are on a Ray cluster."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from avloc.engine.cluster_options import ClusterOptions
from avloc.engine.driver import Driver
from avloc.engine.ray_cluster import connected
from avloc.engine.ray_workers import RayWorkers
from avloc.engine.working_folder import enter, folder_of_relative
from avloc.errors import AvlocError, ClusterError, MediaError, OutputError
from avloc.events import EventRules
from avloc.progress import Progress
from avloc.stages.localize.answers import CachedModels, read_answer
from avloc.stages.localize.choice import OpenRequest, choose_models
from avloc.stages.localize.inputs import InputVideo
from avloc.stages.localize.localized_video import LocalizedVideo
from avloc.stages.localize.output_files import OutputOptions
from avloc.stages.localize.video_worker import VideoWorker
from avloc.stages.workspace import Workspace

if TYPE_CHECKING:
    from avloc.stages.localize.report_writer import ReportWriter

_Job = tuple[int, InputVideo]  # with the video's place among all


@dataclass(frozen=True)
class LocalizationPlan:
    """What makes a worker of ``localize`` in its process; see `choose_models`.

    Attributes:
        folder: where relative paths begin; empty if there are none.
    """

    names: Sequence[str | Path]
    workspace: Workspace
    request: OpenRequest
    rules: EventRules
    outputs: OutputOptions
    is_written: bool
    folder: str = ""

    def build(self) -> LocalizationWork:
        """Read the models' files."""
        return LocalizationWork(self)


class LocalizationWork:
    """A worker of ``localize`` on a cluster; `introduction` are its machine and its models."""

    def __init__(self, plan: LocalizationPlan) -> None:
        enter(plan.folder)
        request = plan.request
        chosen, _ = choose_models(plan.names, plan.workspace, request, lambda _: None)
        loading = {
            "device": request.device,
            "weights": request.weights,
            "offline": request.offline,
        }
        models = CachedModels(chosen, plan.rules, plan.outputs.overwrite, **loading)
        self._worker = VideoWorker(models, plan.outputs, is_written=plan.is_written)
        self.introduction = socket.gethostname(), models.identities
        self.n_signs = 0

    def begin(self, answer: None) -> None:
        """Begin; there is nothing more to know."""

    def run(self, job: Sequence[_Job]) -> list[LocalizedVideo | None]:
        """Localize videos. Timelines stay in their files, if there are any."""
        localized = [self._worker.localize(video, self._give_sign) for _, video in job]
        if not self._worker.is_written:
            return localized
        return [done and replace(done, timeline=None, others=()) for done in localized]

    def _give_sign(self, *_: object) -> None:
        self.n_signs += 1


@dataclass(frozen=True)
class ClusterRun:
    """The videos of a run, localized by workers on a cluster.

    Attributes:
        inputs: the videos.
        worker: what a worker on this machine would be: it knows models and results.
        plan: makes workers.
        cluster: which cluster.
        writer: of the report, which is made here.
        progress: called with (videos done, videos, what).
    """

    inputs: Sequence[InputVideo]
    worker: VideoWorker
    plan: LocalizationPlan
    cluster: ClusterOptions
    writer: ReportWriter | None
    progress: Progress

    def localize_all(self, each: Callable[[LocalizedVideo], None] | None) -> list[LocalizedVideo]:
        """Localize each video; call ``each`` in the videos' order."""
        localized: list[LocalizedVideo] = []
        waiting: dict[int, LocalizedVideo] = {}
        self.progress(0, len(self.inputs), "waiting for workers")
        for n_done, (n, done) in enumerate(self._outcomes(), 1):
            waiting[n] = done
            self.progress(n_done, len(self.inputs), str(done.video))
            while (number := len(localized)) in waiting:
                localized.append(self._read_back(self.inputs[number], waiting.pop(number)))
                if each is not None:
                    each(localized[-1])
        return localized

    def _outcomes(self) -> Iterator[tuple[int, LocalizedVideo]]:
        """Yield the videos' numbers and results as they come, those without a file first."""
        jobs = []
        for n, video in enumerate(self.inputs):
            if video.error is not None:
                yield n, LocalizedVideo(video.path, error=video.error)
            else:
                jobs.append((n, video))
        if not jobs:
            return
        with connected(self.cluster.address) as ray:
            share = self.cluster.share(ray.nodes())
            workers = RayWorkers[_Job, LocalizedVideo | None](
                ray, self._whole_plan(), self._welcome, self.cluster, share
            )
            driver = Driver(
                workers, _failed, lambda done: done is None, deadline=self.cluster.deadline
            )
            for outcome in driver.run(jobs):
                assert outcome.row is not None
                yield outcome.item[0], outcome.row

    def _whole_plan(self) -> LocalizationPlan:
        named = [video.path for video in self.inputs] + [video.stem for video in self.inputs]
        others = [self.plan.workspace.root, self.plan.request.weights, *self.worker.models.paths]
        outputs = self.plan.outputs
        others += [Path(name) for name in (outputs.figure, outputs.compare) if name is not None]
        return replace(self.plan, folder=folder_of_relative([*named, *others]))

    def _welcome(self, introduction: tuple[str, Any]) -> None:
        host, identities = introduction
        models = self.worker.models
        for path, mine, other in zip(models.paths, models.identities, identities, strict=True):
            if mine != other:
                raise ClusterError(
                    f"the model {path} on {host} is not the one on this machine",
                    "Put the workspace and its models into a folder that all nodes share.",
                )

    def _read_back(self, video: InputVideo, done: LocalizedVideo) -> LocalizedVideo:
        """Return a result with what its worker wrote, and add it to the report."""
        try:
            if done.error is not None:
                raise done.error
            if done.timeline is None:
                done = self._with_timelines(video, done)
            if self.writer is not None and done.timeline is not None:
                with video.staged() as here:
                    self.writer.add(here, done.timeline, [*done.kept, *done.written], done.note)
        except AvlocError as error:
            if self.writer is not None:
                self.writer.add_failure(video.path, error)
            return LocalizedVideo(video.path, written=done.written, error=error)
        return done

    def _with_timelines(self, video: InputVideo, done: LocalizedVideo) -> LocalizedVideo:
        timelines = []
        for path in self.worker.models.results(video):
            if not path.exists():
                raise OutputError(
                    f"{path}, which a worker wrote, is not on this machine",
                    "Name a folder that all nodes share with --out DIR.",
                )
            timelines.append(read_answer(path, video))
        return replace(done, timeline=timelines[0], others=tuple(timelines[1:]))


def _failed(job: _Job, reason: str) -> LocalizedVideo:
    path = job[1].path
    return LocalizedVideo(path, error=MediaError(f"{path}: {reason}"))
