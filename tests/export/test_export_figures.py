import dataclasses
import re
import warnings
import zlib
from collections import Counter
from fractions import Fraction
from importlib.metadata import version
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_timelines import NASTY, timeline_of, timelines
from matplotlib.colors import to_hex, to_rgb
from matplotlib.text import Text
from PIL import Image

from avloc.errors import OutputError, UnknownNameError, UsageError
from avloc.export.figures.attention_figure import attention_figure, attention_segments
from avloc.export.figures.events_figure import events_figure, events_segments
from avloc.export.figures.figure_file import figure_suffix, write_figure
from avloc.export.figures.figure_rows import Columns
from avloc.export.pictures import evenly
from avloc.export.report.page import write_report
from avloc.export.report.report_clips import ReportClip
from avloc.timeline import Event

SVG = "{http://www.w3.org/2000/svg}"


def grey_frames(n, size=(64, 48), level=110):
    return dict(enumerate([np.full((size[1], size[0], 3), level, np.uint8)] * n))


def looking_at(n, cell=(0, 0), shape=(4, 4)):
    maps = np.zeros((n, *shape))
    maps[(slice(None), *cell)] = 1
    return maps


def draw(path, timelines, frames=None, **options):
    return write_figure(events_figure(timelines, frames or {}, **options), path)


def names(figure):
    return [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel()]


def rows(figure, name):
    """Return the axes of all rows of one name, from the top."""
    return [axes for axes in figure.axes if axes.get_ylabel() == name]


def words(*axes):
    return [text.get_text() for one in axes for text in one.texts]


def title(figure):
    return figure.legends[0].get_title().get_text()


def legend(figure):
    """Return the colour of each name in the legend."""
    (key,) = figure.legends
    swatches = [to_hex(patch.get_facecolor()) for patch in key.get_patches()]
    return dict(zip([text.get_text() for text in key.get_texts()], swatches, strict=True))


def spans(axes):
    """Return the (start, end) of each block of a row, in columns."""
    xs = [path.vertices[:, 0] for path in axes.collections[-1].get_paths()]
    return [(x.min(), x.max()) for x in xs]


def colours(axes):
    return [to_hex(colour) for colour in axes.collections[-1].get_facecolor()]


def on_white(colour, share):
    """Return a colour as it looks on white."""
    return to_hex(np.rint(share * 255 * np.array(to_rgb(colour)) + (1 - share) * 255) / 255)


def pictures(axes):
    return [np.asarray(image.get_array()).astype(int) for image in axes.images]


def svg_words(path):
    root = ElementTree.fromstring(path.read_bytes())
    return Counter("".join(text.itertext()).strip() for text in root.iter(f"{SVG}text"))


# --- the files


def test_each_suffix_makes_its_own_kind_of_file(tmp_path):
    timeline = timeline_of([0, 0, 2], maps=looking_at(3), gates=[0.2, 0.5, 0.75], model="cman")
    figure = events_figure([timeline], grey_frames(3))
    paths = [write_figure(figure, tmp_path / f"a{suffix}") for suffix in (".PNG", ".pdf", ".svg")]
    with Image.open(paths[0]) as picture:
        picture.load()
        assert picture.format == "PNG"
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert picture.width <= 7 * 300
    document = paths[1].read_bytes()
    assert document.startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", document)) == 1
    assert "Bell" in pdf_lines(document)
    assert b"/Type3" not in document
    assert b"CreationDate" not in document
    assert svg_words(paths[2])["Bell"] == 2  # the event and its colour
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.PNG", "a.pdf", "a.svg"]


def pdf_lines(document):
    """Read a page's lines of text: the pieces of each TJ, two bytes a letter."""
    lines = []
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", document, re.S):
        try:
            content = zlib.decompress(stream)
        except zlib.error:
            continue
        for shown in re.findall(rb"\[([^\]]*)\]\s*TJ", content):
            pieces = b"".join(re.findall(rb"\((.*?)\)", shown, re.S))
            lines.append(pieces.decode("utf-16-be", "replace"))
    return lines


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_the_same_figure_is_the_same_bytes(tmp_path, suffix):
    timeline = timeline_of([0, 1, 2], maps=looking_at(3), gates=[0.2, 0.5, 0.75])
    first, second = (
        draw(tmp_path / f"{n}{suffix}", [timeline], grey_frames(3)).read_bytes() for n in (1, 2)
    )
    assert first == second


