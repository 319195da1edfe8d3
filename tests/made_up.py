"""Features with a known signal and predictions by hand, for tests of what follows extraction.

An event of class k puts pattern k on one region of the picture and pattern k into the sound;
everything else is noise. Nothing here is a stand-in for a measured result.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from avloc.artifacts import FeatureStore, Predictions, VideoFeatures
from avloc.datasets import Dataset, Row
from avloc.datasets.batches import Truth
from avloc.labels import LabelSet
from avloc.spec import FeatureSpec

SPEC = FeatureSpec("made-up", "", "made-up", "")
SPLITS = ("train", "train", "train", "val", "test")


@dataclass(frozen=True)
class World:
    """A store and the data set that speaks of its videos."""

    store: FeatureStore
    dataset: Dataset


def made_up(
    root: Path,
    *,
    n_videos: int = 20,
    lengths: tuple[int, ...] = (10,),
    splits: tuple[str, ...] = SPLITS,
    n_segments: int | None = 10,
    labels: tuple[str, ...] = ("bell", "bark"),
    side: int = 3,
    channels: tuple[int, int] = (12, 6),
    noise: float = 0.3,
    seed: int = 0,
) -> World:
    """Write a store of features and return it with its data set."""
    draw = np.random.default_rng(seed)
    patterns_v = draw.normal(size=(len(labels), channels[0]))
    patterns_a = draw.normal(size=(len(labels), channels[1]))
    store = FeatureStore.create(root / "features", SPEC)
    rows = []
    for number in range(n_videos):
        length = lengths[number % len(lengths)]
        k = number % len(labels)
        start, end = sorted(draw.choice(length + 1, size=2, replace=False).tolist())
        on = (np.arange(length) >= start) & (np.arange(length) < end)
        visual = noise * draw.normal(size=(length, side, side, channels[0]))
        region = draw.integers(side, size=2)
        visual[on, region[0], region[1]] += patterns_v[k]
        audio = noise * draw.normal(size=(length, channels[1])) + on[:, None] * patterns_a[k]
        video_id = f"video{number:03d}"
        store.write(features_of(video_id, visual, audio))
        rows.append(Row(video_id, labels[k], start, end, splits[number % len(splits)]))
    world = World(store, Dataset("made-up", root, LabelSet(labels), tuple(rows), {}, n_segments))
    (root / "dataset.pickle").write_bytes(pickle.dumps(world.dataset))
    return world


def world_at(root: Path) -> World:
    """Open what another process made up."""
    dataset = pickle.loads((root / "dataset.pickle").read_bytes())
    return World(FeatureStore.open(root / "features"), dataset)


def features_of(
    video_id: str, visual: np.ndarray | None, audio: np.ndarray | None, n_segments: int = 0
) -> VideoFeatures:
    """Wrap arrays, one a segment, as a video's features."""
    present = [array for array in (visual, audio) if array is not None]
    length = len(present[0]) if present else n_segments
    edges = np.arange(length + 1, dtype=np.float64)
    return VideoFeatures(
        video_id=video_id,
        segment_times=np.stack([edges[:-1], edges[1:]], axis=1),
        visual=None if visual is None else visual.astype(np.float16),
        audio=None if audio is None else audio.astype(np.float32),
        frame_index=None,
        visual_valid=np.full(length, visual is not None),
        audio_valid=np.full(length, audio is not None),
        duration=float(length),
        fps_sampled=16.0,
        segment_seconds=1.0,
        spec=SPEC,
    )


def truth_of_classes(classes: torch.Tensor, n_labels: int) -> Truth:
    """Return the truth of (B, T) class indices, background `n_labels`, -1 where not scored."""
    events = torch.nn.functional.one_hot(classes.clamp_min(0), n_labels + 1)[..., :-1].bool()
    scored = classes >= 0
    events &= scored[..., None]
    every = events.clone(), events.clone(), events.clone()
    return Truth(*every, scored, events.any(dim=1), torch.arange(len(classes)))


def predictions_of(winners: ArrayLike, targets: ArrayLike, **fields: Any) -> Predictions:
    """Return predictions that are sure of one class in each segment, both (rows, segments)."""
    shown = np.asarray(targets)
    given = {
        "scores": np.eye(3, 2, dtype=np.float32)[np.asarray(winners)],
        "truth": shown[..., None] == np.arange(2),
        "scored": shown >= 0,
        "video_ids": tuple(map(str, range(len(shown)))),
        "rows": np.arange(len(shown)),
        "labels": LabelSet(("bell", "bark")),
        "split": "test",
        "model": "cman",
        "fingerprint": "0123456789abcdef",
        "durations": np.full(len(shown), float(shown.shape[1])),
    }
    return Predictions(**given | fields)
