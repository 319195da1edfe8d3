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
from matplotlib.colors import to_hex
from PIL import Image

from avloc.errors import OutputError, UnknownNameError, UsageError
from avloc.export.figures.attention_figure import attention_figure, draw_attention_figure
from avloc.export.figures.columns import Band, evenly, lay_bands, moment
from avloc.export.figures.events_figure import draw_events_figure, events_figure
from avloc.export.figures.figure_file import figure_suffix
from avloc.export.figures.figure_sheet import Sheet
from avloc.export.report.page import write_report
from avloc.export.report.report_parts import ReportClip
from avloc.timeline import Event, Grid

SVG = "{http://www.w3.org/2000/svg}"


def grey_frames(n, size=(64, 48), level=110):
    return [np.full((size[1], size[0], 3), level, np.uint8)] * n


def looking_at(n, cell=(0, 0), shape=(4, 4)):
    maps = np.zeros((n, *shape))
    maps[(slice(None), *cell)] = 1
    return maps


def artists(figure, kind, role=""):
    (axes,) = figure.axes
    return [artist for artist in getattr(axes, kind) if artist.get_label().startswith(role)]


def words(figure, role):
    return [text.get_text() for text in artists(figure, "texts", role)]


def boxes_of(figure, role):
    return [
        (block.get_x(), block.get_y(), block.get_x() + block.get_width())
        for block in artists(figure, "patches", role)
    ]


def svg_words(path):
    root = ElementTree.fromstring(path.read_bytes())
    return Counter("".join(text.itertext()).strip() for text in root.iter(f"{SVG}text"))


# --- the files


def test_each_suffix_makes_its_own_kind_of_file(tmp_path):
    timeline = timeline_of([0, 0, 2], maps=looking_at(3), gates=[0.2, 0.5, 0.75], model="cman")
    paths = [
        draw_events_figure([timeline], grey_frames(3), tmp_path / f"a{suffix}")
        for suffix in (".PNG", ".pdf", ".svg")
    ]
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
    one, other = (
        draw_events_figure([timeline], grey_frames(3), tmp_path / f"{n}{suffix}").read_bytes()
        for n in (1, 2)
    )
    assert one == other


def test_a_figure_says_that_avloc_made_it(tmp_path):
    timeline, maker = timeline_of([0, 1], maps=looking_at(2)), f"avloc {version('avloc')}"
    for draw in (draw_events_figure, draw_attention_figure):
        png, pdf, svg = (
            draw([timeline], grey_frames(2), tmp_path / f"a{suffix}")
            for suffix in (".png", ".pdf", ".svg")
        )
        with Image.open(png) as picture:
            assert picture.info["Software"] == maker
        assert f"/Creator ({maker})".encode() in pdf.read_bytes()
        assert maker in svg.read_text(encoding="utf-8")[:2000]


@pytest.mark.parametrize("name", ["figure.jpg", "figure", "figure.pngx"])
def test_another_suffix_is_refused_and_the_three_are_named(tmp_path, name):
    for draw in (draw_events_figure, draw_attention_figure):
        timeline = timeline_of([0], maps=looking_at(1))
        with pytest.raises(UnknownNameError) as refusal:
            draw([timeline], grey_frames(1), tmp_path / name)
        assert all(suffix in refusal.value.hint for suffix in (".png", ".pdf", ".svg"))
    assert not list(tmp_path.iterdir())
    assert figure_suffix("a.b.SVG") == ".svg"


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        draw_events_figure([timeline_of([0])], [None], tmp_path / "file" / "a.png")


def test_a_figure_is_the_same_under_any_style_and_leaves_it(tmp_path):
    timeline = timeline_of([0, 1], gates=[0.25, 0.5])
    plain = draw_events_figure([timeline], [None] * 2, tmp_path / "a.svg").read_bytes()
    loud = {"font.size": 30, "axes.facecolor": "black", "svg.fonttype": "path", "text.usetex": True}
    with mpl.rc_context(loud):
        styled = draw_events_figure([timeline], [None] * 2, tmp_path / "b.svg").read_bytes()
        assert mpl.rcParams["svg.fonttype"] == "path"
    assert styled == plain


