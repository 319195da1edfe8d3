"""Self-training: pseudo-labels against their rule written out, and the two rounds end to end."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from made_up import made_up

from avloc.artifacts import ModelFile, read_model, write_model
from avloc.datasets.examples import Examples, load_examples
from avloc.datasets.feed import Feed
from avloc.models import build, restore
from avloc.training import TrainingConfig, load_splits
from avloc.training.fit import fit
from avloc.training.pseudo_labels import pseudo_labels, with_labels
from avloc.training.row_windows import RowWindows

WEAK = TrainingConfig(
    supervision="weak",
    weak_labels="proportion",
    epochs=4,
    batch_size=5,
    learning_rate=3e-3,
    modality_dropout=0.0,
)
OPTIONS = {"width": 16}


def untrained(examples: Examples, n_logits: int, *, independent: bool = False):
    torch.manual_seed(3)
    return build(
        "cman",
        visual_channels=examples.visual_shape[-1],
        audio_channels=examples.audio_channels,
        n_classes=n_logits,
        independent=independent,
        **OPTIONS,
    ).eval()


def by_rule(examples: Examples, model, n_labels: int) -> list[tuple]:
    """Return ((window, segment), label or None) of all scored segments."""
    rows: dict[int, list[int]] = {}
    for index, entry in enumerate(examples.entries):
        rows.setdefault(entry.row, []).append(index)
    feed, given = Feed(examples, torch.device("cpu")), []
    for windows in rows.values():
        logits, count = {}, np.zeros(n_labels, int)
        for index in windows:
            batch = feed.batch([index])
            with torch.inference_mode():
                z = model(batch.visual, batch.audio).logits[0].numpy()
            targets = examples.entries[index].targets
            for t in np.flatnonzero(targets.scored):
                logits[index, t] = z[t]
                count += targets.events[t]
        chosen = {}
        for label in np.argsort(-count, kind="stable"):
            free = [at for at in logits if at not in chosen]
            free.sort(key=lambda at: -(logits[at][label] - logits[at][-1]))
            chosen |= dict.fromkeys(free[: count[label]], label)
        given += [(at, chosen.get(at)) for at in logits]
    return given


@pytest.mark.parametrize("window", [60, 4])
def test_each_label_is_given_to_the_likeliest_segments_of_its_video(tmp_path, window):
    """With a window of 4 a video of 10 segments is three windows, and two segments are in two."""
    world = made_up(tmp_path, n_segments=None, lengths=(10, 7), noise=1.0)
    examples = load_examples(world.store, world.dataset, "train", window=window)
    model = untrained(examples, 3)
    feed = Feed(examples, torch.device("cpu"))
    found = with_labels(examples, pseudo_labels(model, feed, 5, world.dataset.labels, 1))
    assert len(found.entries) == len(examples.entries)
    expected = by_rule(examples, model, 2)
    for (index, t), label in expected:
        wanted = [label == c for c in range(2)]
        assert found.entries[index].targets.events[t].tolist() == wanted
    assert {label for _, label in expected} == {0, 1, None}
    moved = sum(
        (new.targets.events != old.targets.events).any()
        for new, old in zip(found.entries, examples.entries, strict=True)
    )
    assert moved > 0  # the rule is not the truth: an untrained model answers


@pytest.mark.parametrize("kind", ["exclusive", "independent"])
def test_pseudo_labels_have_the_weak_labels_proportions_and_no_more_of_the_truth(tmp_path, kind):
    world = made_up(tmp_path, noise=1.0)
    labels = replace(world.dataset.labels, kind=kind)
    examples = load_examples(world.store, replace(world.dataset, labels=labels), "train")
    model = untrained(examples, labels.n_logits, independent=kind == "independent")

    def found(of: Examples) -> np.ndarray:
        return pseudo_labels(model, Feed(of, torch.device("cpu")), 4, labels, 1)

    truth = np.stack([entry.targets.events for entry in examples.entries])
    np.testing.assert_array_equal(
        found(examples).reshape(truth.shape).sum(axis=1), truth.sum(axis=1)
    )
    turned = with_labels(examples, truth[:, ::-1].reshape(-1, 2))  # the same proportions
    np.testing.assert_array_equal(found(turned), found(examples))


def test_windows_that_were_joined_are_split_in_their_order():
    rows = RowWindows.of(torch.tensor([4, 9, 4, 9, 4, 2]), torch.device("cpu"))
    values = torch.arange(6 * 3 * 2).view(6, 3, 2)
    assert torch.equal(rows.split(rows.join(values)), values)
    apart = RowWindows.of(torch.tensor([1, 2]), torch.device("cpu"))
    assert torch.equal(apart.split(apart.join(values[:2])), values[:2])


def test_the_second_round_is_full_training_on_what_the_first_found(tmp_path):
    """Its weights are those of a training whose data set has the pseudo-labels as its truth."""
    world = made_up(tmp_path, noise=1.0)
    run = {"options": OPTIONS, "device": "cpu"}
    said: list[tuple] = []
    both = fit(
        world.store, world.dataset, config=WEAK, **run, progress=lambda *now: said.append(now)
    )
    first = fit(world.store, world.dataset, config=replace(WEAK, self_training="off"), **run)
    training = [now for now in said if "epoch" in now[2]]
    assert [now[:2] for now in training] == [(n, 8) for n in range(1, 9)]
    assert training[4][2].startswith("round 2, epoch 1: val error")
    examples = load_examples(world.store, world.dataset, "train")
    teacher = restore(first)
    found = with_labels(
        examples,
        pseudo_labels(teacher, Feed(examples, torch.device("cpu")), 5, world.dataset.labels, 1),
    )
    config = replace(WEAK, supervision="full", weak_labels="auto")
    data = replace(load_splits(world.store, world.dataset, config), train=found)
    again = fit(world.store, world.dataset, config=config, data=data, **run)
    for name in ("train_loss", "train_accuracy", "val_accuracy"):
        assert both.history[name] == again.history[name]


def test_it_is_gone_on_with_in_either_round_to_the_same_bits(tmp_path):
    world = made_up(tmp_path, noise=1.0)
    run = {"options": OPTIONS, "config": WEAK, "device": "cpu"}
    kept: list[ModelFile] = []
    whole = fit(world.store, world.dataset, **run, keep=kept.append)
    assert [len(file.history["epoch"]) for file in kept] == [1, 2, 3, 1, 2, 3]
    for file in kept[2:4]:  # the last of the first round, and the first of the second
        write_model(tmp_path / "unfinished.h5", file)
        again = fit(
            world.store,
            world.dataset,
            **run,
            unfinished=read_model(tmp_path / "unfinished.h5"),
        )
        for name, weights in whole.weights.items():
            np.testing.assert_array_equal(weights, again.weights[name])
        assert whole.metrics == again.metrics
    assert whole.training["self_training"] == "on"


def test_the_epoch_is_chosen_without_the_validation_segments(tmp_path):
    """Other times with the same proportions change nothing that a weak training may know."""
    world = made_up(tmp_path, noise=1.0)
    rows = [
        replace(row, start=10 - row.end, end=10 - row.start) if row.split == "val" else row
        for row in world.dataset.rows
    ]
    turned = replace(world.dataset, rows=tuple(rows))
    config = replace(WEAK, epochs=6, learning_rate=1e-2)
    first, second = (
        fit(world.store, of, options=OPTIONS, config=config, device="cpu")
        for of in (world.dataset, turned)
    )
    for name in ("val_error", "val_loss", "train_loss"):
        assert first.history[name] == second.history[name]
    assert first.history["val_accuracy"] != second.history["val_accuracy"]
    for name, weights in first.weights.items():
        np.testing.assert_array_equal(weights, second.weights[name])
