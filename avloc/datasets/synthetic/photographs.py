"""Photographs as objects of a clip: rectangles that stand still."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from avloc.datasets.synthetic.looks import Drawing
from avloc.datasets.synthetic.media_folders import unusable


def read_photograph(path: Path, side: int) -> Drawing:
    """Return a photograph, upright, with a longer side of so many pixels."""
    with opened_photograph(path) as image:
        upright = ImageOps.exif_transpose(image).convert("RGB")
    scale = side / max(upright.size)
    width, height = (max(1, round(scale * length)) for length in upright.size)
    small = upright.resize((width, height), Image.Resampling.LANCZOS)
    drawing = np.ones((height, width, 4), dtype=np.float32)
    drawing[..., :3] = np.asarray(small)
    return drawing


@contextmanager
def opened_photograph(path: Path) -> Iterator[Image.Image]:
    """Open a picture; what goes wrong inside the block is a DatasetError of its file."""
    try:
        with Image.open(path) as image:
            yield image
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise unusable(path, f"is not a readable picture ({type(error).__name__})") from error
