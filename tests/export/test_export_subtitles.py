import html
import re

import pytest
from hypothesis import example, given
from made_up_timelines import NASTY, timeline_of, timelines, unhurried

from avloc.export.formats.saving import dumps
from avloc.labels import LabelSet
from avloc.timeline import Event, Grid, Timeline


def seconds_of(stamp, mark):
    hours, minutes, rest = stamp.split(":")
    second, thousandths = rest.split(mark)
    assert len(hours) >= 2
    assert (len(minutes), len(second), len(thousandths)) == (2, 2, 3)
    assert int(minutes) < 60
    assert int(second) < 60
    return int(hours) * 3600 + int(minutes) * 60 + int(second) + int(thousandths) / 1000


def read_cues(blocks, mark):
    """Read (start, end, text) of blocks of exactly a time line and a text line."""
    for block in blocks:
        times, text = block.split("\n")
        start, arrow, end = times.split(" ")
        assert arrow == "-->"
        yield seconds_of(start, mark), seconds_of(end, mark), text


def check_against(cues, timeline):
    assert len(cues) == len(timeline)
    for (start, end, text), event in zip(cues, timeline, strict=True):
        assert start == pytest.approx(event.start, abs=6e-4)
        assert end == pytest.approx(event.end, abs=6e-4)
        assert start < end
        assert f"({event.score:.2f})" in text
        for word in re.findall(r"[A-Za-z]+", event.label):
            assert word in text


@unhurried
@given(timelines())
@example(timeline_of([0, 1, 2, 3, 4, 5], NASTY))
def test_srt_by_its_own_arithmetic(timeline):
    text = dumps(timeline, "srt")
    blocks = text.split("\n\n")
    assert blocks.pop() == ""
    numbers = [block.split("\n", 1)[0] for block in blocks]
    assert numbers == [str(n + 1) for n in range(len(timeline))]
    cues = list(read_cues([block.split("\n", 1)[1] for block in blocks], ","))
    check_against(cues, timeline)
    assert all("-->" not in cue[2] for cue in cues)
    assert "\r" not in text


@unhurried
@given(timelines())
@example(timeline_of([0, 1, 2, 3, 4, 5], NASTY))
def test_vtt_by_its_grammar(timeline):
    head, *blocks = dumps(timeline, "vtt").removesuffix("\n").split("\n\n")
    assert head == "WEBVTT"
    cues = list(read_cues(blocks, "."))
    for _, _, text in cues:
        assert "-->" not in text
        assert "<" not in text
        assert not re.search(r"&(?!amp;|lt;|gt;)", text)
    check_against([(start, end, html.unescape(text)) for start, end, text in cues], timeline)
    assert [cue[0] for cue in cues] == sorted(cue[0] for cue in cues)


def test_markup_in_a_label_is_text_in_vtt():
    assert "&lt;b&gt;Q&amp;A&lt;/b&gt; (0.90)" in dumps(
        loose([Event(0, 1, "<b>Q&A</b>", 0.9)]), "vtt"
    )


def loose(events):
    return Timeline("v", LabelSet(("a",)), Grid(1), timeline_of([0], ["a"]).scores, tuple(events))


def test_an_event_below_a_millisecond_is_still_shown_and_hours_are_counted():
    text = dumps(loose([Event(3661.0002, 3661.0003, "a", 0.5)]), "srt")
    assert "01:01:01,000 --> 01:01:01,001" in text


def test_cues_come_in_order_of_start():
    text = dumps(loose([Event(5, 6, "late", 1), Event(1, 9, "early", 1)]), "vtt")
    assert text.index("early") < text.index("late")


@pytest.mark.parametrize(("name", "text"), [("srt", ""), ("vtt", "WEBVTT\n"), ("audacity", "")])
def test_no_events_make_an_empty_file_of_the_format(name, text):
    assert dumps(timeline_of([2, 2]), name) == text
