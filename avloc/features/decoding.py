"""One clip from file to sampled pictures and log-mel patches, as a stream of small messages.

The same stream is read in this process for one clip and sent by decoding processes for many,
so both ways give the same features. No message is larger than a segment's pictures: an hour
of video is never in memory whole.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.errors import AvlocError, MediaError
from avloc.features.logmel import segment_patches, stream_to_16khz
from avloc.features.preprocess import squash
from avloc.features.weights import sha256_of
from avloc.media import MediaInfo, SoundReader, probe, sampled_segments
from avloc.spec import FeatureSpec
from avloc.timeline import Grid

PATCHES_A_MESSAGE = 64


@dataclass(frozen=True)
class DecodingTask:
    """A clip to decode.

    Attributes:
        video_id: names the video.
        path: its file.
        spec: how to sample it.
        grid: its segments; by its duration if None.
        sha256: of the file; it is read once more for it if None.
    """

    video_id: str
    path: Path
    spec: FeatureSpec
    grid: Grid | None = None
    sha256: str | None = None


@dataclass(frozen=True)
class ClipOpened:
    """The first message: what the clip is."""

    grid: Grid
    duration: float
    frame_size: tuple[int, int] | None
    has_video: bool
    has_audio: bool


@dataclass(frozen=True)
class PictureSegment:
    """The next segment's pictures.

    Attributes:
        images: (k, 224, 224, 3) its distinct frames, less one that the segment before ended
            with.
        is_continued: whether that one comes first.
        which: (r,) each sample's place among the frames, the continued one counted.
        frame_index: (r,) source frames in decode order.
        is_valid: the segment has real picture.
    """

    images: NDArray[np.uint8]
    is_continued: bool
    which: NDArray[np.int64]
    frame_index: NDArray[np.int32]
    is_valid: bool


@dataclass(frozen=True)
class SoundSegments:
    """The next segments' sound: (n, 96, 64) patches, and (n,) whether it is real."""

    patches: NDArray[np.float32]
    is_valid: NDArray[np.bool_]


@dataclass(frozen=True)
class ClipClosed:
    """The last message of a clip that went well: what was noticed, and what file it was."""

    flags: tuple[str, ...]
    sha256: str
    n_bytes: int


@dataclass(frozen=True)
class ClipFailed:
    """The last message of a clip that did not: why."""

    reason: str


Message = ClipOpened | PictureSegment | SoundSegments | ClipClosed | ClipFailed


def decode_clip(task: DecodingTask) -> Iterator[Message]:
    """Decode a clip: opened, its pictures, its sound, closed.

    Raises:
        MediaError: the file cannot be opened or decoded.
    """
    _refuse_odd_name(task.path)
    info = probe(task.path)
    grid = task.grid or Grid.of_duration(info.duration, task.spec.exact_segment_seconds)
    yield ClipOpened(grid, float(info.duration), info.frame_size, info.has_video, info.has_audio)
    flags = list(info.flags)
    if info.has_video:
        yield from _pictures(task, info, grid, flags)
    if info.has_audio:
        yield from _sounds(task, info, grid, flags)
    flags += ["no_video"] * (not info.has_video) + ["no_audio"] * (not info.has_audio)
    n_bytes = task.path.stat().st_size
    sha256 = task.sha256 or sha256_of(task.path)
    yield ClipClosed(tuple(dict.fromkeys(flags)), sha256, n_bytes)


def _refuse_odd_name(path: Path) -> None:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise MediaError(f"{path} has a name that is not UTF-8", "Rename it.") from None


def decode_or_fail(
    task: DecodingTask, decode: Callable[[DecodingTask], Iterator[Message]] = decode_clip
) -> Generator[Message]:
    """Decode a clip; whatever goes wrong is its last message, and costs no other clip."""
    try:
        yield from decode(task)
    except AvlocError as error:
        yield ClipFailed(error.message)
    except Exception as error:
        yield ClipFailed(f"{task.path}: {type(error).__name__}: {error}")


def _pictures(
    task: DecodingTask, info: MediaInfo, grid: Grid, flags: list[str]
) -> Iterator[PictureSegment]:
    spec = task.spec
    last_shown = -1
    for segment in sampled_segments(
        task.path,
        rate=spec.fps,
        grid=grid,
        resize=partial(squash, size=spec.size),
        flags=flags,
        sampling=spec.sampling,
        info=info,
    ):
        is_continued = int(segment.frame_index[0]) == last_shown
        last_shown = int(segment.frame_index[-1])
        fresh = segment.images[1:] if is_continued else segment.images
        images = np.stack(fresh) if fresh else np.zeros((0, *spec.size, 3), np.uint8)
        yield PictureSegment(
            images, is_continued, segment.which, segment.frame_index, segment.is_valid
        )


def _sounds(
    task: DecodingTask, info: MediaInfo, grid: Grid, flags: list[str]
) -> Iterator[SoundSegments]:
    track = SoundReader(task.path, info)
    pieces = iter(track)
    samples = stream_to_16khz(pieces, track.rate)
    patches = segment_patches(samples, grid.n_segments, grid.segment_seconds)
    times = grid.segment_times()
    for first in range(0, grid.n_segments, PATCHES_A_MESSAGE):
        some, is_valid = [], []
        for start, end in times[first : first + PATCHES_A_MESSAGE]:
            some.append(next(patches))
            # By now the track is known to the end of this segment at least.
            is_valid.append(start < track.is_valid_until and end > track.is_valid_from)
        yield SoundSegments(np.stack(some), np.array(is_valid))
    for _ in pieces:
        pass  # what lies beyond the grid is only looked at for flags
    flags += track.flags
