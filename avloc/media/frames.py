"""A video as segments of sampled frames, streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from avloc.errors import MediaError, UnknownNameError
from avloc.media.clock import Clock, Shown, needs_rebuilt_times
from avloc.media.picture import Picture, Upright
from avloc.media.probe import MediaInfo
from avloc.media.sampling import ave2018_frame_index, sample_limit, samples_per_segment
from avloc.media.streams import Trouble, decoded, opened, packets, the_picture
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


class Pick(NamedTuple):
    """One sample: the frame that stands for it, and whether that is real picture data."""

    shown: Shown
    is_real: bool


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
        flags: told what a reader should know (``rotated``, ``pts_rebuilt``, ``late_video``,
            ``padded``, ``size_changed``, ``corrupt``, ``truncated``; see
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
    convert = resize or _unchanged
    return _segments(path, is_rebuilt, rate, grid, convert, sampling, _Flags(flags))


def _unchanged(picture: Picture) -> Picture:
    return picture


class _Flags:
    """A list of flags that takes each once."""

    def __init__(self, names: list[str] | None) -> None:
        self.names = names if names is not None else []

    def add(self, name: str, is_so: bool = True) -> None:
        if is_so and name not in self.names:
            self.names.append(name)


def _segments(
    path: Path,
    is_rebuilt: bool,
    rate: int,
    grid: Grid,
    resize: Callable[[Picture], Picture],
    sampling: str,
    flags: _Flags,
) -> Iterator[SegmentFrames]:
    upright, trouble = Upright(), Trouble()
    finish = _Finisher(upright, resize)
    with opened(path) as container:
        stream = the_picture(container)
        clock = Clock(container, stream, is_rebuilt)
        frames = clock.walk(decoded(container, stream, trouble))
        picks = _picks(path, frames, rate, grid, sampling, flags)
        for t in range(grid.n_segments):
            yield finish(t, islice(picks, samples_per_segment(grid, rate)))
    flags.add("rotated", upright.has_rotated)
    flags.add("size_changed", upright.has_changed_size)
    flags.add("pts_rebuilt", clock.is_rebuilt)
    for name in trouble.flags:
        flags.add(name)


class _Finisher:
    """Turns picks into segments; converts each distinct frame once."""

    def __init__(self, upright: Upright, resize: Callable[[Picture], Picture]) -> None:
        self._upright = upright
        self._resize = resize
        self._last: tuple[int, Picture] | None = None

    def __call__(self, t: int, picks: Iterator[Pick]) -> SegmentFrames:
        """Return segment ``t`` of its samples."""
        images: list[Picture] = []
        which: list[int] = []
        index: list[int] = []
        is_valid = False
        for shown, is_real in picks:
            if not index or shown.index != index[-1]:
                images.append(self._convert(shown))
            which.append(len(images) - 1)
            index.append(shown.index)
            is_valid = is_valid or is_real
        samples = np.array(which, dtype=np.int64), np.array(index, dtype=np.int32)
        return SegmentFrames(t, tuple(images), *samples, is_valid)

    def _convert(self, shown: Shown) -> Picture:
        if self._last is None or self._last[0] != shown.index:
            self._last = shown.index, self._resize(self._upright(shown.frame))
        return self._last[1]


def _picks(
    path: Path, frames: Iterator[Shown], rate: int, grid: Grid, sampling: str, flags: _Flags
) -> Iterator[Pick]:
    first = next(frames, None)
    if first is None:
        raise MediaError(f"no frame of {path} can be decoded", "Get the file again.")
    if sampling == "ave2018":
        per_segment = samples_per_segment(grid, rate)
        wanted = ave2018_frame_index(_count_frames(path), grid.n_segments, per_segment)
        return _picks_by_count(first, frames, wanted)
    flags.add("late_video", first.start >= sample_limit(0, rate))
    return _picks_by_time(first, frames, rate, grid, flags)


def _picks_by_time(
    first: Shown, frames: Iterator[Shown], rate: int, grid: Grid, flags: _Flags
) -> Iterator[Pick]:
    n_samples = samples_per_segment(grid, rate) * grid.n_segments
    current = first
    k = 0
    for following in frames:
        while k < n_samples and sample_limit(k, rate) <= following.start:
            yield Pick(current, first.start < _segment_end(k, rate, grid))
            k += 1
        if k == n_samples:
            return
        current = following
    # A grid by duration misses the end by half a segment at most; more is padding.
    missing = grid.n_segments * grid.segment_seconds - current.end
    flags.add("padded", missing > grid.segment_seconds / 2)
    for rest in range(k, n_samples):
        end = _segment_end(rest, rate, grid)
        is_showing = sample_limit(rest, rate) <= current.end
        begins_here = current.start >= end - grid.segment_seconds
        yield Pick(current, first.start < end and (is_showing or begins_here))


def _segment_end(k: int, rate: int, grid: Grid) -> Fraction:
    return (k // samples_per_segment(grid, rate) + 1) * grid.segment_seconds


def _picks_by_count(
    first: Shown, frames: Iterator[Shown], wanted: NDArray[np.int32]
) -> Iterator[Pick]:
    current = first
    for index in wanted:
        while current.index < index and (following := next(frames, None)) is not None:
            current = following
        yield Pick(current, True)


def _count_frames(path: Path) -> int:
    """Count by the packets that are shown: what the container says misses edit lists."""
    with opened(path) as container:
        found = packets(container, Trouble(), the_picture(container))
        return sum(not packet.is_discard for packet in found)
