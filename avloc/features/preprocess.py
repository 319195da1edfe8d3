"""From a picture of any size to what a network takes."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from avloc.errors import UnknownNameError

Picture = NDArray[np.uint8]
Colour = tuple[float, float, float]


SQUASH = "squash-bilinear"
_ANTIALIASED = {"bilinear": "squash-bilinear-antialias", "bicubic": "squash-bicubic-antialias"}
_FILTERS: dict[int | str, str] = {2: "bilinear", 3: "bicubic"}  # Pillow's numbers


def squash(picture: Picture, size: tuple[int, int], rule: str = SQUASH) -> Picture:
    """Resize (h, w, 3) uint8 to (height, width), the whole frame, by a rule that a spec names.

    ``squash-bilinear`` is without antialias. AVE's features were made so (``cv2.resize``); this
    stays within one grey level of it. The others are of `resize_rule`.
    """
    if picture.shape[:2] == size:
        return picture
    mode = next((mode for mode, name in _ANTIALIASED.items() if name == rule), "")
    if not mode and rule != SQUASH:
        raise UnknownNameError("rule to resize", rule, (SQUASH, *_ANTIALIASED.values()))
    # torchvision's Resize gives the same, and takes long to load in every decoding process.
    pixels = torch.from_numpy(picture).permute(2, 0, 1)[None]
    squashed = interpolate(
        pixels, size, mode=mode or "bilinear", align_corners=False, antialias=bool(mode)
    )
    return np.ascontiguousarray(squashed[0].permute(1, 2, 0).numpy())


def resize_rule(interpolation: int | str) -> str:
    """Return the rule nearest to a model's: Pillow's number or name of an interpolation."""
    name = (
        _FILTERS.get(interpolation, "bicubic") if isinstance(interpolation, int) else interpolation
    )
    return _ANTIALIASED.get(name, _ANTIALIASED["bicubic"])


def imagenet(frames: Tensor) -> Tensor:
    """Turn (B, H, W, 3) uint8 into (B, 3, H, W) float32 as torchvision's networks take them."""
    return normalised(frames, 255.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def efficientnet_lite(frames: Tensor) -> Tensor:
    """Turn (B, H, W, 3) uint8 into (B, 3, H, W) float32 as EfficientNet-Lite takes them."""
    return normalised(frames, 1.0, (127.0, 127.0, 127.0), (128.0, 128.0, 128.0))


def normalised(frames: Tensor, scale: float, mean: Colour, std: Colour) -> Tensor:
    """Turn (B, H, W, 3) uint8 into (B, 3, H, W) float32: (frames / scale - mean) / std."""
    x = frames.permute(0, 3, 1, 2).float() / scale
    return (x - _on(x.device, mean)) / _on(x.device, std)


@cache
def _on(device: torch.device, colour: Colour) -> Tensor:
    with torch.inference_mode(False):  # cached: each copy would wait for the device
        return torch.tensor(colour, device=device)[:, None, None]
