"""Artifacts to write and read back: made-up numbers of the right shapes."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from avloc.artifacts import Comparison, ModelFile, Predictions, VideoFeatures
from avloc.labels import LabelSet
from avloc.spec import FeatureSpec
from avloc.timeline import Event, Grid, Timeline

LABELS = LabelSet(("bark", "Kirchenglocke, groß"))
SPEC = FeatureSpec("efficientnet-lite0", "", "logmel", "", fps=4)


def features(video_id: str = "-clip", spec: FeatureSpec = SPEC, n: int = 3) -> VideoFeatures:
    rng = np.random.default_rng(0)
    return VideoFeatures(
        video_id=video_id,
        segment_times=Grid(n).segment_times(),
        visual=rng.normal(size=(n, 2, 2, 5)).astype(np.float16),
        audio=rng.normal(size=(n, 4)).astype(np.float32),
        frame_index=np.arange(n * 4, dtype=np.int32).reshape(n, 4),
        visual_valid=np.array([True] * (n - 1) + [False]),
        audio_valid=np.ones(n, bool),
        duration=2.6,
        fps_sampled=4.0,
        segment_seconds=1.0,
        spec=spec,
        flags=("rotated", "padded"),
        source="videos/-clip.mp4",
        source_sha256="ab" * 32,
        source_bytes=1234,
        frame_size=(64, 48),
    )


def model() -> ModelFile:
    rng = np.random.default_rng(1)
    return ModelFile(
        name="cman",
        config={"visual_channels": 5, "audio_channels": 4, "n_classes": 3, "spatial": True},
        weights={"head.weight": rng.normal(size=(3, 8)).astype(np.float32), "tau": np.array(2.3)},
        labels=LABELS,
        spec=SPEC,
        supervision="full",
        n_segments=10,
        segment_seconds=1.0,
        metrics={"val_accuracy": 0.75},
        seed=3,
        data={"name": "made up", "n_train": 8},
        training={"epochs": 2},
        history={"epoch": [0.0, 1.0], "train_loss": [1.5, 0.5]},
        temperatures=(1.25,),
        thresholds=(0.25, 0.5),
        sense_thresholds=(0.125, 0.0),
        resume={"weights.tau": np.array(2.5), "random.cpu": np.arange(5, dtype=np.uint8)},
    )


def predictions() -> Predictions:
    rng = np.random.default_rng(2)
    return Predictions(
        scores=rng.dirichlet(np.ones(3), size=(2, 4))[..., :2].astype(np.float32),
        truth=np.array([[[1, 0], [1, 0], [0, 0], [0, 0]], [[0, 1], [0, 1], [0, 1], [0, 0]]], bool),
        scored=np.array([[True] * 4, [True] * 3 + [False]]),
        video_ids=("-clip", "-clip"),
        rows=np.array([7, 9]),
        labels=LABELS,
        split="test",
        model="cman",
        fingerprint="f00d",
        durations=np.array([4.0, 3.5]),
        thresholds=(0.5, 0.4),
        sense_thresholds=(0.25, 0.5),
        segment_seconds=Fraction(1, 2),
        heard=rng.random((2, 4, 2)).astype(np.float32),
        seen=rng.random((2, 4, 2)).astype(np.float32),
        true_heard=rng.random((2, 4, 2)) < 0.5,
        true_seen=rng.random((2, 4, 2)) < 0.5,
        has_sound=np.array([True, False]),
        gate_visual=rng.random((2, 4)).astype(np.float32),
    )


def comparison() -> Comparison:
    return Comparison(
        table="table1",
        supervision="weak, presence",
        titles=("A", "A + V"),
        seeds=np.array([0, 1, 2]),
        metrics={
            "segment_accuracy": np.array([[0.5, 0.6, np.nan], [0.7, 0.8, 0.75]]),
            "pointing": np.full((2, 3), np.nan),
        },
        interval=np.array([[0.4, 0.6], [0.7, 0.8]]),
        paper=np.array([0.595, np.nan]),
        baselines={"right class, never background": 0.822},
        made={"decoder": "argmax per segment", "epochs": 20},
        full_minus_row=np.array([[0.2, 0.1, 0.3], [0.0, 0.0, 0.0]]),
    )


def timeline(events: tuple[Event, ...] | None = None) -> Timeline:
    rng = np.random.default_rng(3)
    event = Event(0.0, 1.0, "bark", 0.75, "heard", 0.875, 0.125)
    scores = rng.dirichlet(np.ones(3), size=3)[:, :2].astype(np.float32)
    return Timeline(
        video_id="-clip",
        labels=LABELS,
        grid=Grid(3, Fraction(1, 2)),
        scores=scores,
        events=(event,) if events is None else events,
        heard=rng.random(scores.shape).astype(np.float32),
        seen=rng.random(scores.shape).astype(np.float32),
        attention=rng.dirichlet(np.ones(4), size=3).reshape(3, 2, 2).astype(np.float32),
        gate_audio=np.array([0.4, 0.5, 0.6], np.float32),
        frame_size=(64, 48),
        duration=1.4,
        source="-clip.mp4",
        model="cman",
        fingerprint="f00d",
        flags=("no_audio",),
    )
