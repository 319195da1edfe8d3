"""From frames of a network's size to what the network takes."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

Colour = tuple[float, float, float]


def imagenet(frames: Tensor, *, is_planar: bool = False) -> Tensor:
    """Turn (B, H, W, 3) uint8 into (B, 3, H, W) float32 as torchvision's networks take them."""
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return normalised(frames, 255.0, mean, std, is_planar=is_planar)


def efficientnet_lite(frames: Tensor, *, is_planar: bool = False) -> Tensor:
    """Turn (B, H, W, 3) uint8 into (B, 3, H, W) float32 as EfficientNet-Lite takes them."""
    mean, std = (127.0, 127.0, 127.0), (128.0, 128.0, 128.0)
    return normalised(frames, 1.0, mean, std, is_planar=is_planar)


def normalised(
    frames: Tensor, scale: float, mean: Colour, std: Colour, *, is_planar: bool = False
) -> Tensor:
    """Turn (B, H, W, 3) uint8 into (B, 3, H, W) float32: (frames / scale - mean) / std.

    In memory the colours of a pixel stay together, or ``is_planar`` puts them into three planes.
    """
    planes = frames.permute(0, 3, 1, 2)
    if is_planar:
        values, width = planes.to(torch.float32, memory_format=torch.contiguous_format), 0
    else:
        values, width = frames.float().flatten(2), frames.shape[2]
    # In place, and in whole lines: in new memory at each step, three numbers at a time, it took
    # four times as long.
    if scale != 1.0:
        values /= scale
    values -= _constants(mean, width, values.device)
    values /= _constants(std, width, values.device)
    return values if is_planar else values.view(frames.shape).permute(0, 3, 1, 2)


@cache
def _constants(colour: Colour, width: int, device: torch.device) -> Tensor:
    """Return a colour's numbers for planes, or for a line of pixels."""
    with torch.inference_mode(False):  # cached: each copy would wait for the device
        numbers = torch.tensor(colour, device=device)
        return numbers.repeat(width) if width else numbers[:, None, None]
