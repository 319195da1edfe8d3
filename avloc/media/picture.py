"""A decoded frame as a player shows it: RGB and upright."""

from __future__ import annotations

import numpy as np
from av import VideoFrame
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def quarter_turns(frame: VideoFrame) -> int:
    """Return how many quarter turns to the left make a frame upright, 0 to 3."""
    return round((frame.rotation or 0) / 90) % 4


class Upright:
    """Converts frames to upright RGB; keeps one scaler for a whole video."""

    def __init__(self) -> None:
        self.has_rotated = False
        self.has_changed_size = False
        self._size: tuple[int, int] | None = None
        self._reformatter = VideoReformatter()

    def convert(self, frame: VideoFrame) -> Picture:
        """Return (h, w, 3) uint8 RGB as shown, contiguous, which the caller may paint on."""
        converted = self._reformatter.reformat(frame, format="rgb24", threads=1)
        picture = converted.to_ndarray()
        size = frame.width, frame.height
        self.has_changed_size |= self._size not in (None, size)
        self._size = size
        turns = quarter_turns(frame)
        self.has_rotated |= turns > 0
        if converted is frame:  # RGB already: memory that the decoder still predicts from
            picture = picture.copy()
        return np.ascontiguousarray(np.rot90(picture, turns), dtype=np.uint8)
