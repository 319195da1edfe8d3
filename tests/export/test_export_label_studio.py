"""Label Studio's file against its documented format, and against its own configuration."""

import json
from pathlib import Path
from xml.dom import minidom

import jsonschema
import numpy as np
import pytest
from hypothesis import example, given
from made_up_timelines import NASTY, timeline_of, timelines, unhurried

from avloc.export.formats.label_studio import label_studio_config
from avloc.export.formats.saving import dumps
from avloc.labels import LabelSet

FORMAT = jsonschema.Draft202012Validator(
    json.loads(Path(__file__).with_name("label_studio_tasks.schema.json").read_text("utf-8"))
)


def task_of(timeline):
    tasks = json.loads(dumps(timeline, "label-studio"))
    FORMAT.validate(tasks)
    assert len(tasks) == 1
    return tasks[0]


def tags(config, name):
    return minidom.parseString(config).getElementsByTagName(name)


@unhurried
@given(timelines())
@example(timeline_of([0, 1, 2, 3, 4, 5], NASTY))
@example(timeline_of([0, 1, 0], ["\n", "a\nb", "a b"]))
def test_the_task_fits_label_studio_and_the_configuration_it_carries(timeline):
    task = task_of(timeline)
    config = task["meta"]["labeling_config"]
    (control,) = tags(config, "Labels")
    offered = [tag.getAttribute("value") for tag in tags(config, "Label")]
    assert len(set(offered)) == len(offered)
    objects = {tag.getAttribute("name"): tag for tag in tags(config, "Audio")}
    (prediction,) = task["predictions"]
    (choices,) = tags(config, "Choices")
    senses = [tag.getAttribute("value") for tag in tags(config, "Choice")]
    assert choices.getAttribute("perRegion") == "true"
    for region in prediction["result"]:
        is_sense = region["type"] == "choices"
        tag, words = (choices, senses) if is_sense else (control, offered)
        assert region["from_name"] == tag.getAttribute("name")
        assert region["to_name"] == tag.getAttribute("toName")
        assert region["to_name"] in objects
        assert set(region["value"]["choices" if is_sense else "labels"]) <= set(words)
    ids = [region["id"] for region in prediction["result"] if region["type"] == "labels"]
    assert len(set(ids)) == len(ids)


@unhurried
@given(timelines())
def test_the_sense_of_a_region_is_a_choice_with_its_id_and_span(timeline):
    results = task_of(timeline)["predictions"][0]["result"]
    regions = [result for result in results if result["type"] == "labels"]
    chosen = {result["id"]: result["value"] for result in results if result["type"] == "choices"}
    for region, event in zip(regions, timeline, strict=True):
        value = chosen.pop(region["id"], None)
        if event.sense == "unknown":
            assert value is None
            assert "meta" not in region
        else:
            span = {key: region["value"][key] for key in ("start", "end", "channel")}
            assert value == {**span, "choices": [event.sense]}
            assert region["meta"]["text"] == [f"heard {event.heard:.2f}, seen {event.seen:.2f}"]
    assert not chosen


@unhurried
@given(timelines())
def test_regions_are_the_events_in_seconds(timeline):
    results = task_of(timeline)["predictions"][0]["result"]
    regions = [result for result in results if result["type"] == "labels"]
    read = [(r["value"]["start"], r["value"]["end"], r["score"]) for r in regions]
    want = [(e.start, e.end, e.score) for e in timeline]
    assert np.array(read) == pytest.approx(np.array(want), abs=1e-6)
    for region, event in zip(regions, timeline, strict=True):
        assert region["value"]["labels"][0].split() == event.label.split() or not (
            event.label.isprintable() and event.label.strip()
        )


def test_the_task_is_the_video_and_what_the_model_thinks_of_it():
    task = task_of(timeline_of([0, 2], source="https://example.org/a.mp4", model="cman"))
    assert task["data"] == {"video": "https://example.org/a.mp4", "video_id": "clip"}
    prediction = task["predictions"][0]
    assert prediction["model_version"] == "cman"
    assert prediction["score"] == pytest.approx(0.9 + 0.1 / 3, abs=1e-6)
    assert "annotations" not in task  # which would pass for a person's word


def test_the_configuration_plays_the_same_video_for_both_senses():
    config = label_studio_config(LabelSet(("Bell", "Q&A <b>", "Bell ")))
    (video,), (audio,), (control,) = (tags(config, name) for name in ("Video", "Audio", "Labels"))
    assert [tag.getAttribute("value") for tag in (video, audio)] == ["$video"] * 2
    names = [tag.getAttribute("name") for tag in (video, audio, control)]
    assert len(set(names)) == 3
    assert [video.getAttribute("sync"), audio.getAttribute("sync")] == [names[1], names[0]]
    assert control.getAttribute("toName") == names[1]
    assert [tag.getAttribute("value") for tag in tags(config, "Label")] == ["Bell", "Q&A <b>"]
    looks = [tag.getAttribute("background") for tag in tags(config, "Label")]
    assert len(set(looks)) == 2


def test_numbers_that_are_not_finite_are_left_out():
    timeline = timeline_of([2, 2])
    timeline.scores[:] = np.nan
    assert "score" not in task_of(timeline)["predictions"][0]


def test_regions_of_two_videos_can_be_joined():
    regions = [
        task_of(timeline_of([0], video_id=name))["predictions"][0]["result"] for name in ("a", "b")
    ]
    assert regions[0][0]["id"] != regions[1][0]["id"]
