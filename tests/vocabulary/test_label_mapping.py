"""Which classes a label becomes, and when a sense abstains."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from avloc.errors import UsageError
from avloc.vocabulary import (
    SOUNDING_THINGS,
    LabelMapping,
    audioset_names,
    imagenet_names,
    map_labels,
)
from avloc.vocabulary.class_names import data_text, imagenet_synsets
from avloc.vocabulary.nouns import nouns
from avloc.vocabulary.phrases import phrases
from avloc.vocabulary.words import stems


def mapped(label: str) -> LabelMapping:
    (mapping,) = map_labels([label])
    return mapping


def heard(label: str) -> dict[str, float]:
    return {each.name: each.weight for each in mapped(label).heard}


def seen(label: str) -> dict[str, float]:
    return {each.name: each.weight for each in mapped(label).seen}


def test_audioset_names_are_those_of_its_own_list_in_order(tagger_weights: Path) -> None:
    source = tagger_weights / "class_labels_indices.csv"
    with source.open(newline="", encoding="utf-8") as file:
        rows = [(int(row["index"]), row["display_name"]) for row in csv.DictReader(file)]
    assert rows == list(enumerate(audioset_names()))


def test_imagenet_names_and_synsets_are_those_of_timm() -> None:
    data = pytest.importorskip("timm.data", reason="timm is not installed")
    info = data.ImageNetInfo()
    assert imagenet_names() == tuple(info.index_to_description(i) for i in range(1000))
    assert [f"n{offset:08d}" for offset in imagenet_synsets()] == list(info.label_names())


# ImageNet's breeds are the classes 151 to 268; its first 398 classes are animals.
@pytest.mark.parametrize(
    ("word", "classes"),
    [("dog", range(151, 269)), ("animal", range(398)), ("domestic cat", range(281, 286))],
)
def test_the_classes_below_a_word_are_wordnets(word: str, classes: range) -> None:
    assert nouns().classes_below_word(word) == tuple(classes)


@pytest.mark.parametrize("label", ["dog", "dog barking", "a barking dog", "Dogs"])
def test_a_dog_is_seen_in_every_breed(label: str) -> None:
    assert {each.index for each in mapped(label).seen} == set(range(151, 269))


@pytest.mark.parametrize(
    ("label", "first"),
    [
        ("dog barking", "Bark"),
        ("mynah bird singing", "Bird vocalization, bird call, bird song"),
        ("kookaburra", "Bird"),
        ("tapping guitar", "Tapping (guitar technique)"),
        ("volcano explosion", "Eruption"),
        ("ripping paper", "Tearing"),
        ("printer printing", "Printer"),
        ("car engine knocking", "Engine knocking"),
        ("woman playing violin", "Violin, fiddle"),
        ("cat purring", "Purr"),
        ("yodelling", "Yodeling"),
        ("Frying (food)", "Frying (food)"),
    ],
)
def test_the_strongest_sound_of_a_label(label: str, first: str) -> None:
    weights = heard(label)
    assert weights[first] == max(weights.values())


@pytest.mark.parametrize(
    ("label", "absent"),
    [
        ("mynah bird singing", "Singing"),
        ("tapping guitar", "Tap"),
        ("woman playing violin", "Female speech, woman speaking"),
        ("electric fan running", "Run"),
        ("cricket chirping", "Clicking"),
    ],
)
def test_a_word_that_means_something_else_here_is_left_out(label: str, absent: str) -> None:
    assert absent not in heard(label)


def test_every_audioset_name_has_its_own_class_among_the_strongest() -> None:
    for name in audioset_names():
        assert heard(name)[name] == 1.0
        assert heard(name.lower())[name] == 1.0


@pytest.mark.parametrize(
    "label", ["people sneezing", "male speech", "thunder", "doorbell", "policeman", "wind noise"]
)
def test_sight_abstains_from_what_imagenet_does_not_have(label: str) -> None:
    assert not mapped(label).seen
    assert mapped(label).nearest == () or not mapped(label).heard


@pytest.mark.parametrize("label", ["zucchini", "bookcase", "strawberry"])
def test_hearing_abstains_from_what_makes_no_sound(label: str) -> None:
    assert not mapped(label).heard
    assert mapped(label).seen


def test_a_word_that_nothing_matches_names_the_nearest() -> None:
    mapping = mapped("sunset")
    assert not mapping.heard
    assert not mapping.seen
    known = {*audioset_names(), *(names.split(",")[0] for names in imagenet_names())}
    assert mapping.nearest
    assert set(mapping.nearest) <= known


def test_a_misspelled_word_names_the_nearest_in_spelling() -> None:
    assert "Didgeridoo" in mapped("didgerydoo").nearest


@pytest.mark.parametrize("label", ["", "  ", "?!"])
def test_a_label_without_a_word_is_refused(label: str) -> None:
    with pytest.raises(UsageError, match="must have a word"):
        map_labels(["dog", label])


WORDS = (
    "dog cat barking singing playing piano the person car engine rain xyzzy mouse, 猫 bass opening "
    "object thing running café hot-dog 7 (food)"
)


@given(st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=5).map(" ".join))
def test_every_mapping_is_valid_and_the_same_each_time(label: str) -> None:
    mapping = mapped(label)
    names = [each.split(",")[0] for each in imagenet_names()]
    for classes, known in ((mapping.heard, list(audioset_names())), (mapping.seen, names)):
        assert all(known[each.index] == each.name for each in classes)
        assert all(0 < each.weight <= 1 and each.reason for each in classes)
        assert len({each.index for each in classes}) == len(classes)
        assert sorted(classes, key=lambda each: -each.weight) == list(classes)
    assert not (mapping.nearest and (mapping.heard or mapping.seen))
    assert map_labels([label, "siren"])[0] == mapping


def test_the_shipped_labels_are_distinct_and_all_can_be_heard() -> None:
    mappings = map_labels(SOUNDING_THINGS)
    assert len(set(SOUNDING_THINGS)) == len(SOUNDING_THINGS) >= 140
    assert [each.label for each in mappings if not each.heard] == []
    assert sum(bool(each.seen) for each in mappings) > 100
    assert len({each.heard for each in mappings}) == len(mappings), "two labels are one"


def test_no_phrase_of_the_table_is_there_twice() -> None:
    lines = [line for line in data_text("phrases.tsv").splitlines() if line[:1] not in ("#", "")]
    texts = [text for line in lines for text in line.split("\t")[0].split(" / ")]
    assert len({frozenset(stems(text)) for text in texts}) == len(texts)
    weights = [w for each in phrases().values() for _, w in (each.heard or ()) + (each.seen or ())]
    assert all(0 < weight <= 1 for weight in weights)
