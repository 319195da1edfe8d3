"""A video as segments of sampled frames, streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.errors import MediaError, UnknownNameError
from avloc.media.frame_clock import FrameClock, needs_rebuilt_times
from avloc.media.media_file import open_media
from avloc.media.picture import Picture, Upright
from avloc.media.probe import MediaInfo
from avloc.media.sampling import (
    ave2018_frame_index,
    samples_by_count,
    samples_by_time,
    samples_per_segment,
)
from avloc.spec import SAMPLINGS
from avloc.timeline import Grid


@dataclass(frozen=True)
class SegmentFrames:
    """What one segment shows."""

    index: int  # t, the segment
    # Distinct frames, (h, w, 3) uint8 RGB upright, or what ``resize`` made of them. A frame that
    # the segment before also shows is the same object.
    images: tuple[Picture, ...]
    which: NDArray[np.int64]  # (r,) the image of each sample
    frame_index: NDArray[np.int32]  # (r,) the source frame of each sample, in decode order
    is_valid: bool  # a frame begins in this segment, or still shows at a sample


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

    Beyond the video's ends its first and last frame are held; such segments are not valid.

    Args:
        path: a media file with a picture; `MediaError` without.
        rate: r, samples a second, a whole number in each segment.
        grid: the T segments; it may be longer or shorter than the video.
        resize: applied once to each distinct frame that is sampled.
        flags: gets the `avloc.media.FLAGS` that apply, once all segments have come.
        sampling: "pts", by time, or "ave2018", by frame count as AVE's script did.
        info: the result of `probe`, if known: the file is then opened once less.
    """
    if sampling not in SAMPLINGS:
        raise UnknownNameError("sampling", sampling, SAMPLINGS)
    path, per_segment = Path(path), samples_per_segment(grid, rate)
    is_rebuilt = needs_rebuilt_times(path) if info is None else "pts_rebuilt" in info.flags
    upright, notes = Upright(), list[str]()
    last: tuple[int, Picture] | None = None  # each distinct frame is converted once
    with open_media(path) as media:
        clock = FrameClock(media, is_rebuilt)
        frames = clock.walk(media.pictures())
        if sampling == "pts":
            samples = samples_by_time(frames, rate, grid, notes)
        else:
            wanted = ave2018_frame_index(_count_frames(path), grid.n_segments, per_segment)
            samples = samples_by_count(frames, wanted)
        for t in range(grid.n_segments):
            images: list[Picture] = []
            which: list[int] = []
            index: list[int] = []
            is_valid = False
            for shown, is_real in islice(samples, per_segment):
                if last is None or last[0] != shown.index:
                    picture = upright.convert(shown.frame)
                    last = shown.index, picture if resize is None else resize(picture)
                if not index or index[-1] != shown.index:
                    images.append(last[1])
                which.append(len(images) - 1)
                index.append(shown.index)
                is_valid = is_valid or is_real
            if not images:
                raise MediaError(f"no frame of {path} can be decoded", "Get the file again.")
            arrays = np.array(which, dtype=np.int64), np.array(index, dtype=np.int32)
            yield SegmentFrames(t, tuple(images), *arrays, is_valid)
    notes += ["rotated"] * upright.has_rotated + ["size_changed"] * upright.has_changed_size
    notes += ["pts_rebuilt"] * clock.is_rebuilt + media.damage.flags
    if flags is not None:
        flags += [name for name in notes if name not in flags]


def _count_frames(path: Path) -> int:
    with open_media(path) as media:
        packets = media.packets(media.require_picture())  # the stated number misses edit lists
        return sum(not packet.is_discard for packet in packets)
