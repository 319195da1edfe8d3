"""Single pictures of a video."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

import av
import numpy as np
from PIL import Image

from avloc.errors import MediaError
from avloc.media.clock import Clock, Shown, needs_rebuilt_times
from avloc.media.continuity import can_be_joined
from avloc.media.frames import sampled_segments
from avloc.media.picture import Picture, Upright
from avloc.media.probe import probe
from avloc.media.streams import Trouble, decoded, opened, packets, the_picture
from avloc.timeline import Grid


def read_frame_at(path: Path | str, seconds: float | Fraction) -> Picture:
    """Return the picture shown at a time, (h, w, 3) uint8 RGB upright.

    Args:
        path: a video.
        seconds: from the origin; before the first frame it is the first, after the last the
            last.

    Raises:
        MediaError: it cannot be opened, has no picture, or no frame decodes.
    """
    path, wanted = Path(path), Fraction(seconds)
    is_rebuilt = needs_rebuilt_times(path)
    # Made-up times count from the beginning, so there is no jumping ahead.
    is_unseekable = is_rebuilt or _starts_again(path)
    shown = None if is_unseekable else _shown_at(path, wanted, is_rebuilt=False, is_sought=True)
    if shown is None:
        shown = _shown_at(path, wanted, is_rebuilt=is_rebuilt, is_sought=False)
    if shown is None:
        raise MediaError(f"no frame of {path} can be decoded", "Get the file again.")
    return shown


def middle_frames(
    path: Path | str,
    grid: Grid,
    segments: Collection[int],
    width: int | None = None,
) -> dict[int, Picture]:
    """Return the picture in the middle of some segments, as far as the video has one.

    Few segments of a long video are sought one by one; many come of one pass.

    Args:
        path: a video.
        grid: its segments.
        segments: which of them.
        width: of the pictures, in pixels; their height follows, as a player shows it.

    Raises:
        MediaError: it cannot be opened, has no picture, or no frame decodes.
    """
    resize = partial(_resized, size=_size_of(path, width))
    if len(segments) * 3 < grid.n_segments:
        middles = grid.segment_times().mean(axis=1)
        return {t: resize(read_frame_at(path, float(middles[t]))) for t in segments}
    rate = grid.segment_seconds.denominator  # the lowest with whole samples in a segment
    return {
        segment.index: resize(segment.images[segment.which[len(segment.which) // 2]])
        for segment in sampled_segments(path, rate=rate, grid=grid)
        if segment.index in segments and segment.images
    }


def _size_of(path: Path | str, width: int | None) -> tuple[int, int]:
    shown = probe(path).shown_size
    if shown is None:
        raise MediaError(f"{path} has no picture", "It has sound only.")
    width = width or shown[0]
    return width, max(1, round(shown[1] * width / shown[0]))


def _resized(picture: Picture, size: tuple[int, int]) -> Picture:
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def _starts_again(path: Path) -> bool:
    """Say whether a file is several joined ones, so that a time is in it more than once."""
    with opened(path) as container:
        trouble = Trouble()
        if can_be_joined(container):
            for _ in packets(container, trouble, the_picture(container)):
                pass
        return trouble.is_joined


def _shown_at(path: Path, wanted: Fraction, *, is_rebuilt: bool, is_sought: bool) -> Picture | None:
    with opened(path) as container:
        stream = the_picture(container)
        clock = Clock(container, stream, is_rebuilt)
        if is_sought:
            try:
                container.seek(int((wanted + clock.origin) * av.time_base))
            except (av.FFmpegError, OSError):
                return None
        found = _last_before(clock.walk(decoded(container, stream, Trouble())), wanted)
        is_too_late = found is not None and is_sought and found.start > wanted
        return None if found is None or is_too_late else Upright()(found.frame)


def _last_before(frames: Iterator[Shown], wanted: Fraction) -> Shown | None:
    found = None
    for shown in frames:
        if found is not None and shown.start > wanted:
            break
        found = shown
    return found
