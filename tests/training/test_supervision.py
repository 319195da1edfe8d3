"""What ``auto`` means for given data and models, and what does not fit together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_up import World, made_up

from avloc.errors import DatasetError, UsageError
from avloc.models.cman import CMAN
from avloc.models.han import HAN
from avloc.training import TrainingConfig, load_splits
from avloc.training.supervision import resolved


@pytest.fixture(scope="module")
def world(tmp_path_factory) -> World:
    return made_up(tmp_path_factory.mktemp("world"))


def without_times(world: World, *splits: str) -> World:
    rows = [
        replace(row, start=0, end=0, is_whole_video=True) if row.split in splits else row
        for row in world.dataset.rows
    ]
    return World(world.store, replace(world.dataset, rows=tuple(rows)))


def asked(world: World, model=CMAN, **options) -> TrainingConfig:
    config = TrainingConfig(**{"supervision": "weak", **options})
    data = load_splits(world.store, world.dataset, config)
    return resolved(config, data, model, world.dataset)


def chosen(config: TrainingConfig) -> tuple[str, ...]:
    return config.weak_labels, config.pooling, config.isolate, config.splice


@pytest.mark.parametrize(
    ("model", "options", "result"),
    [
        (CMAN, {}, ("proportion", "count", "on", "off")),
        (CMAN, {"weak_labels": "presence"}, ("presence", "topk", "off", "on")),
        (CMAN, {"pooling": "mean"}, ("proportion", "mean", "off", "off")),
        (CMAN, {"isolate": "off"}, ("proportion", "count", "off", "off")),
        (CMAN, {"splice": "on"}, ("proportion", "count", "on", "on")),
        (
            CMAN,
            {"weak_labels": "presence", "pooling": "max", "splice": "off"},
            ("presence", "max", "off", "off"),
        ),
        (HAN, {}, ("presence", "auto", "off", "off")),
        (HAN, {"splice": "on"}, ("presence", "auto", "off", "on")),
        (CMAN, {"supervision": "full"}, ("auto", "auto", "auto", "auto")),
    ],
)
def test_auto_follows_from_the_labels_and_the_model(world, model, options, result):
    config = asked(world, model, **options)
    assert chosen(config) == result
    again = resolved(config, load_splits(world.store, world.dataset, config), model, world.dataset)
    assert again == config


@pytest.mark.parametrize("split", ["train", "val"])
def test_labels_without_times_are_presence(world, split):
    untimed = without_times(world, split)
    assert chosen(asked(untimed)) == ("presence", "topk", "off", "on")
    with pytest.raises(DatasetError, match="videos have labels without times"):
        asked(untimed, weak_labels="proportion")
    assert chosen(asked(without_times(world, "test")))[0] == "proportion"


@pytest.mark.parametrize(
    ("model", "options", "says"),
    [
        (CMAN, {"weak_labels": "presence", "pooling": "count"}, "pooling=count needs the share"),
        (CMAN, {"pooling": "mean", "isolate": "on"}, "isolate=on has no effect"),
        (CMAN, {"weak_labels": "presence", "isolate": "on"}, "isolate=on has no effect"),
        (CMAN, {"pooling": "max", "self_training": "on"}, "self_training=on has no effect"),
        (HAN, {"weak_labels": "proportion"}, "the model pools the video itself"),
        (HAN, {"pooling": "max"}, "the model pools the video itself"),
    ],
)
def test_what_does_not_fit_together_is_refused(world, model, options, says):
    with pytest.raises(UsageError, match=says):
        asked(world, model, **options)


def test_times_are_asked_for_where_they_are_needed(world):
    with pytest.raises(DatasetError, match="full supervision needs"):
        asked(without_times(world, "train"), supervision="full")
    no_val = without_times(world, "val")
    for select_by in ("segments", "loss"):
        with pytest.raises(DatasetError, match="choose the epoch"):
            asked(no_val, supervision="full", select_by=select_by)
    with pytest.raises(DatasetError, match="choose the epoch"):
        asked(no_val, select_by="segments")
    assert asked(no_val, select_by="loss").weak_labels == "presence"
    with pytest.raises(UsageError, match="supervision is full"):
        TrainingConfig(select_by="labels")


@pytest.mark.parametrize(
    ("options", "result"),
    [({}, "on"), ({"self_training": "off"}, "off"), ({"weak_labels": "presence"}, "off")],
)
def test_training_has_a_second_round_where_labels_are_counted(world, options, result):
    assert asked(world, **options).self_training == result


@pytest.mark.parametrize(
    ("n_segments", "options", "size"),
    [
        (10, {}, 64),  # a grid, as all of the paper's tables
        (None, {}, 2),  # 100 windows of different lengths give 50 steps
        (None, {"batch_size": 64}, 64),
    ],
)
def test_windows_of_different_lengths_give_enough_steps_an_epoch(
    tmp_path, n_segments, options, size
):
    world = made_up(tmp_path, n_videos=200, lengths=(10, 7, 4), splits=("train", "val"))
    world = World(world.store, replace(world.dataset, n_segments=n_segments))
    assert asked(world, **options).batch_size == size
