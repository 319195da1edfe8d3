"""From a picture of any size to what a network takes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

Picture = NDArray[np.uint8]


def squash(picture: Picture, size: tuple[int, int]) -> Picture:
    """Bring a picture to ``size``: the whole frame, bilinear, without antialias.

    AVE's features were made so (``cv2.resize``); this stays within one grey level of it, and
    is what ``torchvision.transforms.v2.Resize(antialias=False)`` gives. It is called here
    without torchvision, which takes longer to load than all else a decoding process needs.

    Args:
        picture: (h, w, 3) uint8.
        size: (height, width).

    Returns:
        (height, width, 3) uint8, contiguous.
    """
    if picture.shape[:2] == size:
        return picture
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None]
    squashed = interpolate(pixels, size, mode="bilinear", align_corners=False)
    return np.ascontiguousarray(squashed[0].permute(1, 2, 0).numpy())


@dataclass(frozen=True)
class Normalisation:
    """``(x / scale - mean) / std`` for grey levels x, per colour.

    Attributes:
        scale: what a grey level is divided by first.
        mean: red, green, blue.
        std: red, green, blue.
    """

    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    def __call__(self, frames: Tensor) -> Tensor:
        """Turn (B, H, W, 3) uint8 into (B, 3, H, W) float32 in channels-last memory."""
        x = frames.permute(0, 3, 1, 2).float() / self.scale
        return (x - _on(x.device, self.mean)) / _on(x.device, self.std)


@cache
def _on(device: torch.device, colours: tuple[float, float, float]) -> Tensor:
    """Return (3, 1, 1), sent to a device once: each time would wait for the device."""
    with torch.inference_mode(False):
        return torch.tensor(colours, device=device)[:, None, None]


IMAGENET = Normalisation(255.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
EFFICIENTNET_LITE = Normalisation(1.0, (127.0, 127.0, 127.0), (128.0, 128.0, 128.0))
