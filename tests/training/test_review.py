"""Labels by split before training, and warnings of what makes a model worth little."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from made_up import World, made_up

from avloc.datasets import Dataset, Row, count_labels
from avloc.labels import LabelSet
from avloc.models.cman import CMAN
from avloc.training import TrainingConfig, load_splits
from avloc.training.review import Review, review
from avloc.training.supervision import resolved

LABELS = ("Music", "Bark", "Musik")


def world_of(root: Path, *rows: tuple[str, str]) -> World:
    """Make a video for each (label, split), with an event from 2 to 5 s."""
    world = made_up(root, n_videos=len(rows))
    found = [Row(f"video{n:03d}", label, 2, 5, split) for n, (label, split) in enumerate(rows)]
    dataset = replace(
        world.dataset,
        rows=tuple(found),
        labels=LabelSet.in_order_of_appearance(label for label, _ in rows if label),
        is_row_alone=False,
        n_segments=None,
    )
    return World(world.store, dataset)


def reviewed(world: World, **config) -> Review:
    asked = TrainingConfig(**config)
    data = load_splits(world.store, world.dataset, asked)
    return review(data, world.dataset, resolved(asked, data, CMAN, world.dataset))


def warned(found: Review, beginning: str) -> str:
    """Return the rest of the one warning that begins so."""
    (warning,) = [text for text in found.warnings if text.startswith(beginning)]
    return warning.removeprefix(beginning)


def test_rows_are_counted_by_label_and_split(tmp_path):
    splits = ("train", "train", "val", "test", "")
    rows = [(label, split) for label in LABELS[:2] for split in splits]
    world = world_of(tmp_path, *rows, ("Bark", "train"), ("Musik", "test"))
    counts = count_labels(world.dataset)
    assert counts.columns == ("train", "val", "test", "no split")
    assert counts.counts == {"Music": (2, 1, 1, 1), "Bark": (3, 1, 1, 1), "Musik": (0, 0, 1, 0)}
    header, *lines = counts.lines()
    assert header.split() == ["label", "train", "val", "test", "no", "split"]
    assert [line.split() for line in lines] == [
        [label, *map(str, numbers)] for label, numbers in counts.counts.items()
    ]
    assert len({len(line) for line in [header, *lines]}) == 1


def test_missing_videos_and_videos_without_event_are_counted_apart():
    rows = (Row("a", "Bark", 0, 1, "train"), Row("b", "", 0, 0, "train"), Row("c", "Bark", 0, 1))
    counts = count_labels(Dataset("d", Path("d"), LabelSet(("Bark",)), rows), missing={"c"})
    assert counts.counts == {"Bark": (1,), "(no event)": (1,)}
    assert counts.labels == ("Bark",)


def test_a_misspelt_label_is_named_with_the_one_it_may_be(tmp_path):
    rows = [("Music", "train"), ("Bark", "train"), ("Bark", "val"), ("Music", "val")]
    found = reviewed(world_of(tmp_path, *rows * 10, ("Musik", "train")))
    assert warned(found, "in the training split only: ") == "'Musik' (is it 'Music'?)"
    assert warned(found, "fewer than 10 events to train on: ") == "'Musik' (is it 'Music'?): 1"
    assert warned(found, "not among the clips that choose the epoch: ") == "Musik"


def test_a_label_of_the_test_split_only_has_nothing_to_train_on(tmp_path):
    rows = [("Music", "train"), ("Music", "val"), ("Music", "test")]
    found = reviewed(world_of(tmp_path, *rows, ("Bark", "test")))
    assert warned(found, "no event to train on: ") == "'Bark'"


def test_five_clips_of_one_class_are_warned_of_and_what_is_held_out_is_named(tmp_path):
    world = world_of(tmp_path, *[("Bark", "")] * 5)
    found = reviewed(world)
    data = load_splits(world.store, world.dataset, TrainingConfig())
    assert found.held_out == tuple(sorted(set(data.val.video_ids)))
    assert len(found.held_out) == 1
    assert found.counts.counts == {"Bark": (4, 1)}
    assert found.counts.columns == ("train", "held out")
    assert "'Bark'" in warned(found, "there is only one label")
    assert warned(found, "the epoch is chosen on ") == "1 clip, too few to trust the choice"
    assert f"held out to choose the epoch: {found.held_out[0]}" in found.lines()


def test_enough_clips_of_every_label_give_no_warning(tmp_path):
    rows = [(label, split) for label in LABELS[:2] for split in ("train", "val", "test")] * 10
    assert reviewed(world_of(tmp_path, *rows)).warnings == ()


def test_an_event_that_ends_after_its_video_is_named_with_its_row(tmp_path):
    world = world_of(tmp_path, *[("Bark", "train"), ("Music", "val")] * 2)
    rows = list(world.dataset.rows)
    rows[2] = replace(rows[2], end=99.0)
    rows[3] = replace(rows[3], end=10.9)  # a time within the last second is not an error
    found = reviewed(World(world.store, replace(world.dataset, rows=tuple(rows))))
    said = warned(found, "an event ends after its video: ")
    assert said == "row 3: 'Bark' of video002 from 2 to 99 s, and the video ends at 10 s"


EVENTS_EVERYWHERE = "every training video has an event, so presence without splices"
ONE_LABEL = "all training videos have the same labels, so splice=on has no effect"
CONSTANT = "pooling=mean accepts the same answer in every segment"
NO_BACKGROUND = "no training video has background"
WEAK = (EVENTS_EVERYWHERE, ONE_LABEL, CONSTANT, NO_BACKGROUND)
TWO = [(label, split) for label in LABELS[:2] for split in ("train", "val")]
PRESENCE = {"supervision": "weak", "weak_labels": "presence"}


def with_rows(world: World, **changes) -> World:
    """Return the world with every row changed."""
    rows = tuple(replace(row, **changes) for row in world.dataset.rows)
    return World(world.store, replace(world.dataset, rows=rows))


def weak_warnings_of(world: World, **config) -> list[str]:
    """Return the beginnings of the warnings of weak supervision, if it is weak by default."""
    found = reviewed(world, **{"supervision": "weak", **config}).warnings
    return [beginning for beginning in WEAK if any(w.startswith(beginning) for w in found)]


def test_presence_without_splices_needs_a_video_without_event(tmp_path):
    world = world_of(tmp_path, *TWO)
    off = {**PRESENCE, "splice": "off"}
    assert weak_warnings_of(world, **off) == [EVENTS_EVERYWHERE]
    assert "set splice=on" in warned(reviewed(world, **off), EVENTS_EVERYWHERE)
    assert weak_warnings_of(world, **PRESENCE) == []
    assert weak_warnings_of(world, **off, labels="independent") == []
    empty = world_of(tmp_path / "empty", *TWO, ("", "train"))
    assert weak_warnings_of(empty, **off) == []


def test_splices_need_videos_with_other_labels(tmp_path):
    rows = [("Bark", "train"), ("Bark", "val")] * 2
    world = world_of(tmp_path, *rows, ("Music", "val"))
    assert weak_warnings_of(world, **PRESENCE) == [ONE_LABEL]
    assert weak_warnings_of(world, **PRESENCE, labels="independent") == [ONE_LABEL]
    assert weak_warnings_of(world, splice="on") == [ONE_LABEL]
    assert weak_warnings_of(world) == []
    empty = world_of(tmp_path / "empty", *rows, ("", "train"))
    assert weak_warnings_of(empty, **PRESENCE) == []


def test_the_mean_accepts_a_constant_answer(tmp_path):
    world = world_of(tmp_path, *TWO)
    for config, better in (({}, "count"), (PRESENCE, "topk")):
        mean = {"supervision": "weak", "pooling": "mean", **config}
        assert weak_warnings_of(world, **mean) == [CONSTANT]
        assert warned(reviewed(world, **mean), CONSTANT).endswith(f"set pooling={better}")


def test_a_proportion_needs_some_background(tmp_path):
    full = with_rows(world_of(tmp_path, *TWO), start=0, end=10)
    assert weak_warnings_of(full) == [NO_BACKGROUND]
    assert weak_warnings_of(full, labels="independent") == []
    assert weak_warnings_of(full, **PRESENCE) == []
    almost = with_rows(world_of(tmp_path / "almost", *TWO), start=0, end=9)
    assert weak_warnings_of(almost) == []


def test_full_supervision_has_no_warning_of_weak_supervision(tmp_path):
    full = with_rows(world_of(tmp_path, *[("Bark", "train"), ("Bark", "val")]), start=0, end=10)
    assert weak_warnings_of(full, supervision="full") == []
