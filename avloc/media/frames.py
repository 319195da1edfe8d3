"""A video as segments of sampled frames, streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.errors import MediaError, UnknownNameError
from avloc.media.frame_clock import FrameClock, ShownFrame, needs_rebuilt_times
from avloc.media.media_file import open_media
from avloc.media.picture import Picture, Upright
from avloc.media.probe import MediaInfo
from avloc.media.sampling import (
    Sample,
    ave2018_frame_index,
    samples_by_count,
    samples_by_time,
    samples_per_segment,
)
from avloc.spec import SAMPLINGS
from avloc.timeline import Grid


@dataclass(frozen=True)
class SegmentFrames:
    """What one segment shows.

    Attributes:
        index: t, the segment.
        images: its distinct frames, (h, w, 3) uint8 RGB upright (or what ``resize`` made of
            them), each once. A frame that the segment before also shows is the same object.
        which: (r,) the image of each sample.
        frame_index: (r,) the source frame of each sample, in decode order.
        is_valid: a frame begins in this segment, or one is still showing at a sample.
    """

    index: int
    images: tuple[Picture, ...]
    which: NDArray[np.int64]
    frame_index: NDArray[np.int32]
    is_valid: bool


def sampled_segments(
    path: Path | str,
    *,
    rate: int,
    grid: Grid,
    resize: Callable[[Picture], Picture] | None = None,
    flags: list[str] | None = None,
    sampling: str = "pts",
    info: MediaInfo | None = None,
) -> Iterator[SegmentFrames]:
    """Yield every segment of the grid with its sampled frames, in constant memory.

    Beyond the video's ends its first and last frame are held, and such segments are not
    valid. Decoding stops where the grid does.

    Args:
        path: a media file with a picture.
        rate: r, samples a second.
        grid: the T segments; it may be longer or shorter than the video.
        resize: applied once to each distinct frame that is kept.
        flags: a list that takes what a reader should know (``rotated``, ``pts_rebuilt``,
            ``late_video``, ``padded``, ``size_changed``, ``corrupt``, ``truncated``; see
            `avloc.media.flags`), complete once the iterator is exhausted.
        sampling: "pts", by time, or "ave2018", by frame count as AVE's script did.
        info: what `probe` said of the file, if known: spares opening it once more.

    Raises:
        MediaError: the file cannot be opened, or has no picture, or no frame decodes.
        UnknownNameError: there is no such sampling.
        UsageError: the rate gives no whole number of samples a segment.
    """
    if sampling not in SAMPLINGS:
        raise UnknownNameError("sampling", sampling, SAMPLINGS)
    samples_per_segment(grid, rate)  # refused now and not at the first segment
    path = Path(path)
    is_rebuilt = needs_rebuilt_times(path) if info is None else "pts_rebuilt" in info.flags
    return _segments(path, rate, grid, resize, sampling, is_rebuilt, flags)


def _segments(
    path: Path,
    rate: int,
    grid: Grid,
    resize: Callable[[Picture], Picture] | None,
    sampling: str,
    is_rebuilt: bool,
    flags: list[str] | None,
) -> Iterator[SegmentFrames]:
    upright, notes = Upright(), list[str]()
    last: tuple[int, Picture] | None = None
    with open_media(path) as media:
        clock = FrameClock(media, is_rebuilt)
        samples = _samples(path, clock.walk(media.pictures()), rate, grid, sampling, notes)
        for t in range(grid.n_segments):
            images: list[Picture] = []
            which: list[int] = []
            index: list[int] = []
            is_valid = False
            for shown, is_real in islice(samples, samples_per_segment(grid, rate)):
                if last is None or last[0] != shown.index:  # each distinct frame is converted once
                    picture = upright.convert(shown.frame)
                    last = shown.index, picture if resize is None else resize(picture)
                if not index or index[-1] != shown.index:
                    images.append(last[1])
                which.append(len(images) - 1)
                index.append(shown.index)
                is_valid = is_valid or is_real
            arrays = np.array(which, dtype=np.int64), np.array(index, dtype=np.int32)
            yield SegmentFrames(t, tuple(images), *arrays, is_valid)
    notes += ["rotated"] * upright.has_rotated + ["size_changed"] * upright.has_changed_size
    notes += ["pts_rebuilt"] * clock.is_rebuilt + media.damage.flags
    if flags is not None:
        flags += [name for name in notes if name not in flags]


def _samples(
    path: Path,
    frames: Iterator[ShownFrame],
    rate: int,
    grid: Grid,
    sampling: str,
    notes: list[str],
) -> Iterator[Sample]:
    first = next(frames, None)
    if first is None:
        raise MediaError(f"no frame of {path} can be decoded", "Get the file again.")
    frames = chain((first,), frames)
    if sampling == "pts":
        return samples_by_time(frames, rate, grid, notes)
    with open_media(path) as media:  # by packets: what the container states misses edit lists
        packets = media.packets(media.require_picture())
        n_frames = sum(not packet.is_discard for packet in packets)
    per_segment = samples_per_segment(grid, rate)
    return samples_by_count(frames, ave2018_frame_index(n_frames, grid.n_segments, per_segment))
