"""A clip decoded into what the encoders take, a segment a message: memory stays constant.

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
from avloc.errors import AvlocError, MediaError
from avloc.features.front_ends import Items, find_front_end
from avloc.features.preprocess import Picture, squash
from avloc.media import MediaInfo, SoundReader, probe, sampled_segments
from avloc.spec import FeatureSpec
from avloc.timeline import Grid


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

    n_segments: int  # T of the clip
    images: Sequence[Picture]  # distinct frames, (height, width, 3); empty without a video stream
    frame_index: NDArray[np.int32]  # (r,) source frame of each sample, in decode order
    sound: Items | None  # (n, *item_shape) of the spec's front end; None without a sound stream

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
    flags, sound_flags = list(info.flags), list[str]()
    frame_index, visual_valid, audio_valid = [], [], []
    pictures = _pictures(path, task, info, grid, flags) if info.has_video else ()
    sounds = _sounds(path, task, info, grid, sound_flags) if info.has_audio else ()
    for picture, sound in zip_longest(pictures, sounds):
        images, indices, is_picture = picture or ((), np.zeros(0, np.int32), False)
        items, is_sound = sound or (None, False)
        frame_index.append(indices)
        visual_valid.append(is_picture)
        audio_valid.append(is_sound)
        yield Segment(grid.n_segments, images, indices, items)
    flags += sound_flags
    flags += ["no_video"] * (not info.has_video) + ["no_audio"] * (not info.has_audio)
    yield VideoFeatures(
        video_id=task.video_id,
        segment_times=grid.segment_times(),
        visual=None,
        audio=None,
        frame_index=np.stack(frame_index) if info.has_video else None,
        visual_valid=np.array(visual_valid),
        audio_valid=np.array(audio_valid),
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


def _sounds(
    path: Path, task: DecodingTask, info: MediaInfo, grid: Grid, flags: list[str]
) -> Iterator[tuple[Items, bool]]:
    track = SoundReader(path, info)
    pieces = iter(track)
    segments = find_front_end(task.spec.front_end).segments(pieces, track.rate, grid)
    for (start, end), items in zip(grid.segment_times(), segments, strict=True):
        # By now the track is decoded to the end of this segment at least.
        yield items, bool(start < track.is_valid_until and end > track.is_valid_from)
    for _ in pieces:
        pass  # what lies beyond the grid is decoded only for flags
    flags += track.flags
