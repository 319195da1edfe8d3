"""Photographs as objects of a clip: rectangles that stand still."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from avloc.datasets.synthetic.cast import Drawing
from avloc.datasets.synthetic.composition import REACH, ObjectPlan
from avloc.datasets.synthetic.folders import ANOTHER_FILE
from avloc.errors import DatasetError

TROUBLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
"""What Pillow raises on files that are damaged, too large, or no pictures."""


class Photograph:
    """A photograph as an object; its long side takes the room that a motion would take.

    Args:
        path: the file.
        plan: the object, of which place and size count.
        height: of the clip's picture, pixels.

    Raises:
        DatasetError: the file is no picture that can be read.
    """

    def __init__(self, path: Path, plan: ObjectPlan, height: int) -> None:
        self.drawing = read_photograph(path, round((plan.size + 2 * REACH) * height))

    def shown(self, turn: float) -> tuple[Drawing, float, float]:
        """Return it, at its place whenever it is."""
        return self.drawing, 0.0, 0.0


def read_photograph(path: Path, side: int) -> Drawing:
    """Return a photograph, upright, its longer side so many pixels long.

    Raises:
        DatasetError: the file is no picture that can be read.
    """
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image).convert("RGB")
    except TROUBLE as error:
        raise _unreadable(path, error) from error
    scale = side / max(upright.size)
    width, height = (max(1, round(scale * length)) for length in upright.size)
    small = upright.resize((width, height), Image.Resampling.LANCZOS)
    drawing = np.ones((height, width, 4), dtype=np.float32)
    drawing[..., :3] = np.asarray(small)
    return drawing


def check_photograph(path: Path) -> None:
    """Look at a file's first bytes only.

    Raises:
        DatasetError: they are not a picture's.
    """
    try:
        with Image.open(path):
            pass
    except TROUBLE as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: BaseException) -> DatasetError:
    return DatasetError(
        f"is no picture that can be read ({type(error).__name__})", path, hint=ANOTHER_FILE
    )
