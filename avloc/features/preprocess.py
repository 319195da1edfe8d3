"""From frames of a network's size to what the network takes."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

Colour = tuple[float, float, float]


def imagenet(frames: Tensor) -> Tensor:
    """Turn (B, H, W, 3) uint8 into (B, 3, H, W) float32 as torchvision's networks take them."""
    return normalised(frames, 255.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def efficientnet_lite(frames: Tensor) -> Tensor:
    """Turn (B, H, W, 3) uint8 into (B, 3, H, W) float32 as EfficientNet-Lite takes them."""
    return normalised(frames, 1.0, (127.0, 127.0, 127.0), (128.0, 128.0, 128.0))


def normalised(frames: Tensor, scale: float, mean: Colour, std: Colour) -> Tensor:
    """Turn (B, H, W, 3) uint8 into (B, 3, H, W) float32: (frames / scale - mean) / std."""
    # In place, in lines: three numbers at a time, with new memory at each step, took four times
    # as long.
    lines = frames.float().flatten(2)
    if scale != 1.0:
        lines /= scale
    width = frames.shape[2]
    lines -= _line_of(mean, width, lines.device)
    lines /= _line_of(std, width, lines.device)
    return lines.view(frames.shape).permute(0, 3, 1, 2)


@cache
def _line_of(colour: Colour, width: int, device: torch.device) -> Tensor:
    with torch.inference_mode(False):  # cached: each copy would wait for the device
        return torch.tensor(colour, device=device).repeat(width)
