"""From a picture of any size to what a network takes."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

Picture = NDArray[np.uint8]
Colour = tuple[float, float, float]


def squash(picture: Picture, size: tuple[int, int]) -> Picture:
    """Resize (h, w, 3) uint8 to (height, width): the whole frame, bilinear, without antialias.

    AVE's features were made so (``cv2.resize``); this stays within one grey level of it.
    """
    if picture.shape[:2] == size:
        return picture
    # torchvision's Resize gives the same, and takes long to load in every decoding process.
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None]
    squashed = interpolate(pixels, size, mode="bilinear", align_corners=False)
    return np.ascontiguousarray(squashed[0].permute(1, 2, 0).numpy())


def imagenet(frames: Tensor) -> Tensor:
    """Turn (B, H, W, 3) uint8 into (B, 3, H, W) float32 as torchvision's networks take them."""
    return _normalised(frames, 255.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def efficientnet_lite(frames: Tensor) -> Tensor:
    """Turn (B, H, W, 3) uint8 into (B, 3, H, W) float32 as EfficientNet-Lite takes them."""
    return _normalised(frames, 1.0, (127.0, 127.0, 127.0), (128.0, 128.0, 128.0))


def _normalised(frames: Tensor, scale: float, mean: Colour, std: Colour) -> Tensor:
    x = frames.permute(0, 3, 1, 2).float() / scale
    return (x - _on(x.device, mean)) / _on(x.device, std)


@cache
def _on(device: torch.device, colour: Colour) -> Tensor:
    with torch.inference_mode(False):  # cached: each copy would wait for the device
        return torch.tensor(colour, device=device)[:, None, None]
