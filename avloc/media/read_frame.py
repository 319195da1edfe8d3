"""Single pictures of a video."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from avloc.errors import MediaError
from avloc.media.continuity import can_be_joined
from avloc.media.frame_clock import FrameClock, needs_rebuilt_times
from avloc.media.frames import sampled_segments
from avloc.media.media_file import open_media
from avloc.media.picture import Picture, Upright
from avloc.media.probe import probe
from avloc.timeline import Grid


def read_frame(path: Path | str, seconds: float | Fraction) -> Picture:
    """Return the picture shown at a time from the origin, (h, w, 3) uint8 RGB upright.

    The first and last frame are held beyond the video's ends. `MediaError` if no frame decodes.
    """
    path, wanted = Path(path), Fraction(seconds)
    is_rebuilt = needs_rebuilt_times(path)
    shown = None
    if not is_rebuilt and not _is_joined(path):  # else times count from the beginning
        shown = _shown_at(path, wanted, is_rebuilt=False, is_sought=True)
    if shown is None:
        shown = _shown_at(path, wanted, is_rebuilt=is_rebuilt, is_sought=False)
    if shown is None:
        raise MediaError(f"no frame of {path} can be decoded", "Get the file again.")
    return shown


def middle_frames(
    path: Path | str, grid: Grid, segments: Collection[int], width: int | None = None
) -> dict[int, Picture]:
    """Return the picture in the middle of each of these segments, as far as the video has one.

    Few segments of a long video are sought one by one; many are read in one pass. The height
    follows from the width in pixels, as a player shows it. `MediaError` if no frame decodes.
    """
    shown = probe(path).shown_size
    if shown is None:
        raise MediaError(f"{path} has no picture", "It has sound only.")
    width = width or shown[0]
    size = width, max(1, round(shown[1] * width / shown[0]))

    def resized(picture: Picture) -> Picture:
        return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))

    if len(segments) * 3 < grid.n_segments:
        middles = grid.segment_times().mean(axis=1)
        return {t: resized(read_frame(path, float(middles[t]))) for t in segments}
    rate = grid.segment_seconds.denominator  # the lowest with whole samples in a segment
    return {
        segment.index: resized(segment.images[segment.which[len(segment.which) // 2]])
        for segment in sampled_segments(path, rate=rate, grid=grid)
        if segment.index in segments
    }


def _is_joined(path: Path) -> bool:
    with open_media(path) as media:
        if can_be_joined(media.container):  # then a time may be in it more than once
            for _ in media.packets(media.require_picture()):
                pass
        return media.damage.is_joined


def _shown_at(path: Path, wanted: Fraction, *, is_rebuilt: bool, is_sought: bool) -> Picture | None:
    with open_media(path) as media:
        clock = FrameClock(media, is_rebuilt)
        if is_sought:
            try:
                media.container.seek(int((wanted + clock.origin) * av.time_base))
            except (av.FFmpegError, OSError):
                return None
        last = None
        for shown in clock.walk(media.pictures()):
            if last is not None and shown.start > wanted:
                break
            last = shown
        is_too_late = last is not None and is_sought and last.start > wanted
        return None if last is None or is_too_late else Upright().convert(last.frame)