# --- figure 6


def test_blocks_stand_at_their_events_seconds():
    truth = [Event(0.5, 3.25, "Bell", 1.0), Event(4.0, 99.0, "Dog", 1.0), Event(50, 60, "x", 1.0)]
    timeline = timeline_of([2, 0, 0, 1, 1, 2])
    figure = events_figure([timeline], [None] * 6, truth=truth)
    # Two columns apart by their headings give the scale; nothing else of the layout is known.
    lefts = [text.get_position()[0] for text in artists(figure, "texts", "time")]
    origin, second = lefts[0], lefts[1] - lefts[0]

    def seconds(role):
        places = boxes_of(figure, role)
        return [((left - origin) / second, (right - origin) / second) for left, _, right in places]

    np.testing.assert_allclose(seconds("found 0"), [(1, 3), (3, 5)], atol=0.02)
    np.testing.assert_allclose(seconds("truth"), [(0.5, 3.25), (4, 6)], atol=0.02)
    assert words(figure, "label") == ["Bell", "Dog", "Bell", "Dog"]
    assert words(figure, "time") == ["0", "1", "2", "3", "4", "5"]


def test_a_label_is_made_smaller_before_it_is_cut():
    for n_segments in range(1, 13):
        timeline = timeline_of([0] + [1] * (n_segments - 1), ("Church bell",))
        figure = events_figure([timeline], [None] * n_segments)
        assert words(figure, "label") == ["Church bell"]
    long = timeline_of([0] + [1] * 11, ("Male speech, man speaking",))
    (word,) = words(events_figure([long], [None] * 12), "label")
    assert word.startswith("Male")
    assert word.endswith("…")


def test_gates_are_bars_and_numbers():
    gates = [0.0, 0.25, 1.0, np.nan]
    figure = events_figure([timeline_of([0] * 4, gates=gates)], [None] * 4)
    lefts = [text.get_position()[0] for text in artists(figure, "texts", "time")]
    full = boxes_of(figure, "hear")[2][2] - boxes_of(figure, "hear")[2][0]
    assert full == pytest.approx(lefts[1] - lefts[0], rel=0.05)
    for role, values in (("hear", gates), ("see", 1 - np.array(gates))):
        lengths = [right - left for left, _, right in boxes_of(figure, role)]
        np.testing.assert_allclose(np.array(lengths) / full, values[:3], atol=1e-6)
    numbers = Counter(text.get_text() for text in figure.axes[0].texts)
    assert (numbers["0.00"], numbers["0.25"], numbers["0.75"], numbers["–"]) == (2, 1, 1, 2)


