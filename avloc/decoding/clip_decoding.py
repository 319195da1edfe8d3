"""A clip decoded into sampled frames and sound, a segment a message: memory stays constant.

One clip is decoded in this process and many clips in others, by the same function.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts import Failure, Location, VideoFeatures, sha256_of, staged
from avloc.decoding.front_ends import find_front_end
from avloc.decoding.squash import Picture, squash
from avloc.errors import AvlocError, MediaError
from avloc.media import MediaInfo, SoundReader, probe, sampled_segments
from avloc.spec import FeatureSpec
from avloc.timeline import Grid

SOUND_AHEAD = 61
"""Seconds of sound that resampling may look at beyond what it is asked for."""

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class DecodingTask:
    """A clip to decode."""

    video_id: str
    path: Location
    spec: FeatureSpec
    grid: Grid | None = None  # by the clip's duration by default
    sha256: str | None = None  # of the file; without it the file is read once more

    def failure(self, reason: str) -> Failure:
        """Return this clip's failure."""
        return Failure(self.video_id, str(self.path), reason)


@dataclass(frozen=True)
class Segment:
    """A clip's next segment."""

    grid: Grid  # of the clip
    images: Sequence[Picture]  # distinct frames, (height, width, 3); empty without a video stream
    frame_index: NDArray[np.int32]  # (r,) source frame of each sample, in decode order
    sound: Samples | None  # the track's next (n,) mono samples; None without a sound stream
    sound_rate: int = 0  # Hz

    @property
    def n_images(self) -> int:
        """How many distinct frames the segment has."""
        return len(set(self.frame_index.tolist()))


Decoded = Segment | VideoFeatures
Message = Decoded | Failure
"""A clip is its segments, then its features without maps and vectors; or it ends in a failure."""


def decode_clip(task: DecodingTask) -> Iterator[Decoded]:
    """Decode a clip; the features at the end lack what the encoders compute.

    An object at an address is copied to this machine first, and its copy removed at the end.
    """
    _refuse_odd_name(task.path)
    with staged(task.path) as path:
        yield from _decode_file(path, task)


def _decode_file(path: Path, task: DecodingTask) -> Iterator[Decoded]:
    info, spec = probe(path), task.spec
    grid = task.grid or Grid.of_duration(info.duration, spec.exact_segment_seconds)
    flags, frame_index, visual_valid = list(info.flags), [], []
    pictures = _pictures(path, task, info, grid, flags) if info.has_video else ()
    track = SoundReader(path, info) if info.has_audio else None
    sounds = _sounds(track, spec, grid) if track is not None else ()
    for picture, sound in zip_longest(pictures, sounds):
        images, indices, is_picture = picture or ((), np.zeros(0, np.int32), False)
        frame_index.append(indices)
        visual_valid.append(is_picture)
        yield Segment(grid, images, indices, sound, track.rate if track is not None else 0)
    flags += track.flags if track is not None else ()
    flags += ["no_video"] * (not info.has_video) + ["no_audio"] * (not info.has_audio)
    yield VideoFeatures(
        video_id=task.video_id,
        segment_times=grid.segment_times(),
        visual=None,
        audio=None,
        frame_index=np.stack(frame_index) if info.has_video else None,
        visual_valid=np.array(visual_valid),
        audio_valid=_is_heard(track, grid),
        duration=float(info.duration),
        fps_sampled=float(spec.fps),
        segment_seconds=float(grid.segment_seconds),
        spec=spec,
        flags=tuple(dict.fromkeys(flags)),
        source=str(task.path),
        source_sha256=task.sha256 or sha256_of(path),
        source_bytes=path.stat().st_size,
        frame_size=info.frame_size,
    )


def decode_or_fail(
    task: DecodingTask, decode: Callable[[DecodingTask], Iterator[Message]] = decode_clip
) -> Generator[Message]:
    """Decode a clip; an error is its last message, so that it costs no other clip."""
    try:
        yield from decode(task)
    except AvlocError as error:
        yield task.failure(error.message)
    except Exception as error:
        yield task.failure(f"{task.path}: {type(error).__name__}: {error}")


def _refuse_odd_name(path: Location) -> None:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        raise MediaError(f"{path} has a name that is not UTF-8", "Rename it.") from None


def _pictures(
    path: Path, task: DecodingTask, info: MediaInfo, grid: Grid, flags: list[str]
) -> Iterator[tuple[Sequence[Picture], NDArray[np.int32], bool]]:
    for segment in sampled_segments(
        path,
        rate=task.spec.fps,
        grid=grid,
        resize=partial(squash, size=task.spec.size, rule=task.spec.resize),
        flags=flags,
        sampling=task.spec.sampling,
        info=info,
    ):
        yield segment.images, segment.frame_index, segment.is_valid


def _sounds(track: SoundReader, spec: FeatureSpec, grid: Grid) -> Iterator[Samples]:
    """Yield the sound of each segment; with the last, what its windows may look at beyond it."""
    pieces, n_samples = iter(track), 0
    for t in range(1, grid.n_segments + 1):
        end = t * grid.segment_seconds
        if t == grid.n_segments:
            end += find_front_end(spec.front_end).window_seconds + SOUND_AHEAD
        lot = [np.zeros(0, np.float32)]
        while n_samples < end * track.rate and (piece := next(pieces, None)) is not None:
            lot.append(piece)
            n_samples += len(piece)
        yield np.concatenate(lot)
    for _ in pieces:
        pass  # what lies further beyond the grid is decoded only for flags


def _is_heard(track: SoundReader | None, grid: Grid) -> NDArray[np.bool_]:
    """Return (T,): segments in which the track, which is read to its end, has sound."""
    start, end = grid.segment_times().T
    if track is None:
        return np.zeros(grid.n_segments, bool)
    return np.asarray((start < track.is_valid_until) & (end > track.is_valid_from))
