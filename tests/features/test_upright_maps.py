"""A turned video's features, attention and heat map lie over the picture as it is shown.

One cell of the stored picture is lit. The test gives its position to nothing: the features
show it, attention is computed from the features, and the heat map is painted over the video.
"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from media_clips import run_ffmpeg
from tiny_encoders import tiny_encoders

from avloc.artifacts import VideoFeatures
from avloc.events import events_from_scores
from avloc.export.heatmap.overlay import render_heatmap
from avloc.features import extract_video
from avloc.labels import LabelSet
from avloc.timeline import Grid, Timeline

WIDTH, HEIGHT = 448, 224  # a cell of a 7 x 7 map is 64 x 32
# Turned to the left by 90 degrees, the upper left corner is the lower left one.
CORNERS = {0: (0, 0), 90: (6, 0), 180: (6, 6), 270: (0, 6)}


def turned_video(folder: Path, degrees: int) -> Path:
    """Grey, its first cell white, and a display matrix that turns it."""
    plain, turned = folder / "plain.mp4", folder / "turned.mp4"
    picture = (
        f"color=0x505050:s={WIDTH}x{HEIGHT}:r=8:d=1,"
        f"drawbox=x=0:y=0:w={WIDTH // 7}:h={HEIGHT // 7}:color=white:t=fill"
    )
    run_ffmpeg("-f", "lavfi", "-i", picture, "-pix_fmt", "yuv420p", plain)
    run_ffmpeg("-display_rotation", degrees, "-i", plain, "-c", "copy", turned)
    return turned


def attention_of(features: VideoFeatures) -> np.ndarray:
    """(T, 7, 7): how much each cell differs from the middle one."""
    maps = features.visual.astype(np.float32)
    difference = np.abs(maps - maps[:, 3:4, 3:4]).sum(axis=-1)
    return difference / difference.sum(axis=(1, 2), keepdims=True)


def timeline_of(features: VideoFeatures) -> Timeline:
    labels, grid = LabelSet(("Bell",)), Grid(features.n_segments)
    scores = np.full((grid.n_segments, 1), 0.9, np.float32)
    return Timeline(
        features.video_id,
        labels,
        grid,
        scores,
        events_from_scores(scores, grid, labels),
        attention=attention_of(features),
        frame_size=features.frame_size,
        duration=features.duration,
    )


def first_picture(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)


@pytest.mark.parametrize("degrees", CORNERS)
def test_features_find_what_is_lit_where_it_is_shown(tmp_path, degrees):
    features = extract_video(turned_video(tmp_path, degrees), tiny_encoders())
    attention = attention_of(features)[0]
    assert np.unravel_index(attention.argmax(), (7, 7)) == CORNERS[degrees]
    assert attention.max() > 0.7
    is_on_its_side = degrees in (90, 270)
    assert features.frame_size == ((HEIGHT, WIDTH) if is_on_its_side else (WIDTH, HEIGHT))


@pytest.mark.parametrize("degrees", CORNERS)
def test_the_heat_map_covers_what_is_lit(tmp_path, degrees):
    turned = turned_video(tmp_path, degrees)
    features = extract_video(turned, tiny_encoders())
    target = render_heatmap(timeline_of(features), turned, tmp_path / "heat.mp4")
    shown = first_picture(target)
    factor = shown.shape[1] // features.frame_size[0]  # a narrow picture is enlarged
    width, height = (factor * side for side in features.frame_size)
    shown = shown[:height]  # without the strip below
    colour = (shown.max(axis=2) - shown.min(axis=2)).reshape(7, height // 7, 7, width // 7)
    heat = colour.mean(axis=(1, 3))
    assert np.unravel_index(heat.argmax(), (7, 7)) == CORNERS[degrees]
    opposite = tuple(6 - place for place in CORNERS[degrees])
    assert heat[opposite] < 0.5 * heat.max()
