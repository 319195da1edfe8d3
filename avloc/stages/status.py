"""The stage ``status``: which videos have features, which failed, and which are to be done."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from avloc.artifacts import FeatureStore, Location
from avloc.artifacts.objects import look_up
from avloc.engine.shard import shard_of
from avloc.errors import ArtifactError
from avloc.progress import Progress, silent
from avloc.spec import FeatureSpec
from avloc.stages.input_videos import find_videos

State = Literal["done", "missing", "failed", "unreadable", "changed"]
_READERS = 16  # threads that read headers; an object store answers in some 20 ms


@dataclass(frozen=True)
class VideoStatus:
    """A video, and whether it has features.

    Attributes:
        video_id: names it.
        source: its file or address.
        state: ``missing`` was never tried; ``unreadable`` features are damaged or of other
            settings than the store's; a ``changed`` video is not the one they were made from.
        reason: why it failed, or what is wrong with its features.
        shard: the number of its part.
    """

    video_id: str
    source: str
    state: State
    reason: str = ""
    shard: int = 1


@dataclass(frozen=True)
class StoreStatus:
    """How far a feature store is filled.

    Attributes:
        store: the features.
        videos: every video of the data set.
        n_shards: parts that the videos are counted in.
        n_absent: videos that the data set names and that have no file.
        n_others: videos with features that are not in the data set.
        next_command: what makes the missing features; empty if nothing is missing, or if avloc
            cannot make them.
    """

    store: FeatureStore
    videos: tuple[VideoStatus, ...]
    n_shards: int
    n_absent: int
    n_others: int
    next_command: str

    @property
    def is_complete(self) -> bool:
        """Whether every video has features."""
        return all(video.state == "done" for video in self.videos)

    @property
    def unfinished_shards(self) -> list[int]:
        """The numbers of the parts with something left to do."""
        return sorted({video.shard for video in self.videos if video.state != "done"})

    def counts(self, shard: int | None = None) -> dict[str, int]:
        """Return how many videos a part has, or all parts have, and how many in each state."""
        n_of = Counter(v.state for v in self.videos if shard is None or v.shard == shard)
        return {"videos": n_of.total()} | {state: n_of[state] for state in get_args(State)}

    def reasons(self) -> dict[tuple[str, str], list[str]]:
        """Return the ids of videos by their state and reason, the most frequent reason first."""
        groups: dict[tuple[str, str], list[str]] = {}
        for video in self.videos:
            if video.reason:
                reason = video.reason.replace(video.source, "FILE")
                groups.setdefault((video.state, reason), []).append(video.video_id)
        return dict(sorted(groups.items(), key=lambda group: -len(group[1])))

    def to_dict(self) -> dict[str, Any]:
        """Return the counts, and all videos that are not done, for JSON."""
        shards = {f"{k}/{self.n_shards}": self.counts(k) for k in range(1, self.n_shards + 1)}
        left = [video for video in self.videos if video.state != "done"]
        return {
            "store": str(self.store.root),
            "fingerprint": self.store.fingerprint,
            "is_complete": self.is_complete,
            "counts": self.counts(),
            "shards": shards,
            "not_done": [vars(video) for video in left],
            "n_absent": self.n_absent,
            "n_others": self.n_others,
            "next_command": self.next_command,
        }


def status(
    store: Path | str,
    paths: Sequence[Path | str],
    *,
    shards: int = 1,
    check: bool = False,
    progress: Progress = silent,
) -> StoreStatus:
    """Compare a feature store with its videos.

    Nothing is decoded and nothing is changed. A video has features if its file is in the store.

    Args:
        store: The feature store, a folder or an address.
        paths: What was extracted: a data set's folder, a manifest, folders of videos, or videos.
        shards: Count the videos in so many parts, as the extraction's ``shard`` does.
        check: Read what each features file declares as well, to find damaged ones, those of other
            settings, and those whose video has another size now.
        progress: called with (videos checked, videos, video).

    Raises:
        ArtifactError: there is no store. MediaError: there is no video. DatasetError: the data
        set's files are wrong.
    """
    opened, given = FeatureStore.open(store), find_videos(paths)
    present = set(opened.video_ids())
    failed = {row.video_id: row.reason for row in opened.failures()}
    problems = _problems(opened, given.videos, present, progress) if check else {}
    videos = []
    for video_id, source in given.videos:
        if video_id in problems:
            state, reason = problems[video_id]
        elif video_id in present:
            state, reason = "done", ""
        else:
            state, reason = "failed" if video_id in failed else "missing", failed.get(video_id, "")
        shard = shard_of(video_id, shards)
        videos.append(VideoStatus(video_id, str(source), state, reason, shard))
    n_absent = len(given.dataset.coverage.missing) if given.dataset else 0
    n_others = len(present.difference(video.video_id for video in videos))
    command = _next_command(opened, paths, videos, shards)
    return StoreStatus(opened, tuple(videos), shards, n_absent, n_others, command)


def _problems(
    store: FeatureStore,
    videos: Sequence[tuple[str, Location]],
    present: set[str],
    progress: Progress,
) -> dict[str, tuple[State, str]]:
    """Return what is wrong with the features of videos that have some."""
    todo = [(video_id, source) for video_id, source in videos if video_id in present]
    problems: dict[str, tuple[State, str]] = {}
    with ThreadPoolExecutor(_READERS) as pool:
        found = pool.map(lambda video: _problem(store, *video), todo)
        for k, ((video_id, _), problem) in enumerate(zip(todo, found, strict=True)):
            progress(k, len(todo), video_id)
            if problem is not None:
                problems[video_id] = problem
    return problems


def _problem(store: FeatureStore, video_id: str, source: Location) -> tuple[State, str] | None:
    try:
        features = store.headers(video_id)
    except ArtifactError as error:
        return "unreadable", error.message
    n_bytes = _size_of(source)
    if features.source_bytes and n_bytes != features.source_bytes:
        return "changed", f"the video has {n_bytes} bytes, and had {features.source_bytes}"
    return None


def _size_of(source: Location) -> int:
    if isinstance(source, Path):
        return source.stat().st_size
    info = look_up(source)
    return info.n_bytes if info else 0


def _next_command(
    store: FeatureStore, paths: Sequence[Path | str], videos: Sequence[VideoStatus], n_shards: int
) -> str:
    """Return the command that extracts what is not done; of several parts, the first such part."""
    left = [video for video in videos if video.state != "done"]
    if not left or store.spec.is_published:
        return ""
    todo = [video for video in left if video.state != "changed"]
    words = ["avloc", "extract"]
    words += map(str, paths) if todo else (video.source for video in left)
    words += ["--store", str(store.root), *_options(store.spec)]
    if not todo:
        words += ["--overwrite", "always"]
    elif n_shards > 1:
        words += ["--shard", f"{min(video.shard for video in todo)}/{n_shards}"]
    return shlex.join(words)


def _options(spec: FeatureSpec) -> Iterator[str]:
    """Yield the options of ``extract`` that make features of a spec."""
    yield from ("--visual", spec.visual, "--audio", spec.audio)
    for name in ("fps", "sampling", "segment_seconds", "precision"):
        value = getattr(spec, name)
        if value != getattr(FeatureSpec, name):
            yield from (
                f"--{name.replace('_', '-')}",
                f"{value:g}" if name[0] == "f" else f"{value}",
            )
