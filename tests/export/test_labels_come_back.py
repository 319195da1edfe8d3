"""What is exported for correction, and read back as a manifest, is the same events."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from avloc.datasets import load_dataset
from avloc.export.formats.saving import save
from avloc.labels import LabelSet
from avloc.timeline import Event, Grid, Timeline

FORMATS = {"csv": ".csv", "tsv": ".tsv", "jsonl": ".jsonl", "elan": ".eaf", "label-studio": ".json"}
LABEL = (
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=12)
    .map(lambda text: " ".join(text.split()))
    .filter(lambda text: text and text != "background")
)
EVENT = st.tuples(
    st.integers(0, 600_000),  # milliseconds, of which every format can tell
    st.integers(1, 600_000),
    st.integers(0, 3),
    st.sampled_from(["both", "heard", "seen", "unknown"]),
)


@st.composite
def timelines(draw, folder=Path("/films")):
    names = tuple(draw(st.lists(LABEL, min_size=4, max_size=4, unique=True)))
    events = {
        Event(start / 1000, (start + length) / 1000, names[n], 0.5, sense)
        for start, length, n, sense in draw(st.lists(EVENT, min_size=1, max_size=6))
    }
    video_id = draw(st.sampled_from(["yard", "a b", "über_10_20.5", "-x#1", "50%"]))
    return Timeline(
        video_id,
        LabelSet(names, kind="independent"),
        Grid(3),
        np.zeros((3, 4), np.float32),
        tuple(sorted(events, key=lambda e: (e.start, e.end, e.label, e.sense))),
        duration=1200.0,
        source=str(folder / f"{video_id}.mp4"),
    )


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    return tmp_path_factory.mktemp("back")


def read_back(folder, timeline, format):
    path = folder / f"answer{FORMATS[format]}"
    return load_dataset(save(timeline, path, format))


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=30)
@given(timeline=timelines())
def test_labels_times_and_senses_come_back(scratch, format, timeline):
    dataset = read_back(scratch, timeline, format)
    read = [(r.video_id, r.label, r.start, r.end, r.sense) for r in dataset.rows]
    expected = [(timeline.video_id, e.label, e.start, e.end, e.sense) for e in timeline]
    assert sorted(read) == sorted(expected)
    assert dataset.ignored_fields == ()


@pytest.mark.parametrize("format", FORMATS)
def test_the_video_comes_back(tmp_path, format):
    film = tmp_path / "a film #1 100%.mp4"
    film.touch()
    event = Event(0, 1, "dog", 0.5)
    made = Timeline(film.stem, LabelSet(("dog",)), Grid(1), np.zeros((1, 1), np.float32), (event,))
    dataset = read_back(tmp_path, replace(made, source=str(film)), format)
    assert dataset.videos == {film.stem: film}
    assert quote(film.name) not in str(dataset.videos)


@pytest.mark.parametrize("format", ["csv", "jsonl"])
def test_answers_of_many_videos_are_one_file(tmp_path, format):
    paths = []
    for name in ("one", "two"):
        event = Event(0, 1, f"{name} dog", 0.5)
        labels = LabelSet((event.label,))
        made = Timeline(name, labels, Grid(1), np.zeros((1, 1), np.float32), (event,))
        paths.append(save(made, tmp_path / f"{name}{FORMATS[format]}", format))
    joined = tmp_path / f"joined{FORMATS[format]}"
    joined.write_text("".join(path.read_text() for path in paths))
    assert [(r.video_id, r.label) for r in load_dataset(joined).rows] == [
        ("one", "one dog"),
        ("two", "two dog"),
    ]
