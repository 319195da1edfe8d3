"""Attention laid over a picture as a heat map."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache

import numpy as np
from matplotlib import colormaps
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from avloc.export.confidence import opacity
from avloc.export.heat_style import DEFAULT_STYLE, HeatStyle
from avloc.export.links import jpeg
from avloc.export.playback import events_of_segments
from avloc.timeline import FloatArray, Timeline

Frame = NDArray[np.uint8]

# A cell with eight times the uniform weight has the full colour. The scale is the same for
# every segment and video: a map stretched to its own maximum makes noise look like knowledge.
FULL = 8.0
# Neither end of a colour map: the low one would darken the picture where attention is weak,
# and the high one of turbo where it is strongest.
_SPAN = (0.3, 0.93)


def strength(attention: ArrayLike) -> FloatArray:
    """Return how far (H, W) weights are above uniform, logarithmic: 0 at 1/(H W), 1 at 8/(H W)."""
    weights = np.nan_to_num(np.asarray(attention, dtype=np.float32))
    if weights.size < 2:
        return np.zeros_like(weights)  # one cell says nothing about where
    times_uniform = np.maximum(weights * weights.size, 1.0)
    full = min(FULL, float(weights.size))
    return np.asarray(np.minimum(np.log(times_uniform) / np.log(full), 1), dtype=np.float32)


def lay_heat(
    frame: Frame | Image.Image,
    attention: ArrayLike | None,
    style: HeatStyle = DEFAULT_STYLE,
    presence: float = 1.0,
) -> Image.Image:
    """Lay attention, (H, W) weights summing to 1, over a frame, (h, w, 3) RGB.

    Colour and opacity both grow with `strength`, so a uniform map leaves the frame as it is. A
    presence below 1 fades the whole map.
    """
    picture = frame if isinstance(frame, Image.Image) else Image.fromarray(frame)
    if attention is None or presence <= 0:
        return picture
    small = np.rint(255 * strength(attention)).astype(np.uint8)
    if not small.any():
        return picture
    heat = Image.fromarray(small).resize(picture.size, Image.Resampling.BICUBIC)
    opacity = heat.point(_opacities(style.alpha * min(presence, 1.0)))
    heat.putpalette(_palette(style.colormap))
    return Image.composite(heat.convert("RGB"), picture.convert("RGB"), opacity)


def report_thumbnails(
    timeline: Timeline, frames: Mapping[int, Frame], style: HeatStyle = DEFAULT_STYLE
) -> dict[int, bytes]:
    """Make a JPEG of each segment's frame, with its heat map as strong as its event is sure."""
    maps, presence = maps_of_events(timeline), presence_of_segments(timeline)
    return {
        n: jpeg(lay_heat(frame, maps[n], style, float(presence[n]))) for n, frame in frames.items()
    }


def evenly(n: int, n_most: int) -> list[int]:
    """Return at most ``n_most`` of the numbers below ``n``, evenly spread."""
    if n <= n_most:
        return list(range(n))
    return [(2 * k + 1) * n // (2 * n_most) for k in range(n_most)]


def maps_of_events(timeline: Timeline) -> list[FloatArray | None]:
    """Return each segment's attention; None without an event or without attention."""
    if timeline.attention is None:
        return [None] * timeline.grid.n_segments
    is_event = has_event(timeline)
    return [w if shown else None for w, shown in zip(timeline.attention, is_event, strict=True)]


def has_event(timeline: Timeline) -> NDArray[np.bool_]:
    """Return (T,): whether the middle of a segment lies in an event."""
    return events_of_segments(timeline) >= 0


def presence_of_segments(timeline: Timeline) -> FloatArray:
    """Return (T,): how strong a segment's map is shown, by its strongest event; 0 without one."""
    strengths = [*(opacity(event.score) for event in timeline), 0.0]
    return np.array(strengths, np.float32)[events_of_segments(timeline)]


@cache
def _palette(colormap: str) -> bytes:
    """Return the 256 RGB colours of a colour map, by strength."""
    colours = colormaps[colormap](np.linspace(*_SPAN, 256))[:, :3]
    return bytes(np.rint(255 * colours).astype(np.uint8))


@lru_cache(maxsize=64)
def _opacities(alpha: float) -> list[int]:
    """Return the 256 opacities in [0, 255] by strength: quick to rise, zero at zero."""
    return [round(255 * alpha * (level / 255) ** 0.75) for level in range(256)]
