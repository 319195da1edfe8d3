from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_timelines import NASTY, timeline_of, unhurried

from avloc.colours import SENSE_COLOURS, ink_on, label_colour
from avloc.errors import UsageError
from avloc.export.heat_style import HeatStyle
from avloc.export.heatmap.overlay import Painter
from avloc.export.heatmap.panel import TROUGH, Panel, fitted, font
from avloc.export.playback import at_moment, event_at, presence_at
from avloc.labels import LabelSet
from avloc.timeline import SENSES, Event, Grid


def columns_of(picture, colour, top, bottom):
    """Return the columns that have one colour in every row."""
    rows = np.asarray(picture)[top:bottom]
    return np.flatnonzero((rows == colour).all(axis=(0, 2)))


@unhurried
@given(st.floats(-1, 12), st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_values_move_straight_between_middles(seconds, values):
    grid = Grid(len(values), Fraction(5, 4))
    middles = grid.segment_times().mean(axis=1)
    want = np.interp(seconds, middles, values)
    assert at_moment(np.array(values), grid, seconds) == pytest.approx(want, abs=1e-5)


def test_the_strongest_event_of_a_moment_is_shown():
    events = (Event(0, 4, "long", 0.6), Event(1, 2, "short", 0.9))
    assert [e and e.label for e in (event_at(events, s) for s in (0, 1, 1.99, 2, 4))] == [
        *("long", "short", "short", "long"),
        None,
    ]


def test_presence_fades_outside_events_only():
    events = (Event(1, 2, "a", 1), Event(2, 3, "b", 1))
    assert [presence_at(events, s) for s in (1, 1.5, 2, 3)] == [1, 1, 1, 1]
    assert presence_at(events, 3.1) == pytest.approx(0.5)
    assert presence_at(events, 0.5) == 0
    assert presence_at((), 1) == 0
    unsure = (Event(0, 4, "a", 0.6), Event(1, 2, "b", 0.9), Event(6, 7, "c", 0.01))
    assert [presence_at(unsure, s) for s in (0.5, 1.5, 6.5)] == [0.6, 0.9, 0.2]


@pytest.mark.parametrize("seconds", [0.0, 2.5, 7.9, 10.0])
def test_the_playhead_stands_at_its_share_of_the_time_line(seconds):
    panel = Panel(timeline_of([2] * 10), 640)
    white = columns_of(panel.draw(seconds), 255, *panel.track(0))
    want = panel.left + seconds / 10 * (panel.right - panel.left)
    assert len(white) == 2
    assert abs(white.mean() - want) <= 1


def test_events_are_drawn_from_their_start_to_their_end():
    timeline = timeline_of([2, 0, 0, 2, 1, 2, 2, 2, 2, 2], duration=10.0)
    panel = Panel(timeline, 1000, [Event(5, 7, "Dog", 1), Event(10, 11, "Bell", 1)])
    picture = panel.draw(9.9)
    per_second = (panel.right - panel.left) / 10

    def span(track, label, score):
        # the rows under the letters
        bottom = panel.track(track)[1] + 1
        colour = laid_over(label_colour(label, timeline.labels), score)
        columns = columns_of(picture, colour, bottom - 2, bottom)
        return columns[0], columns[-1]

    found = 0.9 + 0.1 / 3
    for track, label, start, end, score in [
        (0, "Dog", 5, 7, 1),
        (1, "Bell", 1, 3, found),
        (1, "Dog", 4, 5, found),
    ]:
        got = (np.array(span(track, label, score)) - panel.left) / per_second
        np.testing.assert_allclose(got, [start, end], atol=3 / per_second)
    past_the_end = np.asarray(picture)[panel.track(0)[0] + 2, panel.right - 5 : panel.right + 5]
    assert not (past_the_end == label_colour("Bell", timeline.labels)).all(axis=1).any()


def laid_over(colour, share):
    """Return a colour over the track's ground, by the rule for opacity."""
    return [round(share * c + (1 - share) * g) for c, g in zip(colour, TROUGH, strict=True)]


@pytest.mark.parametrize("score", [1.0, 0.6, 0.2, 0.05])
def test_a_less_sure_event_is_fainter(score):
    timeline = replace(timeline_of([2] * 4), events=(Event(0, 4, "Bell", score),))
    panel = Panel(timeline, 640)
    bottom = panel.track(0)[1] + 1
    colour = laid_over(label_colour("Bell", timeline.labels), max(score, 0.2))
    assert len(columns_of(panel.draw(2.0), colour, bottom - 2, bottom)) > 500


def test_events_at_once_have_a_lane_each():
    events = (Event(0, 6, "Bell", 1.0, "heard"), Event(2, 10, "Dog", 1.0, "seen"))
    timeline = replace(timeline_of([2] * 10), events=events)
    panel = Panel(timeline, 640)
    picture = panel.draw(9.9)
    for k, event in enumerate(events):
        top, bottom = panel.lane(0, k)
        colour = label_colour(event.label, timeline.labels)
        columns = columns_of(picture, colour, bottom - 1, bottom + 1)
        got = (np.array([columns[0], columns[-1]]) - panel.left) * 10 / (panel.right - panel.left)
        np.testing.assert_allclose(got, [event.start, event.end], atol=0.1)
        letters = np.asarray(picture)[top : bottom + 1]
        of_sense = (letters == SENSE_COLOURS[event.sense]).all(axis=2)
        assert of_sense.sum() > 20  # the ground of the letter
    assert panel.lane(0, 0)[1] < panel.lane(0, 1)[0]


def test_more_events_at_once_than_lanes_are_counted():
    events = tuple(Event(0, 4, f"label {n}", 0.5 + 0.05 * n) for n in range(9))
    panel = Panel(replace(timeline_of([2] * 4), events=events), 640)
    few = Panel(replace(timeline_of([2] * 4), events=events[:6]), 640)
    assert (panel.n_hidden, few.n_hidden) == (3, 0)
    assert panel.tracks[0].lanes.n_lanes == few.tracks[0].lanes.n_lanes == 6
    assert panel.height > few.height  # a line says so


def test_bars_are_what_each_sense_says_of_the_shown_label():
    said = np.tile(np.array([[0.9, 0.25], [0.1, 0.75]], np.float32), (2, 1, 1))
    timeline = timeline_of([1] * 2, heard=said[:, 0], seen=said[:, 1])  # Dog is shown
    panel = Panel(timeline, 640)
    assert [name for name, _, _ in panel.bars] == ["heard", "seen"]
    pixels = np.asarray(panel.draw(1.0))[panel.bar_row].astype(int)
    for n, share in enumerate((0.25, 0.75)):
        start, _, end, _ = panel.bar(n)
        bar = pixels[start : end + 1]
        filled = (bar == bar[0]).all(axis=1).sum()
        assert filled / (end - start) == pytest.approx(share, abs=0.02)


def test_gates_are_not_shown_as_senses():
    assert Panel(timeline_of([0] * 4, gates=[0.25] * 4), 640).bars == []


def test_the_panel_says_when_there_is_no_event():
    timeline = timeline_of([0, 2, 2, 0])
    panel = Panel(timeline, 320)
    head = [np.asarray(panel.draw(s))[: panel.head * 2] for s in (0.5, 2.0)]
    colour = label_colour("Bell", timeline.labels)
    assert (head[0] == colour).all(axis=2).any()
    assert not (head[1] == colour).all(axis=2).any()
    assert (head[1][:, :100] > 120).any()  # words all the same


SIZES = [(640, 360), (48, 32), (1, 1), (333, 187), (360, 640), (20, 1000), (1920, 1080), (3, 9)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("is_full", [True, False])
def test_every_frame_size_gives_an_even_readable_picture(size, is_full):
    maps = np.random.default_rng(1).dirichlet(np.ones(49), 5).reshape(5, 7, 7)
    timeline = timeline_of(
        [0, 1, 2, 3, 4],
        NASTY,
        maps=maps if is_full else None,
        heard=maps[:, 0, :6] if is_full else None,
        seen=maps[:, 1, :6] if is_full else None,
        senses=SENSES,
    )
    truth = [Event(0, 99, "unheard of", 1)] if is_full else None
    painter = Painter(timeline, size, truth=truth)
    frame = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    for seconds in (0.0, 2.2, 99.0):
        painted = painter.paint(frame, seconds)
        assert painted.shape == (painter.size[1], painter.size[0], 3)
        assert painted.dtype == np.uint8
    assert painter.size[0] % 2 == painter.size[1] % 2 == 0
    assert painter.size[0] >= 320


def test_a_frame_without_heat_is_kept_to_the_pixel():
    frame = np.random.default_rng(0).integers(0, 256, (187, 333, 3), dtype=np.uint8)
    painted = Painter(timeline_of([0, 1]), (333, 187)).paint(frame, 0.5)
    assert (painted[:187, :333] == frame).all()
    assert (painted[:187, 333] == frame[:, -1]).all()


def test_an_opacity_is_from_0_to_1():
    for wrong in (-0.1, 2.0, float("nan")):
        with pytest.raises(UsageError, match="alpha"):
            HeatStyle(alpha=wrong)


def test_heat_fades_at_the_edge_of_an_event():
    maps = np.zeros((4, 3, 3))
    maps[:, 1, 1] = 1
    frame = np.full((240, 320, 3), 90, np.uint8)
    painter = Painter(timeline_of([0, 0, 2, 2], maps=maps), (320, 240))
    moved = [
        abs(painter.paint(frame, second)[:240].astype(int) - 90).max() for second in (1, 2.1, 3)
    ]
    assert moved[0] > moved[1] > moved[2] == 0


@unhurried
@given(st.text(max_size=30), st.integers(0, 120))
def test_fitted_words_fit(text, width):
    letters = font(12)
    text = " ".join(text.split())
    word = fitted(text, letters, width)
    assert letters.getlength(word) <= width
    assert word == text or word.endswith("…") or word == ""


def brightness(colour):
    """WCAG 2.1's relative luminance."""
    parts = [c / 255 for c in colour]
    parts = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_words_on_every_label_colour_can_be_read():
    labels = LabelSet(tuple(f"l{n}" for n in range(30)))
    colours = [label_colour(name, labels) for name in labels.names]
    assert len(set(colours)) == 30
    for colour in colours:
        low, high = sorted([brightness(colour), brightness(ink_on(colour))])
        assert (high + 0.05) / (low + 0.05) >= 4.5


def test_a_label_keeps_its_colour_wherever_it_is_shown():
    labels = LabelSet(("a", "b"))
    assert label_colour("b", labels) == label_colour("b", LabelSet(("x", "b", "c")))
    assert label_colour("unknown", labels) == label_colour("unknown", LabelSet(("q",)))


def test_a_sense_that_knows_nothing_of_the_label_has_no_bar():
    timeline = timeline_of([2] * 4)
    unknown = replace(timeline, heard=np.full_like(timeline.scores, np.nan), seen=timeline.scores)
    panel = Panel(unknown, 640)
    rows = [(panel.bar(n)[1], panel.bar(n)[3]) for n in range(2)]
    heard, seen = (
        columns_of(panel.draw(1.0), SENSE_COLOURS[sense], *row)
        for sense, row in zip(("heard", "seen"), rows, strict=True)
    )
    assert len(heard) == 0
    assert len(seen) > 0
