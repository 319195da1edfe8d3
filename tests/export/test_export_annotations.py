from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.dom import minidom

import pytest
from hypothesis import example, given
from made_up_timelines import NASTY, timeline_of, timelines, unhurried

from avloc.export.formats.saving import dumps


@unhurried
@given(timelines())
@example(timeline_of([0, 1, 2, 3, 4, 5], NASTY))
def test_audacity_has_three_columns_a_line(timeline):
    lines = dumps(timeline, "audacity").split("\n")
    assert lines.pop() == ""
    rows = [line.split("\t") for line in lines]
    assert [len(row) for row in rows] == [3] * len(timeline)
    assert [float(row[0]) for row in rows] == pytest.approx([e.start for e in timeline], abs=1e-6)
    assert [float(row[1]) for row in rows] == pytest.approx([e.end for e in timeline], abs=1e-6)
    for row, event in zip(rows, timeline, strict=True):
        if event.label.isascii() and event.label.isprintable():
            letter = {"heard": ["[H]"], "seen": ["[S]"], "both": ["[B]"]}.get(event.sense, [])
            assert row[2].split() == (event.label.split() or ["unnamed"]) + letter


def annotations_of(text):
    """Read (start ms, end ms, tier, value) out of an ELAN document."""
    document = minidom.parseString(text.encode("utf-8")).documentElement
    times = {
        slot.getAttribute("TIME_SLOT_ID"): int(slot.getAttribute("TIME_VALUE"))
        for slot in document.getElementsByTagName("TIME_SLOT")
    }
    for tier in document.getElementsByTagName("TIER"):
        for place in tier.getElementsByTagName("ALIGNABLE_ANNOTATION"):
            value = place.getElementsByTagName("ANNOTATION_VALUE")[0].firstChild
            yield (
                times[place.getAttribute("TIME_SLOT_REF1")],
                times[place.getAttribute("TIME_SLOT_REF2")],
                tier.getAttribute("TIER_ID"),
                value.data if value else "",
            )


@unhurried
@given(timelines())
@example(timeline_of([0, 1, 2, 3, 4, 5], NASTY))
def test_elan_holds_every_event_on_its_labels_tier(timeline):
    read = sorted(annotations_of(dumps(timeline, "elan")))
    assert [r[0] for r in read] == [round(e.start * 1000) for e in timeline]
    assert [r[1] for r in read] == [round(e.end * 1000) for e in timeline]
    assert all(tier == value for _, _, tier, value in read)


def test_elan_points_at_the_video(tmp_path):
    film = tmp_path / "a film #1.mp4"
    text = dumps(timeline_of([0], source=str(film)), "elan")
    place = minidom.parseString(text).getElementsByTagName("MEDIA_DESCRIPTOR")[0]
    assert Path(unquote(urlsplit(place.getAttribute("MEDIA_URL")).path)) == film
    assert place.getAttribute("MIME_TYPE") == "video/mp4"


def test_a_label_called_like_a_tier_of_senses_keeps_its_tier():
    text = dumps(timeline_of([0, 1], ["a", "a: sense"], senses=["heard"]), "elan")
    names = [
        t.getAttribute("TIER_ID") for t in minidom.parseString(text).getElementsByTagName("TIER")
    ]
    assert names == ["a", "a: sense_", "a: sense", "a: sense: sense"]


def test_elan_without_senses_has_a_tier_a_label_and_no_more():
    document = minidom.parseString(dumps(timeline_of([0, 1]), "elan"))
    names = [tier.getAttribute("TIER_ID") for tier in document.getElementsByTagName("TIER")]
    assert names == ["Bell", "Dog"]
    assert len(document.getElementsByTagName("LINGUISTIC_TYPE")) == 1
