"""From which number on a sense knows an event, by the true events of validation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from made_up import features_of, made_up

from avloc.artifacts import read_model, write_model
from avloc.datasets.examples import load_examples
from avloc.datasets.feed import Feed
from avloc.labels import LabelSet
from avloc.models import build, restore
from avloc.training import TrainingConfig
from avloc.training.fit import fit
from avloc.training.sense_calibration import ENOUGH, fit_sense_threshold, sense_segments

CONFIG = TrainingConfig(epochs=6, batch_size=4, learning_rate=1e-2, milestones=())


@given(st.integers(ENOUGH, 60), st.integers(ENOUGH, 60), st.integers(0, 10_000), st.booleans())
def test_no_other_number_says_more_often_what_the_sense_has(n_with, n_without, seed, is_coarse):
    draw = np.random.default_rng(seed)
    has_event = np.arange(n_with + n_without) < n_with
    scores = np.clip(draw.random(len(has_event)) * 0.7 + 0.3 * has_event, 0, 1)
    scores = (scores.round(1) if is_coarse else scores).astype(np.float32)
    fitted = fit_sense_threshold(scores, has_event)
    assert 0 <= fitted <= 1
    tried = [0.0, 1.01, *scores.tolist(), *(scores + 1e-6).tolist()]
    right = max(int(((scores >= level) == has_event).sum()) for level in tried)
    assert int(((scores >= fitted) == has_event).sum()) >= right - (fitted == 1.0)


def test_between_what_is_apart_it_lies_in_the_middle():
    has_event = np.arange(60) < 30
    scores = np.where(has_event, 0.7, 0.1).astype(np.float32)
    assert fit_sense_threshold(scores, has_event) == pytest.approx(0.4)


@pytest.mark.parametrize("n_without", [0, ENOUGH - 1])
def test_without_enough_events_that_it_lacks_a_sense_knows_nine_in_ten(n_without):
    draw = np.random.default_rng(0)
    scores = draw.random(1001 + n_without).astype(np.float32)
    has_event = np.arange(len(scores)) < 1001
    fitted = fit_sense_threshold(scores, has_event)
    assert (scores[has_event] >= fitted).sum() == 901


def test_a_sense_that_has_no_event_needs_the_labels_threshold():
    assert fit_sense_threshold(np.full(9, 0.2, np.float32), np.zeros(9, bool)) == 1.0


def test_a_segment_counts_for_the_senses_that_its_video_has(tmp_path):
    """Of five videos of ten segments, one has no sound and one has no picture."""
    world = made_up(tmp_path, n_videos=5, splits=("val",))
    for number, lacking in ((0, "audio"), (1, "visual")):
        whole = world.store.read(f"video{number:03d}")
        halves = {"visual": whole.visual, "audio": whole.audio} | {lacking: None}
        world.store.write(features_of(whole.video_id, **halves))
    rows = [replace(row, start=0, end=10) for row in world.dataset.rows]
    rows[4] = replace(rows[4], end=4)
    rows[2] = replace(rows[2], sense="heard")
    dataset = replace(world.dataset, rows=tuple(rows))
    examples = load_examples(world.store, dataset, "val")
    model = build("cman", visual_channels=12, audio_channels=6, n_classes=3, width=8)
    model.knows_halves = True
    heard, seen = sense_segments(model, Feed(examples, torch.device("cpu")), 2)
    assert (len(heard[0]), int(heard[1].sum())) == (34, 34)
    assert (len(seen[0]), int(seen[1].sum())) == (34, 24)


def test_a_model_of_one_sense_has_none(tmp_path):
    world = made_up(tmp_path, n_videos=2, splits=("val",))
    feed = Feed(load_examples(world.store, world.dataset, "val"), torch.device("cpu"))
    options = {"modalities": "audio", "where": False, "which": False}
    model = build("cman", visual_channels=12, audio_channels=6, n_classes=3, width=8, **options)
    assert sense_segments(model, feed, 2) == []


@pytest.mark.parametrize(("dropout", "n_fitted"), [(0.2, 2), (0.0, 0)])
def test_a_trained_model_keeps_them(tmp_path, dropout, n_fitted):
    world = made_up(tmp_path / "w", n_videos=20)
    config = replace(CONFIG, modality_dropout=dropout)
    model = fit(world.store, world.dataset, options={"width": 8}, config=config, device="cpu")
    assert len(model.sense_thresholds) == n_fitted
    write_model(tmp_path / "m.h5", model)
    assert read_model(tmp_path / "m.h5").sense_thresholds == model.sense_thresholds


def test_events_of_one_sense_on_validation_are_told_apart(tmp_path):
    """Events are heard only or seen only: a sense is fitted to say no of the other's events."""
    world = made_up(tmp_path, n_videos=40, noise=0.2)
    rows, labels = [], LabelSet(world.dataset.labels.names, kind="independent")
    for number, row in enumerate(world.dataset.rows):
        whole = world.store.read(row.video_id)
        sense = ("heard", "seen")[number % 2 ^ number // 10 % 2]
        visual, audio = whole.visual.copy(), whole.audio.copy()
        hidden = visual if sense == "heard" else audio
        hidden[:] = np.random.default_rng(number).normal(scale=0.2, size=hidden.shape)
        world.store.write(features_of(row.video_id, visual, audio))
        rows.append(replace(row, sense=sense, start=0.0, end=10.0))
    dataset = replace(world.dataset, rows=tuple(rows), labels=labels)
    config = replace(CONFIG, epochs=12)
    model = fit(
        world.store, dataset, model="han", options={"width": 16}, config=config, device="cpu"
    )
    feed = Feed(load_examples(world.store, dataset, "val"), torch.device("cpu"))
    for level, (scores, has) in zip(
        model.sense_thresholds, sense_segments(restore(model, "cpu"), feed, 4), strict=True
    ):
        assert 0 < has.mean() < 1
        assert ((scores >= level) == has).mean() > 0.8