def test_a_figure_says_that_avloc_made_it(tmp_path):
    timeline, maker = timeline_of([0, 1], maps=looking_at(2)), f"avloc {version('avloc')}"
    for draw_figure in (events_figure, attention_figure):
        figure = draw_figure([timeline], grey_frames(2))
        png, pdf, svg = (
            write_figure(figure, tmp_path / f"a{suffix}") for suffix in (".png", ".pdf", ".svg")
        )
        with Image.open(png) as picture:
            assert picture.info["Software"] == maker
        assert f"/Creator ({maker})".encode() in pdf.read_bytes()
        assert maker in svg.read_text(encoding="utf-8")[:2000]


@pytest.mark.parametrize("name", ["figure.jpg", "figure", "figure.pngx"])
def test_another_suffix_is_refused_and_the_three_are_named(tmp_path, name):
    with pytest.raises(UnknownNameError) as refusal:
        draw(tmp_path / name, [timeline_of([0])])
    assert all(suffix in refusal.value.hint for suffix in (".png", ".pdf", ".svg"))
    assert not list(tmp_path.iterdir())
    assert figure_suffix("a.b.SVG") == ".svg"


def test_a_path_that_cannot_be_written_is_reported(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        draw(tmp_path / "file" / "a.png", [timeline_of([0])])


def test_a_figure_is_the_same_under_any_style_and_leaves_it(tmp_path):
    timeline = timeline_of([0, 1], gates=[0.25, 0.5])
    plain = draw(tmp_path / "a.svg", [timeline], grey_frames(2)).read_bytes()
    loud = {"font.size": 30, "axes.facecolor": "black", "svg.fonttype": "path", "text.usetex": True}
    with mpl.rc_context(loud):
        styled = draw(tmp_path / "b.svg", [timeline], grey_frames(2)).read_bytes()
        assert mpl.rcParams["svg.fonttype"] == "path"
    assert styled == plain


# --- figure 6


def test_blocks_are_at_their_events_seconds():
    truth = [Event(0.5, 3.25, "Bell", 1.0), Event(4.0, 99.0, "Dog", 1.0), Event(50, 60, "x", 1.0)]
    timeline = timeline_of([2, 0, 0, 1, 1, 2])
    figure = events_figure([timeline], {}, truth=truth)
    (seconds,), (true,), (found,) = (rows(figure, name) for name in ("seconds", "truth", "found"))
    np.testing.assert_allclose(spans(found), [(1, 3), (3, 5)], atol=0.02)
    np.testing.assert_allclose(spans(true), [(0.5, 3.25), (4, 6)], atol=0.02)
    assert words(true, found) == ["Bell", "Dog", "Bell", "Dog"]
    assert [(t.get_position()[0], t.get_text()) for t in seconds.texts] == [
        (n, str(n)) for n in range(6)
    ]
    assert seconds.get_position().x0 == found.get_position().x0


def test_a_label_is_made_smaller_before_it_is_cut():
    for n_segments in range(1, 13):
        timeline = timeline_of([0] + [1] * (n_segments - 1), ("Church bell",))
        assert words(*rows(events_figure([timeline], {}), "found")) == ["Church bell"]
    long = timeline_of([0] + [1] * 11, ("Male speech, man speaking",))
    (word,) = words(*rows(events_figure([long], {}), "found"))
    assert word.startswith("Male")
    assert word.endswith("…")


def test_gates_and_senses_are_bars_and_numbers():
    gates = [0.0, 0.25, 1.0, np.nan]
    said = np.array([[0.1, 0.9], [0.2, 0.8], [1.0, 0.7], [0.4, 0.6]])
    timeline = timeline_of([0] * 4, gates=gates, heard=said, seen=1 - said)
    figure = events_figure([timeline], {})
    shown = {"gate audio": gates, "gate visual": 1 - np.array(gates)}
    for name, values in shown.items():
        (axes,) = rows(figure, name)
        starts, ends = np.array(spans(axes)).T
        lengths = ends - starts
        assert lengths.max() == pytest.approx(1, abs=0.05)
        np.testing.assert_allclose(lengths / lengths.max(), [*values[:3], 0], atol=1e-6)
        np.testing.assert_allclose(starts, np.arange(4), atol=0.05)
        assert words(axes) == [f"{value:.2f}" for value in values[:3]] + ["–"]
    for name, values in (("heard", said[:, 0]), ("seen", 1 - said[:, 0])):  # of the shown label
        (axes,) = rows(figure, name)
        assert words(axes) == [f"{value:.2f}" for value in values]


@pytest.mark.parametrize("score", [1.0, 0.75, 0.4, 0.0])
def test_a_less_sure_event_is_fainter_and_says_so(score):
    events = (Event(0, 4, "Bell", score),)
    timeline = dataclasses.replace(timeline_of([0] * 4), events=events)
    figure = events_figure([timeline], {})
    (axes,) = rows(figure, "found")
    full = legend(figure)["Bell"]
    assert colours(axes) == [on_white(full, max(score, 0.2))]
    word = "" if score >= 0.8 else ", likely" if score >= 0.5 else ", unsure"
    assert words(axes) == ["Bell" + word]


def test_events_at_once_are_under_each_other_with_their_senses():
    events = [Event(0, 8, "Bell", 1.0, "heard"), Event(2, 10, "Dog", 1.0, "both")]
    timeline = dataclasses.replace(timeline_of([2] * 10), events=tuple(events))
    figure = events_figure([timeline], {})
    (axes,) = rows(figure, "found")
    np.testing.assert_allclose(spans(axes), [(0, 8), (2, 10)], atol=0.02)
    heights = [path.vertices[:, 1] for path in axes.collections[-1].get_paths()]
    assert min(heights[0]) > max(heights[1])
    assert words(axes) == ["H", "Bell", "B", "Dog"]
    assert {"H: heard", "B: both"} < set(legend(figure))
    assert no_overlaps(figure)
    single = events_figure([dataclasses.replace(timeline, events=timeline.events[:1])], {})
    (alone,) = rows(single, "found")
    assert axes.bbox.height == pytest.approx(2 * alone.bbox.height, rel=0.02)


def test_too_many_events_at_once_are_counted():
    events = tuple(Event(0, 4, f"label {n}", 0.1 + n / 12) for n in range(10))
    timeline = dataclasses.replace(timeline_of([2] * 4), events=events)
    figure = events_figure([timeline], {})
    (axes,) = rows(figure, "found (+2)")
    assert len(spans(axes)) == 8
    assert "label 9" in words(axes)
    assert "label 0, unsure" not in words(axes)
    assert no_overlaps(figure)


def test_a_map_is_as_strong_as_its_event_is_sure():
    def moved(score):
        events = (Event(0, 2, "Bell", score),)
        timeline = dataclasses.replace(timeline_of([2] * 2, maps=looking_at(2)), events=events)
        figure = events_figure([timeline], grey_frames(2), names=["m"])
        return max(np.abs(picture - 110).max() for picture in pictures(rows(figure, "m")[0]))

    assert moved(1.0) > 1.5 * moved(0.5) > 2 * moved(0.2) > 0


def test_the_map_shows_only_where_it_is_high_and_only_in_events(tmp_path):
    timeline = timeline_of([0, 2], maps=looking_at(2), model="cman")
    figure = events_figure([timeline], grey_frames(2, (120, 120)))
    page = np.asarray(Image.open(write_figure(figure, tmp_path / "a.png")).convert("RGB"))
    event, other = (picture_on(page, image) for image in rows(figure, "cman")[0].images)
    moved = np.abs(event - 110).max(axis=2)
    height, width = (side // 2 for side in moved.shape)
    assert moved[: height // 4, : width // 4].min() > 50
    assert max(moved[height:].max(), moved[:, width:].max(), np.abs(other - 110).max()) <= 1
    (frames,) = rows(figure, "frame")
    assert all(np.abs(picture_on(page, image) - 110).max() <= 1 for image in frames.images)


def picture_on(page, image):
    """Return an image's pixels on a page, without the ones at its edge."""
    left, right, bottom, top = image.get_extent()
    corners = image.axes.transData.transform([(left, bottom), (right, top)])
    (x0, y0), (x1, y1) = np.rint(corners).astype(int)
    return page[len(page) - y1 + 2 : len(page) - y0 - 2, x0 + 2 : x1 - 2].astype(int)


@pytest.mark.parametrize("size", [(90, 160), (160, 90), (101, 99), (1, 300), (400, 3), (1, 1)])
def test_pictures_keep_their_shape_and_stay_in_their_column(size):
    timeline = timeline_of([0] * 5, maps=looking_at(5), model="cman")
    figure = events_figure([timeline], grey_frames(5, size))
    for name in ("frame", "cman"):
        axes = rows(figure, name)[0]
        assert len(axes.images) == 5
        for n, image in enumerate(axes.images):
            left, right, bottom, top = image.get_extent()
            assert n <= left < right <= n + 1
            assert -0.03 <= bottom < top <= 1.03
            (x0, y0), (x1, y1) = axes.transData.transform([(left, bottom), (right, top)])
            wide, high, share = x1 - x0, y1 - y0, size[0] / size[1]
            assert abs(wide - high * share) <= 1.1 * (1 + share) or min(wide, high) < 1.5


def test_rows_are_left_out_when_there_is_nothing_to_show():
    bare = timeline_of([0, 1])
    assert names(events_figure([bare], {})) == ["seconds", "found"]
    assert names(events_figure([bare], grey_frames(2))) == ["seconds", "frame", "found"]
    whole = timeline_of([0, 1], maps=looking_at(2), gates=[0.5, 0.5], model="cman")
    figure = events_figure([whole], {1: grey_frames(1)[0]}, truth=[], waveform=np.ones((2, 8)))
    every = ["seconds", "sound", "frame", "cman", "truth", "cman", "gate audio", "gate visual"]
    assert names(figure) == every
    assert len(rows(figure, "frame")[0].images) == 1
    assert has_scale(figure)
    hearing = dataclasses.replace(whole, attention=None, gate_visual=None)
    figure = events_figure([hearing], grey_frames(2))
    assert names(figure) == ["seconds", "frame", "cman", "gate audio"]
    assert not has_scale(figure)


def has_scale(figure):
    return any("8× uniform" in text.get_text() for text in figure.texts)


def test_the_sound_is_as_high_as_its_loudest_moment_allows():
    loudness = np.array([[0.0, 0.1], [0.2, np.nan]])
    (axes,) = rows(events_figure([timeline_of([0, 1])], {}, waveform=loudness), "sound")
    (path,) = axes.collections[-1].get_paths()
    highest = {x: path.vertices[path.vertices[:, 0] == x, 1].max() for x in (0.25, 0.75, 1.25)}
    assert highest == {0.25: 0.01, 0.75: 0.5, 1.25: 1.0}


def test_models_of_one_name_are_told_apart():
    twice = [timeline_of([0, 1], model="cman")] * 2
    assert names(events_figure(twice, {}))[1:] == ["1: cman", "2: cman"]
    assert names(events_figure(twice, {}, names=["strong", "weak"]))[1:] == ["strong", "weak"]
    long = ["a model of a very long name " + end for end in "ab"]
    cut = names(events_figure(twice, {}, names=long))[1:]
    assert len(set(cut)) == 2
    assert all(name.endswith("…") for name in cut)
    assert len(set(names(events_figure(twice[:1], {}, names=["truth"], truth=[])))) == 3


def test_a_label_has_one_colour_in_figure_and_report_for_every_model(tmp_path):
    labels = ("Bell", "Dog", "Cat", "Flute")
    first = timeline_of([0, 1, 2, 3], labels)
    turned = timeline_of([3, 2, 1, 0], labels[::-1])  # another model, its labels in another order
    truth = [Event(0, 2, "Dog", 1.0), Event(2, 4, "of no model", 1.0)]
    figure = events_figure([first, turned], {}, names=["a", "b"], truth=truth)
    page = write_report(
        tmp_path / "a.html", title="t", timelines=[ReportClip(first, truth)]
    ).read_text(encoding="utf-8")
    in_page = {
        label: colour
        for colour, label in re.findall(r'background: (#\w{6})"></span><bdi>([^<]*)</bdi>', page)
    }
    wanted = [in_page[label] for label in labels]
    assert len(set(wanted)) == 4
    (true,), (a,), (b,) = (rows(figure, name) for name in ("truth", "a", "b"))
    sure = [on_white(colour, 0.9 + 0.1 / 5) for colour in wanted]  # their score
    assert colours(a) == colours(b) == sure
    assert colours(true) == [in_page["Dog"], in_page["of no model"]]
    assert legend(figure) == in_page


@pytest.mark.parametrize("n_labels", [30, 31, 300])
def test_a_legend_of_many_labels_stays_short(tmp_path, n_labels):
    labels = [f"label number {n}" for n in range(n_labels)]
    figure = events_figure([timeline_of(np.arange(n_labels), labels)], {})
    with Image.open(write_figure(figure, tmp_path / "a.png")) as picture:
        assert picture.width <= 7 * 300
        assert picture.height <= 11 * 300
    shown = list(legend(figure))
    assert shown[:30] == labels[:30]
    assert shown[30:] == ([f"and {n_labels - 30} more"] if n_labels > 30 else [])
    assert len(set(list(legend(figure).values())[:30])) == 30
    assert no_overlaps(figure)


def test_a_minute_wraps_into_bands_that_each_say_everything_once(tmp_path):
    timeline = timeline_of([0] * 30, gates=np.linspace(0, 1, 30), model="cman", video_id="v")
    found = svg_words(draw(tmp_path / "a.svg", [timeline], grey_frames(30), truth=[]))
    assert [found[str(n)] for n in range(30)] == [1] * 30
    assert (found["v"], found["Bell"], found["gate audio"], found["seconds"]) == (1, 3 + 1, 3, 3)
    assert (found["cman"], found["truth"]) == (3, 3)
    assert found["whole video"] == 0  # the bands show all of it


def test_a_film_has_an_overview_of_all_its_events():
    n = 1800
    winners = np.full(n, 2)
    for k, start in enumerate(np.arange(124) * 14 + 5):
        winners[start : start + 1 + k % 9] = k % 2
    timeline = timeline_of(winners, model="cman")
    assert len(timeline) == 124
    truth = timeline.events[::3]
    figure = events_figure([timeline, timeline], {}, names=["a", "b"], truth=truth)
    (scale,) = rows(figure, "whole video")
    minutes = {text.get_text(): text.get_position()[0] for text in scale.texts}
    assert minutes["20:00"] - minutes["10:00"] == pytest.approx(1 / 3)
    for name, events in (("truth", truth), ("a", timeline.events), ("b", timeline.events)):
        overview = rows(figure, name)[0]
        assert overview.get_xlim() == (0, 1)
        drawn = spans(overview)
        assert len(drawn) == len(events)  # every one, shown below or not
        dot = 1 / overview.bbox.width
        for (start, end), event in zip(drawn, events, strict=True):
            assert start * n == pytest.approx(event.start, abs=0.01)
            assert 2.9 * dot <= end - start <= max((event.end - event.start) / n, 3.1 * dot)
        assert len(set(colours(overview))) == 2
    assert names(figure)[:4] == ["truth", "a", "b", "whole video"]
    assert no_overlaps(figure)


def test_an_hour_is_one_page_of_bounded_size(tmp_path):
    n = 3600
    timeline = timeline_of(
        np.arange(n) % 3, maps=looking_at(n), gates=np.linspace(0, 1, n), video_id="long"
    )
    shown = events_segments(timeline)
    frames = {k: frame for k, frame in grey_frames(n).items() if k in shown}
    path = draw(tmp_path / "a.png", [timeline] * 2, frames, waveform=np.ones((n, 4)))
    assert path.stat().st_size < 4_000_000
    with Image.open(path) as picture:
        assert picture.width <= 7 * 300
        assert picture.height <= 11 * 300


def test_of_a_long_video_each_shown_second_says_its_own():
    n = 480
    winners, gates = (np.arange(n) // 7) % 3, np.arange(n) / n
    timeline = timeline_of(winners, gates=gates)
    figure = events_figure([timeline], {})
    shown = events_segments(timeline)
    assert shown == list(range(5, 480, 10))
    notes = [text.get_text() for text in figure.texts]
    assert "48 of 480 segments, evenly spread; fainter: less sure" in notes
    assert words(*rows(figure, "time")) == [f"{k // 60}:{k % 60:02}" for k in shown]
    _, *bands = rows(figure, "found")
    assert len(bands) == 4
    for band, segments in zip(bands, np.reshape(shown, (4, 12)), strict=True):
        of_events = [n for n, k in enumerate(segments) if winners[k] != 2]
        blocks = np.array(spans(band))
        np.testing.assert_allclose(blocks[:, 0], of_events, atol=0.01)
        assert (blocks[:, 1] < blocks[:, 0] + 1).all()  # time left out is not drawn
        assert words(band) == [["Bell", "Dog"][winners[segments[n]]] for n in of_events]
    lengths = [end - start for band in rows(figure, "gate audio") for start, end in spans(band)]
    np.testing.assert_allclose(lengths / lengths[-1], gates[shown] / gates[475], atol=1e-6)


def test_one_segment_is_a_figure(tmp_path):
    timeline = timeline_of([0], maps=looking_at(1), gates=[0.5], video_id="x" * 300)
    figure = events_figure([timeline], grey_frames(1))
    with Image.open(write_figure(figure, tmp_path / "a.png")) as picture:
        assert picture.width <= 7 * 300
    assert title(figure).endswith("…")


def test_a_figure_has_no_folders_of_the_machine_it_was_made_on():
    timeline = timeline_of([0], maps=looking_at(1), video_id="/home/me/films/a/clip.mp4")
    for draw_figure in (events_figure, attention_figure):
        assert title(draw_figure([timeline], grey_frames(1))) == "clip.mp4"


@pytest.mark.slow
def test_no_word_leaves_the_page_or_lies_on_another():
    timeline = timeline_of(
        [0, 1, 0, 1, 1, 2, 0, 0, 0, 1, 2, 0, 1],
        ("A label of many words that is long", "短い 名前"),
        gates=np.linspace(0, 1, 13),
        maps=looking_at(13),
        video_id="a video of a long name " * 9,
        segment_seconds=Fraction(1, 3),
    )
    models = [
        "one model",
        "another model of a long name",
        "third",
        "4",
        "5",
        "the last of them all",
    ]
    figure = events_figure([timeline] * 6, grey_frames(13), names=models, truth=timeline.events)
    assert no_overlaps(figure)
    frames = dict(list(grey_frames(13).items())[:6])
    assert no_overlaps(attention_figure([timeline] * 6, frames, names=models))


def no_overlaps(figure):
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.canvas.draw()
        texts = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
        extents = [text.get_window_extent().extents for text in texts]
    page = figure.bbox
    inside = all(
        page.x0 <= x0 and x1 <= page.x1 and page.y0 <= y0 and y1 <= page.y1
        for x0, y0, x1, y1 in extents
    )
    pairs = [(a, b) for n, a in enumerate(extents) for b in extents[:n]]
    apart = all(
        min(a[2], b[2]) - max(a[0], b[0]) < 1 or min(a[3], b[3]) - max(a[1], b[1]) < 2
        for a, b in pairs
    )
    return inside and apart


@pytest.mark.slow
@settings(max_examples=6)
@given(timelines(), st.lists(st.sampled_from(NASTY) | st.text(max_size=9), min_size=1, max_size=2))
def test_any_words_make_a_sound_figure_without_a_warning(tmp_path_factory, timeline, models):
    folder = tmp_path_factory.mktemp("figure")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = events_figure([timeline] * len(models), {}, names=models, truth=[])
        for suffix in (".svg", ".pdf", ".png"):
            write_figure(figure, folder / f"a{suffix}")
    shown = Counter(text.get_text().strip() for text in figure.findobj(Text) if text.get_text())
    assert svg_words(folder / "a.svg") == shown


@pytest.mark.parametrize(
    "word", ["$x^2$", "a $ b $", "\ud800x", r"\alpha", "猫", "&<>'\"", "a\x00b"]
)
def test_a_label_is_not_markup(tmp_path, word):
    timeline = timeline_of([0] * 4, ("Bell",))
    events = (Event(0, 4, word, 1.0),)
    timeline = dataclasses.replace(timeline, events=events, video_id=word)
    figure = events_figure([timeline], {})
    plain = " ".join(word.replace("\ud800", " ").replace("\x00", " ").split())
    # title, event and legend
    assert svg_words(write_figure(figure, tmp_path / "a.svg"))[plain] == 3
    write_figure(figure, tmp_path / "a.png")


def test_what_does_not_fit_together_is_refused():
    two, three = timeline_of([0, 1]), timeline_of([0, 1, 0])
    slow = timeline_of([0, 1], segment_seconds=Fraction(2))
    long = timeline_of([0] * 240, gates=[0.5] * 240)
    for models in ([], [two, three], [two, slow], [long] * 60):
        with pytest.raises(UsageError):
            events_figure(models, {})


@given(st.integers(1, 5000), st.integers(1, 240))
def test_shown_segments_are_evenly_spread(n, most):
    shown = evenly(n, most)
    assert len(shown) == min(n, most)
    assert all(0 <= k < n for k in shown)
    steps = np.diff(shown)
    assert len(steps) == 0 or (steps.min() >= 1 and steps.max() - steps.min() <= 1)
    assert abs(shown[0] - (n - 1 - shown[-1])) <= 1


def test_segments_that_follow_one_another_are_a_run():
    first, last = Columns([1, 2, 7], 1.0, 3).runs()
    assert (first[:2], last) == ((0, 1), (2, 7, 1))
    assert 1.9 < first[2] < 2  # a gap where time is left out


# --- figure 5


def test_each_model_has_a_row_over_the_same_frames():
    here, there = (
        timeline_of([0, 0, 2], maps=looking_at(3, cell), model=name)
        for cell, name in (((0, 0), "avel"), ((3, 3), "cman"))
    )
    blind = timeline_of([0, 0, 0], model="audio")
    frame = grey_frames(1)[0]
    figure = attention_figure([here, blind, there], {2: frame, 0: frame})
    assert names(figure) == ["seconds", "frame", "avel", "cman"]
    assert words(*rows(figure, "seconds")) == ["0", "2"]
    for name, corner in (("avel", 0), ("cman", -1)):
        shown = pictures(*rows(figure, name))
        assert len(shown) == 2
        for picture in shown:
            moved = np.abs(picture - 110).max(axis=2)
            assert moved[corner, corner] > 50
            assert moved[-1 - corner, -1 - corner] == 0


def test_all_maps_are_on_one_scale():
    # twice the uniform weight everywhere on the left: far from the full colour
    weak = np.repeat(np.array([[2, 2, 0, 0]]), 4, axis=0)[None] / 16.0
    models = [timeline_of([0], maps=maps) for maps in (weak, looking_at(1))]
    figure = attention_figure(models, grey_frames(1), names=["weak", "strong"])
    weak, strong = (
        np.abs(pictures(*rows(figure, name))[0] - 110).max() for name in ("weak", "strong")
    )
    assert weak < 0.6 * strong
    assert has_scale(figure)


def test_six_seconds_of_events_are_chosen_evenly():
    timeline = timeline_of([2] * 10 + [0] * 12 + [2] * 10)
    assert attention_segments([timeline]) == [11, 13, 15, 17, 19, 21]
    silent = timeline_of([2] * 32)
    assert attention_segments([silent, timeline]) == [11, 13, 15, 17, 19, 21]
    assert attention_segments([timeline_of([2] * 3)]) == [0, 1, 2]


def test_boxes_are_where_they_are_in_the_picture():
    timeline = timeline_of([0, 0], maps=looking_at(2))
    figure = attention_figure([timeline], grey_frames(2), boxes=[[(0.25, 0.5, 0.75, 1.0)], []])
    (axes,) = rows(figure, "frame")
    left, right, bottom, top = axes.images[0].get_extent()
    (box,) = axes.patches
    assert (box.get_x() - left) / (right - left) == pytest.approx(0.25)
    assert (box.get_y() - bottom) / (top - bottom) == pytest.approx(0)
    assert box.get_width() / (right - left) == pytest.approx(0.5)
    assert box.get_height() / (top - bottom) == pytest.approx(0.5)
    assert "true position" in legend(figure)


def test_a_comparison_that_shows_nothing_is_refused():
    seeing, blind = timeline_of([0, 1], maps=looking_at(2)), timeline_of([0, 1])
    for models, frames in (([blind], grey_frames(2)), ([], grey_frames(2)), ([seeing], {})):
        with pytest.raises(UsageError):
            attention_figure(models, frames)


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_a_comparison_is_a_file_of_each_kind(tmp_path, suffix):
    timeline = timeline_of([0, 1], maps=looking_at(2), model="cman")
    figure = attention_figure([timeline] * 2, grey_frames(2))
    path = write_figure(figure, tmp_path / f"a{suffix}")
    if suffix == ".png":
        Image.open(path).load()
    elif suffix == ".svg":
        assert svg_words(path)["1: cman"] == 1
    else:
        assert "1: cman" in pdf_lines(path.read_bytes())
