"""A timeline in a notebook and as tables of pandas."""

from __future__ import annotations

import sys
from fractions import Fraction
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from made_up_timelines import NASTY, timeline_of, timelines, unhurried

from avloc.errors import DependencyError
from avloc.export.notebook import MOST_ROWS
from avloc.labels import LabelSet
from avloc.timeline import Event, Grid, Timeline

VOID = {"br", "img", "meta", "link", "input", "hr"}


class Fragment(HTMLParser):
    """Elements, cells and text of a fragment; tags must close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.open += [] if tag in VOID else [tag]
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)
        if "td" in self.open or "th" in self.open:
            self.rows[-1][-1] += data

    @property
    def blocks(self):
        """Return (left, width, title) of what stands on the strip, in percent."""
        styled = [(a.get("style", ""), a.get("title", "")) for _, a in self.tags]
        return [
            (float(style.split("left:")[1].split("%")[0]), _width(style), title)
            for style, title in styled
            if "position:absolute" in style
        ]


def _width(style):
    return float(style.split(";width:")[1].split("%")[0])


def shown(timeline):
    return Fragment(timeline._repr_html_())


def loose(events, n_segments=10):
    labels = LabelSet(("a", "b"))
    scores = np.full((n_segments, 3), 1 / 3, np.float32)
    return Timeline("v", labels, Grid(n_segments), scores, tuple(events))


@unhurried
@given(timelines())
@example(timeline_of([0, 1, 2, 3, 4, 5], NASTY, video_id=NASTY[2]))
def test_the_table_tells_every_event(timeline):
    page = shown(timeline)
    _, *rows = page.rows or [[]]
    are_known = any(e.sense != "unknown" for e in timeline)
    for row, e in zip(rows, timeline, strict=True):
        label, *numbers = row[:4]
        assert label == e.label
        assert numbers == [f"{e.start:.2f}", f"{e.end:.2f}", f"{e.score:.2f} sure"]
        assert len(row) == 4 + are_known
        if are_known:
            letter, word = {
                "heard": ("H", "heard"),
                "seen": ("S", "seen"),
                "both": ("B", "both"),
                "unknown": ("?", "not known"),
            }[e.sense]
            says = "" if e.heard is None else f" heard {e.heard:.2f}, seen {e.seen:.2f}"
            assert row[4] == f"{letter} {word}{says}"
    assert ("sense not known" in "".join(page.text)) == (bool(rows) and not are_known)


@unhurried
@given(timelines())
@example(timeline_of([0, 1, 2, 3, 4, 5], NASTY, video_id=NASTY[2], model=NASTY[2]))
def test_text_is_never_markup_and_nothing_is_loaded(timeline):
    names = {tag for tag, _ in shown(timeline).tags}
    plain = {tag for tag, _ in shown(timeline_of([0], senses=["heard"])).tags}
    assert names <= plain
    assert not names & {"script", "style", "link", "img", "iframe"}
    assert not any("src" in a or "href" in a for _, a in shown(timeline).tags)


def test_blocks_stand_where_the_events_are():
    page = shown(timeline_of([2, 0, 0, 1, 2, 2, 2, 2, 2, 2], segment_seconds=Fraction(1, 2)))
    assert page.blocks == [
        (10.0, 20.0, "Bell, 0.5 to 1.5 s, sure"),
        (30.0, 10.0, "Dog, 1.5 to 2 s, sure"),
    ]
    assert {"0 s", "5 s"} <= set(page.text)


def test_events_at_once_are_under_each_other():
    html = loose([Event(0, 6, "a", 0.9, "heard"), Event(2, 8, "b", 0.3, "seen")])._repr_html_()
    styles = [a["style"] for _, a in Fragment(html).tags if "title" in a]
    assert ["top:0px" in style for style in styles] == [True, False]
    assert "top:24px" in styles[1]
    assert "height:48px" in html  # of the strip
    text = " ".join(Fragment(html).text)
    assert "0.90 sure" in text
    assert "0.30 unsure" in text


def test_a_block_stays_on_the_strip_and_is_never_invisible():
    page = shown(loose([Event(-1, 2, "a", 1), Event(9.9999, 10, "b", 1), Event(12, 13, "a", 1)]))
    assert page.blocks[0][:2] == (0, 20)
    for left, width, _ in page.blocks:
        assert width >= 0.25
        assert 0 <= left <= left + width <= 100 + 1e-9


def test_a_narrow_block_has_no_padding_that_would_widen_it():
    html = loose([Event(0, 1, "a", 1), Event(50, 51, "b", 1)], n_segments=100)._repr_html_()
    styles = [a["style"] for _, a in Fragment(html).tags if "title" in a]
    assert len(styles) == 2
    assert not any("padding:" in style for style in styles)


def test_the_title_line_names_video_length_model_and_number():
    timeline = timeline_of([0, 2, 1], video_id="a <film>", model="cman", flags=("no_audio",))
    text = "".join(shown(timeline).text)
    for words in ("a <film>", "3.0 s", "cman", "2 events", "no audio"):
        assert words in text
    assert "1 event" in "".join(shown(timeline_of([0])).text)
    assert "1 events" not in "".join(shown(timeline_of([0])).text)


def test_no_event_is_said_and_has_no_table():
    page = shown(timeline_of([2, 2]))
    assert "no events" in "".join(page.text)
    assert not page.rows
    assert not page.blocks


@pytest.mark.parametrize(("n", "n_more"), [(MOST_ROWS, 0), (MOST_ROWS + 1, 1), (100, 80)])
def test_many_events_are_cut_and_counted(n, n_more):
    page = shown(loose([Event(k / 10, k / 10 + 0.1, "ab"[k % 2], 0.5) for k in range(n)]))
    assert len(page.rows) - 1 == n - n_more
    assert (f"... and {n_more} more" in " ".join(page.text)) == bool(n_more)
    assert len(page.blocks) == n


def test_hours_of_events_stay_small():
    html = timeline_of([k % 3 for k in range(36_000)])._repr_html_()
    assert len(html) < 300_000
    covered = [block[0] for block in Fragment(html).blocks]
    assert max(np.diff(sorted(covered))) < 1  # no hole in the strip


def test_colours_are_those_of_the_report():
    from avloc.colours import as_hex, label_colour

    timeline = timeline_of([0, 1])
    html = timeline._repr_html_()
    for label in timeline.labels.names:
        assert f"background:{as_hex(label_colour(label, timeline.labels))}" in html
    assert "background:#e8eaef" in html  # the ground of the report's time line


def test_a_name_that_is_not_utf8_is_shown():
    timeline = timeline_of([0], names=["B\udcff"], video_id="caf\udce9")
    assert timeline._repr_html_().encode("utf-8")


@unhurried
@given(timelines())
def test_events_to_pandas(timeline):
    table = timeline.to_pandas()
    names = ["video_id", "start", "end", "label", "score", "sense", "heard", "seen"]
    assert list(table.columns) == names
    rows = table.drop(columns="video_id").astype({"heard": object, "seen": object})
    rows = rows.where(rows.notna(), None)
    assert [Event(*row) for row in rows.itertuples(index=False)] == list(timeline)
    assert table["video_id"].tolist() == [timeline.video_id] * len(timeline)
    assert table[["start", "end", "score"]].dtypes.tolist() == [np.dtype(float)] * 3
    assert table[["heard", "seen"]].dtypes.tolist() == [np.dtype(float)] * 2


def test_tables_of_videos_can_be_joined():
    joined = pd.concat([timeline_of(w, video_id=str(w)).to_pandas() for w in ([0, 1], [2], [1])])
    assert joined["label"].tolist() == ["Bell", "Dog", "Dog"]
    assert joined["video_id"].tolist() == ["[0, 1]", "[0, 1]", "[1]"]


def test_segments_to_pandas():
    timeline = timeline_of([0, 2, 1], gates=[0.25, 0.5, 1.0], segment_seconds=Fraction(1, 2))
    table = timeline.segments_to_pandas()
    names = ["start", "end", "Bell", "Dog", "background", "gate_audio", "gate_visual"]
    assert list(table.columns) == names
    assert table["start"].tolist() == [0, 0.5, 1]
    assert table["end"].tolist() == [0.5, 1, 1.5]
    scores = timeline.scores[:, :2]
    np.testing.assert_array_equal(table[["Bell", "Dog"]], scores)
    np.testing.assert_allclose(table["background"], 1 - scores.sum(axis=1), atol=1e-6)
    assert table["gate_audio"].tolist() == [0.25, 0.5, 1]
    assert table["gate_visual"].tolist() == [0.75, 0.5, 0]


def test_segments_with_what_each_sense_says():
    said = np.array([[0.25, 0.5], [0.75, 0.125]], np.float32)
    table = timeline_of([0, 1], heard=said, seen=1 - said).segments_to_pandas()
    names = ["heard Bell", "heard Dog", "seen Bell", "seen Dog"]
    assert list(table.columns)[-5:] == ["background", *names]
    np.testing.assert_array_equal(table[names[:2]], said)
    np.testing.assert_array_equal(table[names[2:]], 1 - said)


def test_segments_of_independent_labels_have_no_background():
    labels = LabelSet(("a", "b"), kind="independent")
    timeline = Timeline("v", labels, Grid(1), np.array([[0.9, 0.8]], np.float32), ())
    assert timeline.background() is None
    assert list(timeline.segments_to_pandas().columns) == ["start", "end", "a", "b"]


def test_segments_without_gates_and_with_a_label_called_start():
    table = timeline_of([0], names=["start"]).segments_to_pandas()
    assert list(table.columns) == ["start", "end", "start", "background"]
    assert table.iloc[0, 2] == pytest.approx(0.95)


def test_without_pandas_the_error_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    for table in (timeline_of([0]).to_pandas, timeline_of([0]).segments_to_pandas):
        with pytest.raises(DependencyError, match="pandas") as caught:
            table()
        assert "pip install pandas" in caught.value.hint


def test_without_pandas_a_timeline_still_shows_itself(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert "Bell" in timeline_of([0])._repr_html_()
