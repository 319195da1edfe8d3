"""Where the model looked, laid over what it saw."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
from matplotlib import colormaps
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from avloc.errors import UnknownNameError, UsageError
from avloc.export.heat_style import ALPHA as ALPHA
from avloc.export.heat_style import STYLE as STYLE
from avloc.timeline import Timeline

Frame = NDArray[np.uint8]

# A cell with eight times the uniform weight is fully lit. The scale is the same for every
# segment and video: a map stretched to its own maximum makes noise look like knowledge.
FULL = 8.0
# Neither end of a colour map: the low one would darken the picture where the model looked a
# little, the high one of turbo where it looked hardest.
_SPAN = (0.3, 0.93)


def strength(attention: ArrayLike) -> NDArray[np.float32]:
    """Return how far each cell's weight stands above uniform, on a log scale in [0, 1].

    Args:
        attention: (H, W) weights over the picture, summing to 1.

    Returns:
        (H, W): 0 at the uniform weight 1/(H W) and below, 1 at eight times it or more.
    """
    weights = np.nan_to_num(np.asarray(attention, dtype=np.float32))
    if weights.size < 2:
        return np.zeros_like(weights)  # one cell says nothing about where
    times_uniform = np.maximum(weights * weights.size, 1.0)
    full = min(FULL, float(weights.size))
    return np.asarray(np.minimum(np.log(times_uniform) / np.log(full), 1), dtype=np.float32)


def heatmap_thumbnail(
    frame: Frame | Image.Image,
    attention: ArrayLike | None,
    *,
    style: str = STYLE,
    alpha: float = ALPHA,
    presence: float = 1.0,
) -> Image.Image:
    """Lay an attention map over a frame.

    The map is enlarged smoothly; its colour and its opacity both grow with `strength`, so a
    flat map leaves the frame as it is.

    Args:
        frame: (h, w, 3) RGB.
        attention: (H, W) weights summing to 1; None leaves the frame as it is.
        style: a matplotlib colour map.
        alpha: opacity in [0, 1] where the map is strongest.
        presence: in [0, 1], fades the whole map.

    Raises:
        UnknownNameError: there is no such colour map.
        UsageError: ``alpha`` is outside [0, 1].
    """
    picture = frame if isinstance(frame, Image.Image) else Image.fromarray(frame)
    if attention is None or presence <= 0:
        return picture
    small = np.rint(255 * strength(attention)).astype(np.uint8)
    if not small.any():
        return picture
    heat = Image.fromarray(small).resize(picture.size, Image.Resampling.BICUBIC)
    opacity = heat.point(_opacities(alpha * min(presence, 1.0)))
    heat.putpalette(_palette(style))
    return Image.composite(heat.convert("RGB"), picture.convert("RGB"), opacity)


def check_style(style: str, alpha: float) -> None:
    """Refuse a colour map or an opacity that is none, before work begins.

    Raises:
        UnknownNameError: there is no such colour map.
        UsageError: ``alpha`` is outside [0, 1].
    """
    _palette(style)
    _opacities(alpha)


def report_thumbnails(
    timeline: Timeline,
    frames: Sequence[Frame | None],
    *,
    width: int = 240,
    style: str = STYLE,
    alpha: float = ALPHA,
) -> list[Image.Image | None]:
    """Make one small picture a segment, with its heat map where an event was found.

    Args:
        timeline: what was found.
        frames: one (h, w, 3) RGB frame a segment, best its middle; None where there is none.
        width: of the pictures, in pixels.
        style: a matplotlib colour map.
        alpha: opacity where the map is strongest.

    Raises:
        UsageError: there is not one frame a segment.
    """
    if len(frames) != timeline.grid.n_segments:
        raise UsageError(f"{len(frames)} frames do not fit {timeline.grid.n_segments} segments")
    maps = maps_of_events(timeline)
    return [
        None
        if frame is None
        else heatmap_thumbnail(_narrowed(frame, width), attention, style=style, alpha=alpha)
        for frame, attention in zip(frames, maps, strict=True)
    ]


def maps_of_events(timeline: Timeline) -> list[NDArray[np.float32] | None]:
    """Return each segment's attention; None where no event was found, or without a map."""
    if timeline.attention is None:
        return [None] * timeline.grid.n_segments
    is_event = has_event(timeline)
    return [w if shown else None for w, shown in zip(timeline.attention, is_event, strict=True)]


def has_event(timeline: Timeline) -> NDArray[np.bool_]:
    """Return (T,): the segments in whose middle an event was found."""
    middles = timeline.middles()
    found = np.zeros(len(middles), dtype=np.bool_)
    for event in timeline:
        first, last = np.searchsorted(middles, (event.start, event.end))
        found[first:last] = True
    return found


def _narrowed(frame: Frame, width: int) -> Image.Image:
    picture = Image.fromarray(frame)
    height = max(1, round(picture.height * width / picture.width))
    return picture.resize((width, height), Image.Resampling.LANCZOS)


@cache
def _palette(style: str) -> bytes:
    """Return the 256 RGB colours of a style, by strength."""
    if style not in colormaps:
        raise UnknownNameError("heat-map style", style, colormaps)
    colours = colormaps[style](np.linspace(*_SPAN, 256))[:, :3]
    return bytes(np.rint(255 * colours).astype(np.uint8))


@lru_cache(maxsize=64)
def _opacities(alpha: float) -> list[int]:
    """Return the 256 opacities in [0, 255] by strength: quick to rise, zero at zero."""
    if not 0 <= alpha <= 1:
        raise UsageError(f"alpha is an opacity from 0 to 1, not {alpha}")
    return [round(255 * alpha * (level / 255) ** 0.75) for level in range(256)]