def test_the_map_shows_only_where_it_is_high_and_only_in_events(tmp_path):
    timeline = timeline_of([0, 2], maps=looking_at(2, (0, 0)))
    frames = grey_frames(2, (120, 120))
    figure = events_figure([timeline], frames)
    path = draw_events_figure([timeline], frames, tmp_path / "a.png")
    page = np.asarray(Image.open(path).convert("RGB")).astype(int)
    event, other = (picture_on(page, image) for image in artists(figure, "images", "heat 0"))
    moved = np.abs(event - 110).max(axis=2)
    height, width = (side // 2 for side in moved.shape)
    assert moved[: height // 4, : width // 4].min() > 50
    assert moved[height:].max() == moved[:, width:].max() == 0
    assert (other == 110).all()
    assert all((picture_on(page, image) == 110).all() for image in artists(figure, "images", "fra"))
    shown = artists(events_figure([timeline], frames, everywhere=True), "images", "heat 0")
    assert np.abs(np.asarray(shown[1].get_array()).astype(int) - 110).max() > 50


def picture_on(page, image):
    left, right, bottom, top = image.get_extent()
    return page[int(top) : int(bottom), int(left) : int(right)]


def test_a_png_holds_a_pictures_pixels_as_they_are(tmp_path):
    rng = np.random.default_rng(3)
    frames = [rng.integers(0, 256, (37, 53, 3), np.uint8) for _ in range(7)]
    timeline = timeline_of([0] * 7)
    figure = events_figure([timeline], frames)
    path = draw_events_figure([timeline], frames, tmp_path / "a.png")
    page = np.asarray(Image.open(path).convert("RGB"))
    for image in artists(figure, "images", "frame"):
        assert (picture_on(page, image) == image.get_array()).all()


@pytest.mark.parametrize("size", [(90, 160), (160, 90), (101, 99), (1, 300), (400, 3), (1, 1)])
def test_pictures_keep_their_shape_and_stay_in_their_column(size):
    timeline = timeline_of([0] * 5, maps=looking_at(5))
    figure = events_figure([timeline], grey_frames(5, size))
    lefts = [text.get_position()[0] for text in artists(figure, "texts", "time")]
    images = artists(figure, "images", "frame") + artists(figure, "images", "heat")
    assert len(images) == 10
    for n, image in enumerate(images):
        left, right, bottom, top = image.get_extent()
        assert lefts[n % 5] <= left < right <= lefts[n % 5] + lefts[1] - lefts[0]
        wide, high = right - left, bottom - top
        share = size[0] / size[1]
        assert abs(wide - high * share) <= 0.51 * (1 + share) or 1 in (wide, high)


def test_rows_are_left_out_when_there_is_nothing_to_show():
    bare = timeline_of([0, 1])
    assert words(events_figure([bare], [None, None]), "name") == ["seconds", "found"]
    assert words(events_figure([bare], grey_frames(2)), "name") == ["seconds", "frame", "found"]
    whole = timeline_of([0, 1], maps=looking_at(2), gates=[0.5, 0.5], model="cman")
    names = ["seconds", "sound", "frame", "cman", "truth", "cman", "hear", "see"]
    figure = events_figure([whole], [None, *grey_frames(1)], truth=[], waveform=np.ones((2, 8)))
    assert words(figure, "name") == names
    assert len(artists(figure, "images", "frame")) == 1
    hearing = dataclasses.replace(whole, attention=None, gate_visual=None)
    names = ["seconds", "frame", "cman", "hear"]
    assert words(events_figure([hearing], grey_frames(2)), "name") == names
    assert not artists(events_figure([hearing], grey_frames(2)), "images", "scale")


def test_models_of_one_name_are_told_apart():
    twice = [timeline_of([0, 1], model="cman")] * 2
    assert words(events_figure(twice, [None] * 2), "name")[1:] == ["1: cman", "2: cman"]
    named = events_figure(twice, [None] * 2, names=["strong", "weak"])
    assert words(named, "name")[1:] == ["strong", "weak"]
    long = ["a model of a very long name " + end for end in "ab"]
    cut = words(events_figure(twice, [None] * 2, names=long), "name")[1:]
    assert len(set(cut)) == 2
    assert all(name.endswith("…") for name in cut)
    truth = words(events_figure(twice[:1], [None] * 2, names=["truth"], truth=[]), "name")[1:]
    assert len(set(truth)) == 2


def colours(figure, role):
    """Return the colours of what a role draws, ``#rrggbb`` in order."""
    return [to_hex(block.get_facecolor()) for block in artists(figure, "patches", role)]


def test_a_label_has_one_colour_in_figure_and_report_whoever_found_it(tmp_path):
    names = ("Bell", "Dog", "Cat", "Flute")
    first = timeline_of([0, 1, 2, 3], names)
    turned = timeline_of([3, 2, 1, 0], names[::-1])  # another model, its labels in another order
    truth = [Event(0, 2, "Dog", 1.0), Event(2, 4, "of no model", 1.0)]
    figure = events_figure([first, turned], [None] * 4, names=["a", "b"], truth=truth)
    page = write_report(
        tmp_path / "a.html", title="t", timelines=[ReportClip(first, truth)]
    ).read_text(encoding="utf-8")
    in_page = {
        label: colour
        for colour, label in re.findall(r'background: (#\w{6})"></span><bdi>([^<]*)</bdi>', page)
    }
    wanted = [in_page[name] for name in names]
    assert len(set(wanted)) == 4
    assert colours(figure, "found 0") == colours(figure, "found 1") == wanted
    assert colours(figure, "truth") == [in_page["Dog"], in_page["of no model"]]
    legend = dict(zip(words(figure, "legend"), colours(figure, "legend"), strict=True))
    assert legend == in_page


@pytest.mark.parametrize("n_labels", [30, 31, 300])
def test_a_legend_of_many_labels_stays_short(tmp_path, n_labels):
    names = [f"label number {n}" for n in range(n_labels)]
    timeline = timeline_of(np.arange(n_labels), names)
    path = draw_events_figure([timeline], [None] * n_labels, tmp_path / "a.png")
    with Image.open(path) as picture:
        assert picture.width <= 7 * 300
        assert picture.height <= 11 * 300
    figure = events_figure([timeline], [None] * n_labels)
    legend = words(figure, "legend")
    assert legend[:30] == names[:30]
    assert legend[30:] == ([f"and {n_labels - 30} more"] if n_labels > 30 else [])
    assert len(set(colours(figure, "legend")[:30])) == 30
    assert no_overlaps(figure)


def test_a_minute_wraps_into_bands_that_each_say_everything_once(tmp_path):
    timeline = timeline_of([0] * 30, gates=np.linspace(0, 1, 30), model="cman", video_id="v")
    path = draw_events_figure([timeline], grey_frames(30), tmp_path / "a.svg", truth=[])
    found = svg_words(path)
    assert [found[str(n)] for n in range(30)] == [1] * 30
    assert (found["v"], found["Bell"], found["hear"], found["seconds"]) == (1, 3 + 1, 3, 3)
    assert (found["cman"], found["truth"]) == (3, 3)
    assert found["whole video"] == 0  # the bands show all of it


def test_a_film_has_an_overview_of_all_its_events():
    n = 1800
    winners = np.full(n, 2)
    starts = np.arange(124) * 14 + 5
    for k, start in enumerate(starts):
        winners[start : start + 1 + k % 9] = k % 2
    timeline = timeline_of(winners, model="cman")
    assert len(timeline) == 124
    truth = timeline.events[::3]
    figure = events_figure([timeline, timeline], [None] * n, names=["a", "b"], truth=truth)
    ticks = {text.get_text(): text.get_position()[0] for text in artists(figure, "texts", "tick")}
    minute = (ticks["20:00"] - ticks["10:00"]) / 10
    origin = ticks["10:00"] - 10 * minute
    for role, events in (
        ("all found 0", timeline.events),
        ("all found 1", timeline.events),
        ("all truth", truth),
    ):
        spans = boxes_of(figure, role)
        assert len(spans) == len(events)  # every one, shown below or not
        for (left, _, right), event in zip(spans, events, strict=True):
            assert (left - origin) / minute * 60 == pytest.approx(event.start, abs=1.5)
            assert 3 <= right - left <= max((event.end - event.start) / 60 * minute, 3) + 1
    assert colours(figure, "all found 0") == colours(figure, "all found 1")
    assert len(set(colours(figure, "all found 0"))) == 2
    assert words(figure, "name")[:4] == ["truth", "a", "b", "whole video"]
    assert no_overlaps(figure)


def test_an_hour_is_one_page_of_bounded_size(tmp_path):
    n = 3600
    timeline = timeline_of(
        np.arange(n) % 3, maps=looking_at(n), gates=np.linspace(0, 1, n), video_id="long"
    )
    path = draw_events_figure(
        [timeline] * 2, grey_frames(n), tmp_path / "a.png", waveform=np.ones((n, 4))
    )
    assert path.stat().st_size < 4_000_000
    with Image.open(path) as picture:
        assert picture.width <= 7 * 300
        assert picture.height <= 11 * 300


def test_of_a_long_video_each_shown_second_tells_its_own():
    n = 480
    winners = (np.arange(n) // 7) % 3
    gates = np.arange(n) / n
    figure = events_figure([timeline_of(winners, gates=gates)], [None] * n, most_columns=16)
    heads = artists(figure, "texts", "time")
    times = [60 * int(word[:-3]) + int(word[-2:]) for word in words(figure, "time")]
    assert times == list(range(15, 480, 30))
    assert words(figure, "note") == ["16 of 480 segments, evenly spread"]
    has_block = {(round(left), y) for left, y, _ in boxes_of(figure, "found 0")}
    tops = sorted({y for _, y in has_block})
    for head, second in zip(heads, times, strict=True):
        x, y = head.get_position()
        top = min(row for row in tops if row > y)
        assert ((round(x), top) in has_block) == (winners[second] != 2)
    lengths = [right - left for left, _, right in boxes_of(figure, "hear")]
    np.testing.assert_allclose(
        np.array(lengths) / lengths[-1], gates[times] / gates[465], atol=1e-6
    )
    expected = [["Bell", "Dog"][w] for w in winners[times] if w != 2]
    assert words(figure, "label") == expected
    lefts = sorted(left for left, top, _ in boxes_of(figure, "found 0") if top == tops[0])
    rights = sorted(right for _, top, right in boxes_of(figure, "found 0") if top == tops[0])
    assert all(right < left for right, left in zip(rights[:-1], lefts[1:], strict=True))


def test_one_segment_is_a_figure(tmp_path):
    timeline = timeline_of([0], maps=looking_at(1), gates=[0.5], video_id="x" * 300)
    with Image.open(draw_events_figure([timeline], grey_frames(1), tmp_path / "a.png")) as picture:
        assert picture.width <= 7 * 300
    (title,) = words(events_figure([timeline], grey_frames(1)), "title")
    assert title.endswith("…")


def test_a_figure_has_no_folders_of_the_machine_it_was_made_on():
    timeline = timeline_of([0], maps=looking_at(1), video_id="/home/me/films/a/clip.mp4")
    for draw in (events_figure, attention_figure):
        assert words(draw([timeline], grey_frames(1)), "title") == ["clip.mp4"]


@pytest.mark.slow
def test_no_word_leaves_the_page_or_lies_on_another():
    timeline = timeline_of(
        [0, 1, 0, 1, 1, 2, 0, 0, 0, 1, 2, 0, 1],
        ("A label of many words that is long", "short"),
        gates=np.linspace(0, 1, 13),
        maps=looking_at(13),
        video_id="a video of a long name " * 9,
        segment_seconds=Fraction(1, 3),
    )
    names = ["one model", "another model of a long name", "third", "4", "5", "the last of them all"]
    figure = events_figure([timeline] * 6, grey_frames(13), names=names, truth=timeline.events)
    assert no_overlaps(figure)
    assert no_overlaps(attention_figure([timeline] * 6, grey_frames(13), names=names))


def no_overlaps(figure):
    figure.canvas.draw()
    page = figure.bbox
    extents = [text.get_window_extent().extents for text in figure.axes[0].texts]
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
@settings(max_examples=12)
@given(timelines(), st.lists(st.sampled_from(NASTY) | st.text(max_size=9), min_size=1, max_size=2))
def test_any_words_make_a_sound_figure_without_a_warning(tmp_path_factory, timeline, names):
    folder = tmp_path_factory.mktemp("figure")
    n = timeline.grid.n_segments
    models = [timeline] * len(names)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for suffix in (".svg", ".pdf", ".png"):
            draw_events_figure(models, [None] * n, folder / f"a{suffix}", names=names, truth=[])
    found = svg_words(folder / "a.svg")
    shown = events_figure(models, [None] * n, names=names, truth=[])
    assert found == Counter(text.get_text().strip() for text in shown.axes[0].texts)


@pytest.mark.parametrize(
    "word", ["$x^2$", "a $ b $", "\ud800x", r"\alpha", "猫", "&<>'\"", "a\x00b"]
)
def test_a_label_is_no_markup(tmp_path, word):
    timeline = timeline_of([0] * 4, ("Bell",))
    events = (Event(0, 4, word, 1.0),)
    timeline = dataclasses.replace(timeline, events=events, video_id=word)
    path = draw_events_figure([timeline], [None] * 4, tmp_path / "a.svg")
    plain = " ".join(word.replace("\ud800", " ").replace("\x00", " ").split())
    assert svg_words(path)[plain] == 3  # title, event and legend
    draw_events_figure([timeline], [None] * 4, tmp_path / "a.png")


def test_what_does_not_fit_together_is_refused():
    two, three = timeline_of([0, 1]), timeline_of([0, 1, 0])
    slow = timeline_of([0, 1], segment_seconds=Fraction(2))
    refused = [
        ([], [], {}),
        ([two, three], [None] * 2, {}),
        ([two, slow], [None] * 2, {}),
        ([two], [None] * 3, {}),
        ([two], [np.zeros((4, 4), np.uint8)] * 2, {}),
        ([two], [np.zeros((4, 4, 3))] * 2, {}),
        ([two], [np.zeros((0, 4, 3), np.uint8)] * 2, {}),
        ([timeline_of([0] * 240, gates=[0.5] * 240)] * 20, [None] * 240, {"most_columns": 240}),
        ([two], [None] * 2, {"names": ["a", "b"]}),
        ([two], [None] * 2, {"waveform": np.ones(2)}),
        ([two], [None] * 2, {"waveform": np.ones((3, 2))}),
        ([two], [None] * 2, {"most_columns": 0}),
        ([two], [None] * 2, {"most_columns": 10_000}),
    ]
    for models, frames, options in refused:
        with pytest.raises(UsageError):
            events_figure(models, frames, **options)


# --- columns


@given(st.integers(1, 5000), st.integers(1, 240))
def test_shown_segments_are_evenly_spread(n, most):
    shown = evenly(n, most)
    assert len(shown) == min(n, most)
    assert all(0 <= k < n for k in shown)
    steps = np.diff(shown)
    assert len(steps) == 0 or (steps.min() >= 1 and steps.max() - steps.min() <= 1)
    assert abs(shown[0] - (n - 1 - shown[-1])) <= 1


@given(st.integers(1, 240), st.integers(40, 400))
def test_bands_hold_every_segment_once_and_fit(n, left):
    bands = lay_bands(Grid(n), range(n), left, 2080)
    assert [k for band in bands for k in band.segments] == list(range(n))
    assert all(len(band.segments) <= 12 and band.right <= 2080 for band in bands)


def test_time_left_out_is_not_drawn():
    band = Band(Grid(10), (1, 2, 7), left=100, column=50)
    assert band.runs() == [range(0, 2), range(2, 3)]
    assert band.span(range(0, 2), 1.5, 2.5) == (125, 175)
    assert band.span(range(0, 2), 3, 7) is None
    assert band.span(range(2, 3), 0, 10) == (200, 250)


def test_moments_are_as_short_as_the_video_allows():
    assert moment(Grid(10), 9) == "9"
    assert moment(Grid(10, Fraction(24, 25)), 3) == "2.88"
    assert moment(Grid(100), 63) == "1:03"
    assert moment(Grid(4000), 3661) == "1:01:01"
    assert moment(Grid(300, Fraction(1, 3)), 190) == "1:03.33"


def test_a_sheet_has_the_dots_it_was_asked_for(tmp_path):
    for width, height in [(2099, 1083), (1010, 220), (171, 207)]:
        path = tmp_path / "a.png"
        Sheet(width, height).figure.savefig(path)
        assert Image.open(path).size == (width, height)


# --- figure 5


def test_each_model_has_a_row_over_the_same_frames():
    here, there = (
        timeline_of([0, 0, 2], maps=looking_at(3, cell), model=name)
        for cell, name in (((0, 0), "avel"), ((3, 3), "cman"))
    )
    blind = timeline_of([0, 0, 0], model="audio")
    figure = attention_figure([here, blind, there], grey_frames(3), segments=[0, 2])
    assert words(figure, "name") == ["seconds", "frame", "avel", "cman"]
    assert words(figure, "time") == ["0", "2"]
    for role, corner in (("heat 0", 0), ("heat 1", -1)):
        images = artists(figure, "images", role)
        assert len(images) == 2
        for image in images:
            moved = np.abs(np.asarray(image.get_array()).astype(int) - 110).max(axis=2)
            assert moved[corner, corner] > 50
            assert moved[-1 - corner, -1 - corner] == 0


def test_all_maps_are_on_one_scale():
    # twice the uniform weight everywhere on the left: far from fully lit, whatever its rank
    weak = np.repeat(np.array([[2, 2, 0, 0]]), 4, axis=0)[None] / 16.0
    figure = attention_figure(
        [timeline_of([0], maps=weak), timeline_of([0], maps=looking_at(1))], grey_frames(1)
    )
    change = [
        np.abs(np.asarray(artists(figure, "images", role)[0].get_array()).astype(int) - 110).max()
        for role in ("heat 0", "heat 1")
    ]
    assert change[0] < 0.6 * change[1]


def test_six_seconds_of_events_are_chosen_evenly():
    winners = [2] * 10 + [0] * 12 + [2] * 10
    timeline = timeline_of(winners, maps=looking_at(32))
    figure = attention_figure([timeline], grey_frames(32))
    assert words(figure, "time") == ["11", "13", "15", "17", "19", "21"]
    nothing = timeline_of([2] * 3, maps=looking_at(3))
    assert words(attention_figure([nothing], grey_frames(3)), "time") == ["0", "1", "2"]
    unseen = attention_figure([nothing], [None, *grey_frames(2)])
    assert words(unseen, "time") == ["1", "2"]


def test_boxes_stand_where_they_are_in_the_picture():
    timeline = timeline_of([0, 0], maps=looking_at(2))
    figure = attention_figure([timeline], grey_frames(2), boxes=[(0.25, 0.5, 0.75, 1.0), None])
    (box,) = artists(figure, "patches", "box")
    left, right, bottom, top = artists(figure, "images", "frame")[0].get_extent()
    across, down = (box.get_x() - left) / (right - left), (box.get_y() - top) / (bottom - top)
    assert (across, down) == pytest.approx((0.25, 0.5))
    assert box.get_width() / (right - left) == pytest.approx(0.5)
    assert box.get_height() / (bottom - top) == pytest.approx(0.5)
    assert "true place" in words(figure, "legend")


def test_a_comparison_that_shows_nothing_is_refused(tmp_path):
    seeing, blind = timeline_of([0, 1], maps=looking_at(2)), timeline_of([0, 1])
    frames = grey_frames(2)
    refused = [
        ([blind], frames, {}),
        ([], [], {}),
        ([seeing], [None] * 2, {}),
        ([seeing], [None, frames[0]], {"segments": [0]}),
        ([seeing], frames, {"segments": [2]}),
        ([seeing], frames, {"segments": [-1]}),
        ([seeing], frames, {"segments": []}),
        ([seeing], frames, {"boxes": [None]}),
        ([seeing], frames, {"boxes": [(0.5, 0.5, 0.2, 0.9), None]}),
        ([seeing], frames, {"boxes": [(0, 0, 1), None]}),
    ]
    for models, pictures, options in refused:
        with pytest.raises(UsageError):
            draw_attention_figure(models, pictures, tmp_path / "a.png", **options)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".png", ".pdf", ".svg"])
def test_a_comparison_is_a_file_of_each_kind(tmp_path, suffix):
    timeline = timeline_of([0, 1], maps=looking_at(2), model="cman")
    path = draw_attention_figure([timeline] * 2, grey_frames(2), tmp_path / f"a{suffix}")
    if suffix == ".png":
        Image.open(path).load()
    elif suffix == ".svg":
        assert svg_words(path)["1: cman"] == 1
    else:
        assert "1: cman" in pdf_lines(path.read_bytes())
