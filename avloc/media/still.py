"""One picture of a video."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av

from avloc.errors import MediaError
from avloc.media.clock import Clock, Shown, needs_rebuilt_times
from avloc.media.picture import Picture, Upright
from avloc.media.streams import Trouble, decoded, opened, the_picture


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
    shown = None if is_rebuilt else _shown_at(path, wanted, is_rebuilt=False, is_sought=True)
    if shown is None:
        shown = _shown_at(path, wanted, is_rebuilt=is_rebuilt, is_sought=False)
    if shown is None:
        raise MediaError(f"no frame of {path} can be decoded", "Get the file again.")
    return shown


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
