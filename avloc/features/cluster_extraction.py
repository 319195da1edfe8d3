"""An extraction whose workers are on a Ray cluster."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from avloc.artifacts import FeatureStore, Location, as_location
from avloc.engine.cluster_options import ClusterOptions, Share
from avloc.engine.driver import Driver
from avloc.engine.ray_cluster import connected
from avloc.engine.ray_workers import RayWorkers
from avloc.engine.working_folder import enter, folder_of_relative
from avloc.errors import ArtifactError, ClusterError, FingerprintError
from avloc.features.encoders import Encoders
from avloc.features.extraction import ExtractionReport, distinct_videos, report_of
from avloc.features.worker import FeatureWorker, VideoRow, WorkSettings
from avloc.progress import Progress, silent
from avloc.spec import FeatureSpec

_Video = tuple[str, Location]
# A job's videos follow each other without a pause; on a GPU a short clip takes a moment only.
_AT_ONCE_ON_CPU, _AT_ONCE_ON_GPU = 2, 16


@dataclass(frozen=True)
class ExtractionPlan:
    """What makes a worker of an extraction in its process.

    Attributes:
        load: loads the encoders; picklable.
        root: of the store.
        settings: of all workers.
        folder: where relative paths begin; empty if there are none.
    """

    load: Callable[[], Encoders]
    root: Location
    settings: WorkSettings
    folder: str = ""

    def build(self) -> ExtractionWork:
        """Load the encoders."""
        return ExtractionWork(self)


class ExtractionWork:
    """A worker of an extraction on a cluster; `introduction` is the spec of its features."""

    def __init__(self, plan: ExtractionPlan) -> None:
        self._plan = plan
        enter(plan.folder)
        self._encoders = plan.load()
        self._worker: FeatureWorker | None = None
        self.introduction = self._encoders.spec

    @property
    def n_signs(self) -> int:
        """Grows with every segment."""
        return self._worker.n_signs if self._worker else 0

    def begin(self, identity: str) -> None:
        """Open the store; ClusterError if this machine has another one, or none, at its path."""
        root = self._plan.root
        with suppress(ArtifactError):
            store = FeatureStore.open(root)
            if store.identity == identity:
                self._worker = FeatureWorker(store, self._encoders, self._plan.settings)
                return
        raise ClusterError(
            f"{socket.gethostname()} does not see the store {root}",
            "Choose a folder that all nodes share, or an address such as s3://BUCKET/features.",
        )

    def run(self, job: Sequence[_Video]) -> list[VideoRow]:
        """Extract videos."""
        assert self._worker is not None
        return self._worker.run(job)


def extract_on_cluster(
    videos: Sequence[_Video],
    root: Location | str,
    load: Callable[[], Encoders],
    settings: WorkSettings,
    *,
    cluster: ClusterOptions,
    dataset_root: str = "",
    progress: Progress | None = None,
) -> tuple[FeatureStore, ExtractionReport]:
    """Extract videos into a store on a Ray cluster, as `extract` does on this machine.

    Args:
        videos: (video id, file or address) pairs, at least one. The workers read them.
        root: of the store, which the workers write.
        load: loads the encoders in a worker; picklable.
        settings: of all workers; ``workers`` are the decoding processes of each.
        cluster: which cluster.
        dataset_root: the data set that the videos are of; may be empty.
        progress: called with (videos ended, videos, video id).

    Raises:
        ClusterError: there is no cluster, or its machines cannot work on this store.
    """
    distinct, root, report = distinct_videos(videos), as_location(root), progress or silent
    folder = folder_of_relative([root, *(path for _, path in distinct)])
    reception = _Reception(root, dataset_root)
    rows: dict[str, VideoRow] = {}
    report(0, len(distinct), "waiting for workers")
    with reception, connected(cluster.address) as ray:
        share = cluster.share(ray.nodes())
        plan = ExtractionPlan(load, root, _in_lots(settings, share), folder)
        workers = RayWorkers[_Video, VideoRow](ray, plan, reception.welcome, cluster, share)
        driver = Driver(
            workers,
            reception.give_up,
            lambda row: row.status == "claimed elsewhere",
            n_at_once=cluster.n_at_once or (_AT_ONCE_ON_GPU if share.gpus else _AT_ONCE_ON_CPU),
            deadline=cluster.deadline,
        )
        for outcome in driver.run(distinct):
            row = outcome.row
            if outcome.was_lost and row.status == "skipped":  # by the worker that was lost
                row = replace(row, status="done")
            rows[row.video_id] = row
            report(len(rows), len(distinct), row.video_id)
    return reception.store, report_of(rows[video_id] for video_id, _ in distinct)


class _Reception:
    """Makes the store when the first worker says what features it makes."""

    def __init__(self, root: Location, dataset_root: str) -> None:
        self._root, self._dataset_root = root, dataset_root
        self._store: FeatureStore | None = None

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        if self._store is not None:
            self._store.sweep()  # an interrupted run's workers were killed

    @property
    def store(self) -> FeatureStore:
        assert self._store is not None, "no worker has begun"
        return self._store

    def welcome(self, spec: FeatureSpec) -> str:
        """Return the store's identity; FingerprintError if workers make different features."""
        if self._store is None:
            self._store = FeatureStore.create(self._root, spec, self._dataset_root)
            self._store.sweep()
        if spec != self._store.spec:
            differences = spec.differences(self._store.spec)
            raise FingerprintError(
                f"the cluster's machines make different features ({differences})",
                "Choose --device and --precision, so that all of them do the same.",
            )
        return self._store.identity

    def give_up(self, video: _Video, reason: str) -> VideoRow:
        video_id, source = video[0], str(video[1])
        self.store.record_failure(video_id, source, reason)
        return VideoRow(video_id, "failed", reason=reason, source=source)


def _in_lots(settings: WorkSettings, share: Share) -> WorkSettings:
    """Let a worker decode in as many processes as its cores allow."""
    n_workers = settings.workers
    if n_workers is None:  # on a CPU most cores are the encoders'
        n_workers = max(1, int(share.cpus) - 1 if share.gpus else int(share.cpus) // 4)
    return replace(settings, workers=n_workers, in_lots=True)
