import csv
import io
import json

import jsonschema
import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from made_up_timelines import NASTY, timeline_of, timelines, unhurried

from avloc.export.formats.delimited import localization_schema
from avloc.export.formats.saving import dumps
from avloc.labels import LabelSet
from avloc.stages.localize.inputs import find_inputs
from avloc.timeline import Event, Grid, Timeline


@unhurried
@given(timelines())
@example(timeline_of([0, 1, 2, 3, 4, 5], NASTY, video_id=NASTY[1]))
def test_csv_gives_back_what_it_was_given(timeline):
    rows = list(csv.DictReader(io.StringIO(dumps(timeline, "csv"), newline="")))
    assert [(r["video_id"], r["label"]) for r in rows] == [
        (timeline.video_id, e.label) for e in timeline
    ]
    for row, event in zip(rows, timeline, strict=True):
        read = [float(row[name]) for name in ("start", "end", "score")]
        assert read == pytest.approx([event.start, event.end, event.score], abs=1e-6)


@unhurried
@given(timelines())
def test_tsv_has_the_columns_of_dcase(timeline):
    text = io.StringIO(dumps(timeline, "tsv"), newline="")
    header, *rows = csv.reader(text, delimiter="\t")
    assert header == ["filename", "onset", "offset", "event_label", "sense", "heard", "seen"]
    assert [row[3] for row in rows] == [e.label for e in timeline]
    assert [float(row[1]) for row in rows] == pytest.approx([e.start for e in timeline], abs=1e-6)
    assert [float(row[2]) for row in rows] == pytest.approx([e.end for e in timeline], abs=1e-6)


@pytest.mark.parametrize("format", ["tsv", "csv", "jsonl"])
def test_files_of_one_name_are_told_apart(tmp_path, monkeypatch, format):
    """Two clips of one name in two folders, named as `localize` names them."""
    monkeypatch.chdir(tmp_path)
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "clip.mp4").touch()
    (tmp_path / "a" / "other.mp4").touch()
    texts = [
        dumps(timeline_of([0], video_id=found.video_id, source=str(found.path)), format)
        for found in find_inputs(["a", "b"], None)
    ]
    tables = [_pandas(text, format).iloc[:, 0] for text in texts]
    names = [name for table in tables for name in table]
    assert len(set(names)) == 3
    if format == "tsv":  # whose column is a file
        assert sorted(names) == ["a/clip.mp4", "b/clip.mp4", "other.mp4"]


def _pandas(text, format):
    if format == "jsonl":
        return pd.read_json(io.StringIO(text), lines=True)
    return pd.read_csv(io.StringIO(text), sep="\t" if format == "tsv" else ",")


def test_tsv_names_the_file_and_the_video_where_there_is_none():
    named = timeline_of([0], source="films/a.mp4")
    assert dumps(named, "tsv").splitlines()[1].split("\t")[0] == "a.mp4"
    assert dumps(timeline_of([0]), "tsv").splitlines()[1].split("\t")[0] == "clip"
    apart = timeline_of([0], video_id="films/b/a", source="/far/films/b/a.mp4")
    assert dumps(apart, "tsv").splitlines()[1].split("\t")[0] == "films/b/a.mp4"


@unhurried
@given(timelines())
def test_json_gives_back_what_it_was_given(timeline):
    document = json.loads(dumps(timeline, "json"))
    assert document["schema"] == "avloc.localization/1"
    assert document["labels"] == [*timeline.labels.names, "background"]
    assert document["video_id"] == timeline.video_id
    assert [e["label"] for e in document["events"]] == [e.label for e in timeline]
    scores = np.array([s["scores"] for s in document["segments"]])
    np.testing.assert_allclose(scores[:, :-1], timeline.scores, atol=1e-6)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)  # the last is background
    times = np.array([(s["start"], s["end"]) for s in document["segments"]])
    np.testing.assert_allclose(times, timeline.grid.segment_times(), atol=1e-6)


def test_json_says_what_the_timeline_was_made_with():
    timeline = timeline_of(
        [0, 2], gates=[0.25, 0.75], model="cman", fingerprint="ab12", flags=("rotated",)
    )
    document = json.loads(dumps(timeline, "json"))
    assert (document["model"], document["fingerprint"]) == ("cman", "ab12")
    assert document["flags"] == ["rotated"]
    assert [s["gate_audio"] for s in document["segments"]] == [0.25, 0.75]
    assert [s["gate_visual"] for s in document["segments"]] == [0.75, 0.25]
    assert [s["label"] for s in document["segments"]] == ["Bell", "background"]


def test_json_without_gates_has_no_gates():
    assert "gate_audio" not in json.loads(dumps(timeline_of([0]), "json"))["segments"][0]


def test_json_has_null_where_a_score_is_not_a_number():
    timeline = timeline_of([0, 1])
    timeline.scores[1, 0] = np.nan

    def refuse(word):
        raise AssertionError(word)

    document = json.loads(dumps(timeline, "json"), parse_constant=refuse)
    assert document["segments"][1]["scores"][0] is None


@unhurried
@given(timelines())
def test_jsonl_is_one_event_a_line(timeline):
    rows = [json.loads(line) for line in dumps(timeline, "jsonl").split("\n")[:-1]]
    assert [row["label"] for row in rows] == [e.label for e in timeline]
    assert all(row["video_id"] == timeline.video_id for row in rows)
    assert all(row["end"] > row["start"] for row in rows)


def test_a_row_ends_with_the_sense_and_what_each_says():
    timeline = timeline_of([0, 1], senses=["heard", "unknown"])
    lines = dumps(timeline, "csv").splitlines()
    assert lines[0].endswith(",score,sense,heard,seen")
    assert lines[1].endswith(",heard,0.91,0.12")
    assert lines[2].endswith(",unknown,,")
    rows = [json.loads(line) for line in dumps(timeline, "jsonl").splitlines()]
    assert [row["sense"] for row in rows] == ["heard", "unknown"]
    assert [row["seen"] for row in rows] == [0.12, None]


def test_json_has_what_each_sense_says_of_each_label():
    said = np.array([[0.25, 0.5], [0.75, 0.125]], np.float32)
    timeline = timeline_of([0, 2], heard=said, seen=1 - said)
    document = json.loads(dumps(timeline, "json"))
    jsonschema.validate(document, localization_schema())
    assert [s["heard"] for s in document["segments"]] == said.tolist()
    assert [s["seen"] for s in document["segments"]] == (1 - said).tolist()
    assert "heard" not in json.loads(dumps(timeline_of([0]), "json"))["segments"][0]


def test_json_of_independent_labels_has_no_class_for_background():
    scores = np.array([[0.9, 0.8], [0.2, 0.3]], np.float32)
    labels = LabelSet(("Bell", "Dog"), kind="independent")
    events = (Event(0, 1, "Bell", 0.9), Event(0, 1, "Dog", 0.8))
    document = json.loads(dumps(Timeline("v", labels, Grid(2), scores, events), "json"))
    jsonschema.validate(document, localization_schema())
    assert document["labels"] == ["Bell", "Dog"]
    assert [s["label"] for s in document["segments"]] == ["Bell", "background"]
    assert np.array([s["scores"] for s in document["segments"]]) == pytest.approx(scores)
