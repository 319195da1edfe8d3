import base64
import dataclasses
import hashlib
import io
import re
from html.parser import HTMLParser
from importlib.metadata import version
from importlib.resources import files
from urllib.parse import unquote, urljoin, urlsplit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_timelines import NASTY, timeline_of, timelines, unhurried
from PIL import Image

from avloc.export.links import relative_link, shown_names
from avloc.export.pictures import report_thumbnails
from avloc.export.report.agreement import agreement
from avloc.export.report.page import write_report
from avloc.export.report.report_clips import ReportClip
from avloc.labels import LabelSet
from avloc.media import FLAGS
from avloc.timeline import Event

VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """Checks that tags balance; keeps tags, attributes and text."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.words = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()}"

    def handle_data(self, data):
        if self.open[-1:] == ["script"]:
            self.script = data
        elif "style" not in self.open:
            self.words.append(data)

    def all(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def text(self):
        return "".join(self.words)


def page_of(tmp_path, *clips, **more):
    target = write_report(tmp_path / "report.html", title="A run", timelines=clips, **more)
    text = target.read_text(encoding="utf-8")
    return Page(text), text


@settings(unhurried, max_examples=40)
@given(timeline=timelines())
def test_any_label_is_text_and_never_markup(timeline, tmp_path_factory):
    truth = [Event(0, 1, name, 1) for name in NASTY]
    page, _ = page_of(tmp_path_factory.mktemp("r"), ReportClip(timeline, truth))
    plain, _ = page_of(
        tmp_path_factory.mktemp("r"), ReportClip(timeline_of([0, 2], senses=["heard"]), truth[:1])
    )
    assert {tag for tag, _ in page.tags} <= {tag for tag, _ in plain.tags}
    assert page.all("script") == [{}]  # the page's own, and it is tested below
    for event in [*timeline, *truth]:
        # HTML reads a carriage return as a line feed and has no NUL or lone controls
        if re.search(r"[\x00-\x08\r\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff]", event.label):
            continue
        assert event.label in page.text
    known = set().union(*(attrs for _, attrs in plain.tags))
    assert set().union(*(attrs for _, attrs in page.tags)) <= known


def full_clip(tmp_path):
    maps = np.zeros((3, 7, 7))
    maps[:, 2, 2] = 1
    timeline = timeline_of(
        [0, 2, 1], maps=maps, heard=np.full((3, 2), 0.3), senses=["heard"], frame_size=(64, 48)
    )
    frames = [np.full((48, 64, 3), 40 * n, np.uint8) for n in range(2)]
    thumbnails = report_thumbnails(timeline, dict(enumerate(frames)))
    names = ("a film #1?.heat.mp4", "x:y%20.h5")
    for name in names:
        (tmp_path / name).touch()
    paths = [tmp_path / name for name in names]
    return ReportClip(
        timeline, [Event(0, 2, "Bell", 1)], thumbnails, paths[0], paths[1:], "A note."
    )


def test_nothing_outside_the_page_is_needed(tmp_path):
    page, text = page_of(tmp_path, full_clip(tmp_path))
    assert not re.search(r"(?i)https?:|//[a-z]|@import|url\(", re.sub(r"base64,[^\"]*", "", text))
    assert page.all("script") == [{}]
    for attrs in page.all("img"):
        head, data = attrs["src"].split(",", 1)
        assert head == "data:image/jpeg;base64"
        assert Image.open(io.BytesIO(base64.b64decode(data))).size == (64, 48)
        assert attrs["alt"]
    assert len(page.all("img")) == 2


def test_links_lead_to_the_files_beside_the_page(tmp_path):
    clip = full_clip(tmp_path)
    page, _ = page_of(tmp_path, clip)
    within = {a["href"] for a in page.all("a") if a["href"].startswith("#")}
    assert {link[1:] for link in within} <= {a["id"] for _, a in page.tags if "id" in a}
    links = {a["href"] for a in page.all("a")} | {v["src"] for v in page.all("video")}
    links -= within
    base = (tmp_path / "report.html").as_uri()
    found = {unquote(urlsplit(urljoin(base, link)).path) for link in links}
    assert found == {str(clip.video), str(clip.files[0])}
    assert all("controls" in video for video in page.all("video"))


def test_links_find_the_way_up(tmp_path):
    link = relative_link(tmp_path / "a" / "f.mp4", tmp_path / "b" / "c" / "page.html")
    assert link == "../../a/f.mp4"


def test_the_page_runs_its_own_script_and_forbids_any_other(tmp_path):
    page, text = page_of(tmp_path, full_clip(tmp_path))
    source = (files("avloc.export.report") / "templates" / "report.js").read_text("utf-8")
    assert page.script.strip() == source.strip()
    digest = base64.b64encode(hashlib.sha256(page.script.encode()).digest()).decode()
    (policy,) = (a["content"] for a in page.all("meta") if "http-equiv" in a)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == f"'sha256-{digest}'"
    assert not re.search(r"(?i)https?:|\*", policy)
    assert text.index("http-equiv") < text.index("<style")  # what stands before it is not ruled


def test_a_sound_and_a_picture_have_their_players(tmp_path):
    def players(suffix, frame_size):
        clip = ReportClip(timeline_of([0], frame_size=frame_size), video=tmp_path / f"a{suffix}")
        page, _ = page_of(tmp_path, clip)
        return len(page.all("video")), len(page.all("audio"))

    assert players(".mp4", (64, 48)) == (1, 0)
    assert players(".mp4", None) == (0, 1)  # a video file without a picture
    assert players(".WAV", (64, 48)) == (0, 1)  # a sound file with a cover


def test_a_folder_begins_with_its_contents(tmp_path):
    few, many = timeline_of([0, 2, 1]), timeline_of([0, 1] * 30 + [0])
    clips = [ReportClip(few), ReportClip(many), ReportClip(timeline_of([2]))]
    _, text = page_of(tmp_path, *clips)
    contents = Page(text[text.index("<nav") : text.index("</nav>") + len("</nav>")])
    assert [a["href"] for a in contents.all("a")] == ["#video-1", "#video-2", "#video-3"]
    words = " ".join(contents.text.split())
    assert "Bell 0–1 s, Dog 2–3 s" in words
    assert "Bell × 31, Dog × 30" in words
    assert words.endswith("no event")
    assert len(contents.all("i")) == 2 + 61
    alone, _ = page_of(tmp_path, clips[0])
    assert not alone.all("nav")


def truth_of(winners, names=("Bell", "Dog")):
    return timeline_of(winners, names).events


@unhurried
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=20))
def test_agreement_is_the_share_of_segments_with_the_true_label(winners):
    found, true = np.array(winners).T  # index 3 is background
    names = ("Bell", "Dog", "Cat")
    timeline = timeline_of(found, names)
    judged = agreement(timeline.events, truth_of(true, names), timeline.grid)
    assert judged.share == pytest.approx(np.mean(found == true))
    assert judged.has_same_labels == (set(found) - {3} == set(true) - {3})


@pytest.mark.parametrize(
    ("truth", "share", "verdict"),
    [
        ([Event(0, 2, "Bell", 1)], 1, "agrees"),
        ([Event(0.4, 2.4, "Bell", 1)], 1, "agrees"),  # by the middle of a segment, as in `eval`
        ([Event(0, 2, "Bell", 1), Event(9, 12, "Dog", 1)], 1, "agrees"),  # past the video's end
        ([Event(0, 1, "Bell", 1)], 0.75, "other times"),
        ([Event(0, 2, "Bell", 1), Event(1, 2, "Dog", 1)], 0.75, "other labels"),  # two at once
        ([], 0.5, "other labels"),
    ],
)
def test_what_agrees(truth, share, verdict):
    timeline = timeline_of([0, 0, 2, 2])
    judged = agreement(timeline.events, truth, timeline.grid)
    assert (judged.share, judged.verdict) == (share, verdict)


def test_of_a_long_video_nearly_right_is_not_wholly_right():
    timeline = timeline_of([0] * 999 + [2])
    judged = agreement(timeline.events, truth_of([0] * 1000), timeline.grid)
    assert (judged.percent, judged.verdict) == (99, "other times")


def test_with_truth_the_contents_say_which_videos_are_wrong(tmp_path):
    found = {"right": [0, 0, 2], "shifted": [0, 2, 2], "wrong": [1, 1, 2], "unknown": [1, 2, 2]}
    clips = [
        ReportClip(
            timeline_of(winners, video_id=name),
            None if name == "unknown" else truth_of([0, 0, 2]),
        )
        for name, winners in found.items()
    ]
    _, text = page_of(tmp_path, *clips)
    contents = Page(text[text.index("<nav") : text.index("</nav>") + len("</nav>")])
    words = " ".join(contents.text.split())
    assert (
        "The truth is known of 3 videos: 1 agrees with it throughout, 1 has the true labels at"
        " other times, 1 has other labels: wrong." in words
    )
    links = [a["href"] for a in contents.all("a")]
    assert links == ["#video-3", "#video-1", "#video-2", "#video-3", "#video-4"]
    rows = [
        " ".join(Page(row).text.split()) for row in re.findall(r"<li[ >].*?</li>", text, re.S)[:4]
    ]
    assert rows == [
        "right 3 s score 0.93 sure 100 % agrees true Bell 0–2 s found Bell 0–2 s",
        "shifted 3 s score 0.93 sure 66 % other times true Bell 0–2 s found Bell 0–1 s",
        "wrong 3 s score 0.93 sure 33 % other labels true Bell 0–2 s found Dog 0–2 s",
        "unknown 3 s score 0.93 sure truth unknown found Dog 0–1 s",
    ]
    alone, _ = page_of(tmp_path, clips[1])
    assert "agrees with the truth for 66 % of its length (other times)" in alone.text


@pytest.mark.parametrize("n_wrong", [0, 1, 25])
def test_many_wrong_videos_are_counted(tmp_path, n_wrong):
    clips = [ReportClip(timeline_of([0 if n < n_wrong else 2]), ()) for n in range(30)]
    page, _ = page_of(tmp_path, *clips)
    words = " ".join(page.text.split())
    n_linked = len([a for a in page.all("a") if a["href"].startswith("#video-")]) - 30
    assert n_linked == min(n_wrong, 20)
    assert ("and 5 more." in words) == (n_wrong == 25)
    assert ("0 have other labels." in words) == (n_wrong == 0)
    assert f"{30 - n_wrong} agree with it throughout" in words


def test_every_flag_is_explained_where_it_stands(tmp_path):
    timeline = timeline_of([0], flags=(*FLAGS, "of_a_later_version"))
    page, _ = page_of(tmp_path, ReportClip(timeline))
    words = " ".join(page.text.split())
    for flag, sentence in FLAGS.items():
        assert f"{flag} {sentence}" in words
    assert "of_a_later_version" in words


def test_a_page_has_no_folders_of_the_machine_it_was_made_on(tmp_path):
    """`localize` names videos of one name by their paths, which may be absolute."""
    clips = []
    for folder in ("a", "b"):
        video = tmp_path / "clips" / folder / "clip.mp4"
        names = {"video_id": video.as_posix(), "source": str(video)}
        timeline = timeline_of([0], frame_size=(64, 48), **names)
        clips.append(ReportClip(timeline, video=video, files=[video]))
    for shown in (clips, clips[:1]):
        page, text = page_of(tmp_path, *shown)
        assert str(tmp_path.parent) not in text
        names = ["a/clip.mp4", "b/clip.mp4"] if len(shown) == 2 else ["clip.mp4"]
        assert [video["aria-label"] for video in page.all("video")] == names


@pytest.mark.parametrize(
    ("ids", "names"),
    [
        (["clip", "b/clip.mp4", "../c"], ["clip", "b/clip.mp4", "../c"]),
        (["/d/e/x.mp4", "/d/f/x.mp4", "y"], ["e/x.mp4", "f/x.mp4", "y"]),
        (["/d/x.mp4", "/d/e/x.mp4"], ["x.mp4", "e/x.mp4"]),
        (["/", "/x"], ["/", "x"]),
        ([], []),
    ],
)
def test_names_tell_videos_apart_and_no_more(ids, names):
    assert shown_names(ids) == names


def test_a_page_says_early_that_avloc_made_it(tmp_path):
    page, text = page_of(tmp_path, ReportClip(timeline_of([0])))
    (maker,) = (a["content"] for a in page.all("meta") if a.get("name") == "generator")
    assert maker == f"avloc {version('avloc')}"
    assert text.index('name="generator"') < 200


def test_a_table_too_long_to_read_is_left_to_the_files(tmp_path):
    page, text = page_of(tmp_path, ReportClip(timeline_of([2] * 7201)))
    assert "7201 segments are too many" in page.text
    assert len(text) < 200_000
    page, _ = page_of(tmp_path, ReportClip(timeline_of([2] * 7200)))
    assert len(page.all("tr")) > 7200


def test_the_page_tells_how_it_was_made(tmp_path):
    timeline = timeline_of([0], model="cman", fingerprint="0123abcd")
    page, _ = page_of(tmp_path, ReportClip(timeline), made={"Data": "synth & more"})
    for words in ("A run", "cman", "0123abcd", "synth & more", "avloc "):
        assert words in page.text
    assert page.all("html") == [{"lang": "en"}]
    assert any(meta.get("name") == "viewport" for meta in page.all("meta"))


def test_blocks_stand_where_the_events_are(tmp_path):
    timeline = timeline_of([2, 0, 0, 2])
    page, _ = page_of(
        tmp_path, ReportClip(timeline, [Event(3, 9, "Dog", 1), Event(4, 5, "late", 1)])
    )
    styles = [a["style"] for a in page.all("button") if "left" in a.get("style", "")]
    places = [re.findall(r"(?:left|width): ([\d.]+)%", style) for style in styles]
    assert [[float(v) for v in place] for place in places] == [[75, 25], [25, 50]]  # true, found


def test_a_scroll_region_can_be_reached_by_keyboard(tmp_path):
    page, _ = page_of(tmp_path, full_clip(tmp_path))
    scrolled = ("scroll", "looks")
    regions = [a for a in page.all("div") if a.get("class", "").split(" ")[0] in scrolled]
    assert regions
    assert all(a.get("tabindex") == "0" and a.get("aria-label") for a in regions)
    named = {a["aria-labelledby"] for _, a in page.tags if "aria-labelledby" in a}
    identities = [a["id"] for _, a in page.tags if "id" in a]
    assert named <= set(identities)
    assert len(identities) == len(set(identities))


def test_senses_are_letters_and_words_and_gates_are_not_on_the_page(tmp_path):
    timeline = timeline_of([0, 2, 1], gates=[0.1, 0.5, 0.9], senses=["heard", "unknown"])
    page, text = page_of(tmp_path, ReportClip(timeline))
    letters = [a["class"] for a in page.all("b") if a["class"].startswith("sense ")]
    assert letters == ["sense heard", "sense unknown"] * 2  # time line and table
    assert "H heard, S seen, B both, ? not known" in page.text
    assert "gate" not in page.text.lower()
    assert not re.search("(?i)gate|hear ", text[text.index("<body") : text.index("<script>")])


def test_senses_that_are_not_known_are_explained_once(tmp_path):
    timeline = timeline_of([0, 1], flags=("no_audio",))
    page, _ = page_of(tmp_path, ReportClip(timeline))
    note = "Which sense knows an event is not known: the video has no sound."
    assert page.text.count(note) == 1
    assert not [a for a in page.all("b") if a.get("class", "").startswith("sense")]
    known, _ = page_of(tmp_path, ReportClip(timeline_of([0], senses=["both"])))
    assert "is not known:" not in known.text


def test_events_at_once_have_lanes_and_too_many_are_counted(tmp_path):
    events = tuple(Event(0, 3, f"label {n}", 0.05 + n / 12) for n in range(10))
    timeline = dataclasses.replace(timeline_of([2] * 3), events=events)
    page, _ = page_of(tmp_path, ReportClip(timeline))
    styles = [a["style"] for a in page.all("button") if "--lane" in a.get("style", "")]
    lanes = [int(re.search(r"--lane: (\d+)", style)[1]) for style in styles]
    assert sorted(lanes) == list(range(8))
    assert "2 more found events are not drawn" in page.text
    for word in ("0.80 sure", "0.55 likely", "0.05 unsure"):
        assert word in page.text
    assert len(page.all("tr")) - 1 - 4 == 10  # the table has all


def test_independent_labels_have_no_line_for_no_event(tmp_path):
    def key_of(timeline):
        _, text = page_of(tmp_path, ReportClip(timeline))
        return Page(re.search(r'<ul class="key".*?</ul>', text, re.S)[0]).text

    exclusive = timeline_of([0, 1])
    labels = LabelSet(exclusive.labels.names, kind="independent")
    independent = dataclasses.replace(exclusive, labels=labels, scores=exclusive.scores)
    assert "no event" in key_of(exclusive)
    assert "no event" not in key_of(independent)
