"""What stands along a report's time line: moments, scores, senses, pictures."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_timelines import timeline_of, timelines

from avloc.export.axis import Axis, moment, ticks
from avloc.export.report.page import write_report
from avloc.export.report.report_clips import ClipView, ReportClip
from avloc.export.report.score_plot import score_lines, sense_areas
from avloc.timeline import Event

PAGE = Path("report.html")


@given(st.floats(0.01, 1e6))
def test_ticks_are_few_even_and_inside(total):
    moments = ticks(total)
    assert 1 <= len(moments) <= 11
    assert moments[0] == 0
    assert moments[-1] <= total * (1 + 1e-6)
    assert np.ptp(np.diff(moments)) < 1e-6 * total if len(moments) > 2 else True
    assert len({moment(second, total) for second in moments}) == len(moments)


@pytest.mark.parametrize(
    ("seconds", "total", "words"),
    [
        (3.84, 10, "3.84"),
        (3, 59.9, "3"),
        (59.999, 70, "1:00"),  # rounded before it is taken apart
        (725.5, 900, "12:05.5"),
        (36000.96, 40000, "10:00:00.96"),
    ],
)
def test_a_moment_in_words(seconds, total, words):
    assert moment(seconds, total) == words


def steps_of(line):
    """Return (level, end) of each step; nothing but steps may be in the path."""
    assert re.fullmatch(r"(V[\d.e+-]+H[\d.e+-]+)+", line.steps)
    return np.array([[float(v) for v in step.split("H")] for step in line.steps.split("V")[1:]])


def test_a_line_is_a_step_a_segment_to_the_end_of_the_last():
    timeline = timeline_of([0, 2, 1], duration=4.0)
    background, *lines = score_lines(timeline, Axis(4.0))
    assert [line.name for line in (background, *lines)] == ["no event", "Bell", "Dog"]
    for line, k in zip(lines, (0, 1), strict=True):
        y, ends = steps_of(line).T
        scores = timeline.scores[:, k]
        changes = [n for n in range(3) if n == 2 or scores[n] != scores[n + 1]]
        np.testing.assert_allclose(ends, 250.0 * (np.array(changes) + 1), atol=0.1)  # of 4 s
        np.testing.assert_allclose(100 - y, 100 * scores[changes], atol=0.1)
        assert ends[-1] == 750  # the fourth second has no segment and no line
        assert line.values == ",".join(str(round(100 * v)) for v in timeline.scores[:, k].tolist())
        assert line.most == timeline.scores[:, k].max()
    assert (lines[0].at, lines[1].at) == (0.5, 2.5)


@pytest.mark.parametrize("n_segments", [599, 3600, 3601, 7777])
def test_a_long_line_is_thinned_out_and_keeps_its_peaks(n_segments):
    winners = np.full(n_segments, 2)
    peaks = [7, n_segments // 2, n_segments - 1]
    winners[peaks] = 0
    heard = np.repeat(np.linspace(0, 1, n_segments)[:, None], 2, axis=1)
    timeline = timeline_of(winners, heard=heard)
    axis = Axis(float(n_segments))
    line = score_lines(timeline, axis)[1]
    levels, ends = steps_of(line).T
    assert len(levels) <= 7  # one a peak, one between: equal segments are one step
    high = ends[levels < 50] * n_segments / 1000
    for peak in peaks:
        assert np.abs(high - peak - 1).min() <= n_segments / 3600 + 0.5
    assert ends[-1] == 1000
    assert len(line.values.split(",")) == n_segments  # the words are of every second
    steps = re.findall(r"V([\d.]+)H([\d.e+]+)", sense_areas(timeline, axis)[0].path)
    heights = 100 - np.array([float(v) for v, _ in steps])
    assert np.all(np.diff(heights) >= 0)
    widths = np.diff([0, *(float(end) for _, end in steps)])
    assert np.average(heights, weights=widths) == pytest.approx(50, abs=1)
    assert float(steps[-1][1]) == 1000
    assert len(steps) <= 3600


def test_the_classes_worth_a_line():
    names = tuple("abcdefghij")
    timeline = timeline_of([10, 9, 9, 8, 10], names)
    scores = timeline.scores
    scores[0, 3], scores[4, 4] = 0.3, 0.09
    chosen = [line.name for line in score_lines(timeline, Axis(5.0), [Event(0, 1, "b", 1)])]
    assert chosen == ["no event", "j", "i", "b", "d"]  # found by length, true, rising
    many = timeline_of(range(10), names)
    assert len(score_lines(many, Axis(10.0), [Event(0, 1, "unknown to the model", 1)])) == 7


@given(timelines())
def test_every_number_lies_in_the_drawing(timeline):
    timeline.scores[0] = np.nan  # a model may say that
    for line in score_lines(timeline, Axis(timeline.duration)):
        steps = steps_of(line)
        assert np.all((steps >= 0) & (steps <= [100, 1000]))


def test_a_senses_area_is_of_the_label_that_is_shown():
    heard = np.array([[0.9, 0.1], [0.2, 0.7], [0.3, 0.6]])
    timeline = timeline_of([0, 1, 2], heard=heard)  # the last has no event: the likeliest label
    (area,) = sense_areas(timeline, Axis(3.0))
    assert (area.word, area.values) == ("heard", "90,70,30")
    assert sense_areas(timeline_of([0, 1], gates=[0.1, 0.9]), Axis(2.0)) == ()


def test_pictures_stand_at_their_times():
    picture = b"\xff\xd8\xff"
    given = {1: picture, 4: picture}
    view = ClipView(ReportClip(timeline_of([2] * 6, duration=8.0), thumbnails=given), PAGE, "a")
    assert [look.start for look in view.looks] == [1, 4]
    assert view.lead == pytest.approx(100 / 8)
    assert [look.share for look in view.looks] == pytest.approx([300 / 8, 400 / 8])


def test_every_row_shares_the_videos_length():
    timeline = timeline_of([0, 0, 1], seen=np.full((3, 2), 0.5), duration=4.0)
    view = ClipView(ReportClip(timeline, [Event(3, 5, "Dog", 1)]), PAGE, "a")
    places = {track.word: [(b.left, b.width) for b in track.blocks] for track in view.tracks}
    assert places == {"true": [(75, 25)], "found": [(0, 50), (50, 25)]}
    assert view.senses[0].path.endswith("H750V100Z")
    assert [left for left, _ in view.axis.ticks()] == pytest.approx(np.arange(0, 101, 12.5))


def test_a_row_and_its_block_are_one_event(tmp_path):
    """An event of no width has a row and no block; those after it must not change places."""
    timeline = timeline_of([0, 1, 2])
    events = (Event(0, 0, "Bell", 0.5), *timeline.events)
    text = write_report(
        tmp_path / "a.html", title="t", timelines=[ReportClip(replace(timeline, events=events))]
    ).read_text(encoding="utf-8")
    starts = re.findall(r'<button[^>]*data-start="([\d.]+)" data-event="(\d)"', text)
    assert starts == [("0.0", "1"), ("1.0", "2"), ("0", "0"), ("0.0", "1"), ("1.0", "2")]
