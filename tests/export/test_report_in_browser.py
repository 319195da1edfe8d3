"""The report in a real Chromium, without a network, from a disk."""

import functools
import http.server
import os
import shutil
import threading
from contextlib import contextmanager
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from made_up_pages import N_SECONDS, RATE, clip_of, write_film, write_page
from made_up_timelines import NASTY, timeline_of
from playwright.sync_api import Error, sync_playwright

from avloc.colours import SENSE_COLOURS
from avloc.export.pictures import report_thumbnails
from avloc.export.report.report_clips import ReportClip
from avloc.timeline import Event

pytestmark = pytest.mark.slow
FRAME = 1 / RATE
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def chromium():
    found = os.environ.get("AVLOC_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        words = (
            "no Chromium on the path, so no browser has opened the report: install Debian's "
            "package chromium (apt-get install chromium), or name one in $AVLOC_CHROMIUM"
        )
        (pytest.fail if os.environ.get("CI") else pytest.skip)(words)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    return write_film(tmp_path_factory.mktemp("film") / "a film #1?.mp4")


@pytest.fixture
def opened(chromium):
    """Return a function that opens a page; what it complains of fails the test at its end."""
    contexts, complaints = [], []

    def open_page(address, **options):
        context = chromium.new_context(**options)
        contexts.append(context)
        context.set_offline(address.startswith("file:"))
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(dialog.message))
        page.on("request", lambda request: complaints.append(request.url) if is_far(request) else 0)
        page.goto(address)
        return page

    def is_far(request):
        return not request.url.startswith(("file:", "data:", "http://127.0.0.1:"))

    open_page.complaints = complaints
    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(opened, film, tmp_path):
    page = opened(write_page(tmp_path, clip_of(film)).as_uri())
    wait_for(page, "document.querySelector('video').readyState >= 2")
    return page


def wait_for(page, truth):
    """Wait as Playwright's own `wait_for_function` may not: the page forbids eval."""
    for _ in range(400):
        if page.evaluate(truth):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"it never came true: {truth}")


def moment(page):
    return page.evaluate("document.querySelector('video, audio').currentTime")


def is_paused(page):
    return page.evaluate("document.querySelector('video').paused")


def head(page):
    """Return where the playhead stands, in seconds, by the pixels of the time line."""
    line, head = page.locator(".over").bounding_box(), page.locator(".head").bounding_box()
    return (head["x"] + head["width"] / 2 - line["x"]) / line["width"] * N_SECONDS


# how far the playhead stands from what plays, in seconds, both read in one moment
LAG = f"""() => {{
    const moment = document.querySelector("video").currentTime;
    const head = parseFloat(document.querySelector(".head").style.left);
    return Math.abs(head / 100 * {N_SECONDS} - moment);
}}"""


# how often the player tells its time within a second, and how often the playhead moves
MOVES = """() => new Promise((done) => {
    let told = 0, moved = 0;
    const count = new MutationObserver((moves) => { moved += moves.length; });
    count.observe(document.querySelector(".head"), { attributeFilter: ["style"] });
    document.querySelector("video").addEventListener("timeupdate", () => { told += 1; });
    setTimeout(() => done([told, moved]), 1000);
})"""


def places_sought(page):
    """Record every moment that the player is sent to."""
    page.evaluate(
        """() => {
            window.sought = [];
            const video = document.querySelector("video");
            video.addEventListener("seeking", () => window.sought.push(video.currentTime));
        }"""
    )
    return lambda: page.evaluate("window.sought")


@pytest.mark.parametrize("where", [".track[aria-label='found events']", ".found"])
def test_an_event_plays_from_its_start(page, where):
    sought = places_sought(page)
    button = page.locator(where).locator("button", has_text=NASTY[0]).first
    button.click()
    wait_for(page, "window.sought.length > 0")
    assert sought()[0] == pytest.approx(2.0, abs=FRAME)
    wait_for(page, "document.querySelector('video').currentTime > 2.3")  # it plays on
    n_told, n_moved = page.evaluate(MOVES)
    assert n_moved > 2 * n_told > 0  # smoothly, not four times a second
    page.evaluate("document.querySelector('video').pause()")
    wait_for(page, "document.querySelector('video').paused")
    page.wait_for_timeout(100)
    assert head(page) == pytest.approx(moment(page), abs=0.05)
    assert page.locator(".now .label").inner_text() == NASTY[0]
    assert page.locator("[aria-current]").count() == 3  # the block, the row and the picture


def test_events_at_once_are_named_and_marked_together(opened, tmp_path):
    events = (
        Event(0, 4, "Bell", 0.95, "heard", 0.9, 0.1),
        Event(1, 5, "Dog", 0.4, "seen", 0.1, 0.8),
    )
    timeline = replace(timeline_of([2] * 6), events=events)
    page = opened(write_page(tmp_path, ReportClip(timeline)).as_uri())
    upper, lower = (page.locator(".block").nth(n).bounding_box() for n in (0, 1))
    assert upper["y"] + upper["height"] <= lower["y"] + 0.5
    colours = [
        page.locator(".block").nth(n).evaluate("b => getComputedStyle(b).backgroundColor")
        for n in (0, 1)
    ]
    assert len(set(colours)) == 2
    page.locator(".block").nth(1).click()
    assert page.locator(".now .label").inner_text() == "Bell, Dog"  # the surer one first
    assert page.locator(".now .sense").inner_text() == "H"
    assert page.locator(".block[aria-current]").count() == 2
    said = page.locator(".said").inner_text()
    assert said == "Bell, score 0.95 sure, heard; Dog, score 0.40 unsure, seen"
    assert page.locator(".block .sense").all_inner_texts() == ["H", "S"]
    assert "seen 0.80" in page.locator(".found").inner_text()


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_an_event_is_pressed_by_key(page, key):
    page.get_by_role("button", name=NASTY[0] + ", 2 s to 4 s").focus()
    page.keyboard.press(key)
    wait_for(page, "!document.querySelector('video').paused")
    assert moment(page) >= 2.0 - FRAME


def test_a_picture_and_the_plot_go_there_and_stay_still(page):
    page.locator(".looks img").nth(3).click()
    assert moment(page) == pytest.approx(3.0, abs=FRAME)
    assert head(page) == pytest.approx(3.0, abs=0.02)
    plot = page.locator(".scores")
    box = plot.bounding_box()
    plot.click(position={"x": box["width"] * 0.75, "y": 20})
    assert moment(page) == pytest.approx(4.5, abs=0.02)
    assert head(page) == pytest.approx(4.5, abs=0.02)
    assert is_paused(page)
    assert page.locator(".now").inner_text().split()[:2] == ["4.5", "s"]
    assert "heard 0.50" in page.locator(".now").inner_text()
    values = page.locator(".key li", has_text=NASTY[0]).locator(".value")
    assert values.inner_text() == "0.01"
    page.locator(".looks img").nth(2).click()
    assert values.inner_text() == "0.91"  # 0.9 and its share of 0.1 among seven
    page.locator(".scores").click(position={"x": box["width"] * 0.75, "y": 20})
    page.locator(".word", has_text="scores").click()  # beside the time line
    assert moment(page) == pytest.approx(4.5, abs=0.02)


def test_arrow_keys_step_from_event_to_event(page):
    first = page.locator(".track[aria-label='found events'] button").first
    first.focus()
    for key, there in (("ArrowRight", 5.0), ("ArrowRight", 5.0), ("ArrowLeft", 2.0), ("End", 5.0)):
        page.keyboard.press(key)
        assert moment(page) == pytest.approx(there, abs=FRAME)
        name = page.evaluate("document.activeElement.getAttribute('aria-label')")
        assert name.startswith({2.0: NASTY[0], 5.0: NASTY[2]}[there])
    assert is_paused(page)


def test_tab_reaches_everything_and_shows_where_it_is(page):
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                """() => {
                    const at = document.activeElement, look = getComputedStyle(at);
                    const isOurs = at.matches("a, button, summary, [tabindex]");
                    if (isOurs && look.outlineStyle === "none")
                        return "no outline: " + at.outerHTML;
                    return at.closest("[class]")?.className + " " + at.tagName;
                }"""
            )
        )
    for stop in ("looks DIV", "block BUTTON", "go BUTTON", "clip SUMMARY", "files A", "VIDEO"):
        assert any(stop in place for place in seen), (stop, seen)
    assert not [place for place in seen if place.startswith("no outline")]
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    named = page.get_by_role("button").all()
    assert len(named) == page.locator("button").count()
    assert not page.locator("button:disabled").count()
    snapshot = page.locator("body").aria_snapshot()
    assert "- button\n" not in snapshot  # a button with no name
    assert "- img\n" not in snapshot
    assert page.locator("img:not([alt]), img[alt='']").count() == 0


def test_the_playhead_and_the_words_move_with_the_player(page):
    page.evaluate("document.querySelector('video').currentTime = 5.4")
    wait_for(page, "!document.querySelector('video').seeking")
    page.wait_for_timeout(100)
    assert head(page) == pytest.approx(5.4, abs=0.02)
    assert page.locator(".said").inner_text().startswith(NASTY[2])  # for those who listen
    page.evaluate("document.querySelector('video').currentTime = 0.5")
    wait_for(page, "document.querySelector('.said').textContent === 'no event'")


def test_the_playhead_steps_where_motion_is_not_wanted(opened, film, tmp_path):
    page = opened(write_page(tmp_path, clip_of(film)).as_uri(), reduced_motion="reduce")
    page.locator(".go").first.click()
    wait_for(page, "document.querySelector('video').currentTime > 3")
    assert page.evaluate(LAG) < 0.6  # a player tells its time four times a second


def test_letters_of_the_senses_have_their_whole_colour(page):
    looks = page.evaluate(
        """() => [...document.querySelectorAll(".sense:not([hidden])")].map((letter) => [
            letter.className.split(" ").at(-1),
            getComputedStyle(letter).backgroundColor,
            getComputedStyle(letter).opacity,
        ])"""
    )
    assert {name for name, _, _ in looks} >= {"heard", "both"}
    for name, colour, opacity in looks:
        assert colour == f"rgb{SENSE_COLOURS[name]}"
        assert opacity == "1"


def test_a_label_is_shown_as_it_is_and_runs_nothing(page, opened):
    for place in ("h1", "h3", ".track[aria-label='found events']", ".found", ".key"):
        assert NASTY[2] in page.locator(place).first.inner_text()
    assert page.locator("script").count() == 1
    assert page.locator("body b:not(.sense)").count() == 0
    # and were it markup, the page's policy would refuse to run it
    ran = page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.ran = true";
            document.body.append(script);
            return Boolean(window.ran);
        }"""
    )
    assert not ran
    assert "Content Security Policy" in opened.complaints.pop()


# what is wider than its place and cannot be scrolled to
CUT = """() => [...document.querySelectorAll("h1, h3, p:not(.unseen), .toc li, .key li, dd")]
    .filter((at) => at.scrollWidth > at.clientWidth + 1)
    .map((at) => at.outerHTML.slice(0, 200))"""


@pytest.mark.parametrize("n_clips", [0, 2])
def test_a_phone_scrolls_one_way_only(opened, film, tmp_path, n_clips):
    long = "long_unbroken_name_" * 6
    clips = [clip_of(film, video_id=long), *[ReportClip(timeline_of([0], [long]))] * n_clips]
    page = opened(
        write_page(tmp_path, *clips).as_uri(),
        viewport={"width": 360, "height": 740},
        is_mobile=True,
        has_touch=True,
    )
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
    width = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1] == 360
    assert page.evaluate(CUT) == []
    page.locator(".go").first.tap()
    assert moment(page) >= 2.0 - FRAME


def test_without_javascript_the_page_says_the_same(opened, film, tmp_path):
    address = write_page(tmp_path, clip_of(film)).as_uri()
    page = opened(address, java_script_enabled=False)
    for words in (NASTY[0], NASTY[2], "Found events", "True events", "How this was made"):
        assert words in page.locator("body").inner_text()
    assert page.locator(".found button:visible").count() == 3
    assert page.locator("button:enabled").count() == 0  # nothing that looks alive and is not
    assert page.locator("video:visible, .scores:visible, .half:visible").count() == 4
    assert page.locator(".live:visible").count() == 0
    page.locator("summary").click()
    assert "0.91" in page.locator("details").inner_text()


def test_what_cannot_be_played_is_said_and_the_rest_works(opened, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video at all")
    page = opened(write_page(tmp_path, clip_of(broken)).as_uri())
    page.locator(".trouble", has_text="broken.mp4 cannot be played").wait_for()
    assert not page.locator("video").is_visible()
    page.locator(".block").last.click()
    assert head(page) == pytest.approx(5.0, abs=0.02)
    assert page.locator(".now .label").inner_text() == NASTY[2]


def missing(opened):
    """Take the browser's own complaints of missing files from those that fail a test."""
    is_missing = [text for text in opened.complaints if "ERR_FILE_NOT_FOUND" in text]
    opened.complaints[:] = [text for text in opened.complaints if text not in is_missing]
    return len(is_missing)


@pytest.mark.parametrize("n_clips", [1, 12])
def test_a_page_without_its_videos_says_so(opened, tmp_path, n_clips):
    """A player of nothing would look like a video of nothing; of many, each as it is read."""
    clips = [clip_of(tmp_path / f"gone {n}.mp4", video_id=f"clip {n}") for n in range(n_clips)]
    page = opened(write_page(tmp_path, *clips).as_uri())
    last = page.locator("article.clip").nth(n_clips - 1)
    last.locator("h3").scroll_into_view_if_needed()
    last.locator(".trouble", has_text=f"gone {n_clips - 1}.mp4 cannot be played").wait_for()
    assert not last.locator("video").is_visible()
    assert "lie beside this page" in page.locator(".hint").inner_text()
    last.locator(".block").last.click()
    assert last.locator(".now .label").inner_text() == NASTY[2]
    assert 1 <= missing(opened) < max(n_clips, 2)  # those far from the screen were not asked for


def test_a_sound_has_a_player_too(opened, tmp_path):
    sound = write_film(tmp_path / "tone.m4a", sound_only=True)
    page = opened(write_page(tmp_path, clip_of(sound, frame_size=None)).as_uri())
    wait_for(page, "document.querySelector('audio').readyState >= 1")
    page.locator(".scores").click()
    assert moment(page) == pytest.approx(3.0, abs=0.05)
    assert page.locator(".trouble").inner_text() == ""


def test_a_clip_without_a_video_can_be_read_along_its_time_line(opened, tmp_path):
    clip = ReportClip(timeline_of([2, 0, 2], segment_seconds=Fraction(1, 3)))
    page = opened(write_page(tmp_path, clip).as_uri())
    page.locator(".block").click()
    assert page.locator(".now .label").inner_text() == "Bell"
    assert page.locator(".clock").inner_text() == "0.3 s"


def test_an_hour_opens_quickly(opened, film, tmp_path):
    winners = np.repeat(np.tile([2, 0, 2, 1], 90), 10)
    rising = np.linspace(0, 1, 2 * 3600).reshape(3600, 2)
    senses = {"heard": rising, "seen": 1 - rising, "senses": ["heard", "both"]}
    timeline = timeline_of(winners, **senses, frame_size=(64, 48))
    pictures = report_thumbnails(timeline, {15: np.zeros((48, 64, 3), np.uint8)})
    path = write_page(tmp_path, ReportClip(timeline, thumbnails=pictures, video=film))
    assert path.stat().st_size < 1_500_000
    page = opened(path.as_uri())
    took = page.evaluate("performance.getEntriesByType('navigation')[0].domInteractive")
    assert took < 5000
    assert page.locator(".looks img").count() == 1
    assert page.locator("tr:visible").count() == 181  # the events; the segments stay folded
    lengths = "[...document.querySelectorAll('path.score')].map(l => l.getAttribute('d').length)"
    assert 0 < max(page.evaluate(lengths)) < 3600 * 12
    assert page.locator(".times").inner_text().split()[-1] == "1:00:00"
    page.locator(".go").last.scroll_into_view_if_needed()
    assert page.locator(".go").last.is_visible()


def test_a_folder_has_contents_and_one_player_at_a_time(opened, film, tmp_path):
    clips = [clip_of(film, video_id=f"clip {n}") for n in range(30)]
    page = opened(write_page(tmp_path, *clips).as_uri())
    assert page.locator(".toc li").count() == 30
    assert NASTY[0] in page.locator(".toc li").nth(20).inner_text()
    page.locator(".toc a", has_text="clip 20").click()
    cards = page.locator("article.clip")
    assert cards.nth(20).locator("h3").evaluate("h => h.getBoundingClientRect().top") < 200
    for n in (4, 28):  # a video is fetched when its card is on the screen
        assert page.evaluate(f"document.querySelectorAll('video')[{n}].readyState") == 0
    for n in (20, 22):
        video = f"document.querySelectorAll('video')[{n}]"
        cards.nth(n).locator(".go").first.click()
        wait_for(page, f"{video}.currentTime > 2.1")
    assert cards.nth(20).locator("video").evaluate("v => v.paused")
    assert not cards.nth(22).locator("video").evaluate("v => v.paused")


def index_of(page):
    return [row.locator("a").inner_text() for row in page.locator(".toc li").all()]


def judged_clips(film):
    """Return clips that are wrong, right, late and of unknown truth, with rising scores."""
    truth = {"wrong": [3] * 6, "right": [0, 0, 2, 2, 2, 2], "late": [2, 2, 0, 0, 2, 2]}
    clips = []
    for n, name in enumerate([*truth, "unknown"]):
        timeline = timeline_of([0, 0, 2, 2, 2, 2], video_id=name, frame_size=(64, 48))
        events = [Event(0, 2, "Bell", 0.9 - 0.1 * n)]
        timeline = replace(timeline, events=tuple(events))
        names = ("Bell", "Dog", "Cat")
        known = [names[k] if k < 2 else None for k in truth.get(name, ())]
        true = [Event(t, t + 1, label, 1) for t, label in enumerate(known) if label]
        if name == "wrong":
            true = [Event(0, 2, "Dog", 1)]
        clips.append(ReportClip(timeline, true if name in truth else None, video=film))
    return clips


def test_the_wrong_videos_come_first_when_asked(opened, film, tmp_path):
    page = opened(write_page(tmp_path, *judged_clips(film)).as_uri())
    given = ["wrong", "right", "late", "unknown"]
    assert index_of(page) == given
    page.get_by_role("button", name="least agreement").press("Enter")
    assert index_of(page) == ["late", "wrong", "right", "unknown"]
    assert page.locator("[aria-pressed=true]").inner_text() == "least agreement"
    page.get_by_role("button", name="lowest score").click()
    assert index_of(page) == given[::-1]
    page.get_by_role("button", name="the page").click()
    assert index_of(page) == given


def test_the_wrong_videos_are_marked_without_javascript(opened, film, tmp_path):
    page = opened(
        write_page(tmp_path, *judged_clips(film)).as_uri(),
        java_script_enabled=False,
        viewport={"width": 360, "height": 740},
    )
    verdicts = [" ".join(v.split()) for v in page.locator(".verdict").all_inner_texts()]
    assert verdicts == ["66 % other labels", "100 % agrees", "33 % other times", "truth unknown"]
    assert page.get_by_role("link", name="wrong").count() == 2  # in the summary, in its row
    rows = page.locator(".toc li").all_inner_texts()
    assert "Dog" in rows[0]
    assert "score 0.90" in rows[0]
    assert page.locator(".sort:visible").count() == 0
    for row in page.locator(".toc li").all():
        assert row.bounding_box()["width"] <= 360


FILM_SECONDS = 1800


@pytest.fixture
def film_page(opened, tmp_path):
    """Return a function that opens a page of half an hour with 124 events, and no video."""
    winners = np.full(FILM_SECONDS, 2)
    for k in range(124):
        winners[14 * k + 5 : 14 * k + 6 + k % 9] = k % 2
    rising = np.linspace(0, 1, 2 * FILM_SECONDS).reshape(FILM_SECONDS, 2)
    timeline = timeline_of(winners, heard=rising, seen=1 - rising)
    path = write_page(tmp_path, ReportClip(timeline, timeline.events[::2]))
    return lambda **options: opened(path.as_uri(), **options)


def shown_seconds(page):
    """Return the seconds that the time line shows, by the pixels of what it draws."""
    strip, over = page.locator(".strip").bounding_box(), page.locator(".over").bounding_box()
    left = page.locator(".word").first.bounding_box()
    edges = (max(left["x"] + left["width"], over["x"]), strip["x"] + strip["width"])
    return [(edge - over["x"]) / over["width"] * FILM_SECONDS for edge in edges]


def test_a_long_time_line_is_zoomed_by_buttons(film_page):
    page = film_page()
    assert shown_seconds(page) == pytest.approx([0, FILM_SECONDS], abs=2)
    page.locator(".block").nth(100).click()  # of the found: 100 - 62 true ones
    moment = 14 * 38 + 5
    for n in range(1, 5):
        page.get_by_role("button", name="Zoom in").click()
        start, end = shown_seconds(page)
        assert end - start == pytest.approx(FILM_SECONDS / 2**n, rel=0.02)
        assert start <= moment <= end  # what was looked at stays on the screen
    assert page.locator(".zoom [role=status]").inner_text() == "zoomed 16 times"
    ticks = [tick for tick in page.locator(".times span").all() if is_within(tick, page)]
    assert 4 <= len(ticks) <= 12
    for tick in ticks:  # and each stands at its moment
        minutes, seconds = tick.inner_text().split(":")
        box, over = tick.bounding_box(), page.locator(".over").bounding_box()
        at = (box["x"] + box["width"] / 2 - over["x"]) / over["width"] * FILM_SECONDS
        assert at == pytest.approx(60 * int(minutes) + int(seconds), abs=0.5)
    page.locator(".scores").scroll_into_view_if_needed()
    strip = page.locator(".strip").bounding_box()
    page.mouse.click(strip["x"] + strip["width"] - 10, strip["y"] + 90)
    assert page.locator(".clock").inner_text() != "0:00"
    minutes, seconds = page.locator(".clock").inner_text().split(":")
    assert 60 * int(minutes) + int(seconds) == pytest.approx(shown_seconds(page)[1], abs=4)
    page.get_by_role("button", name="all").click()
    assert shown_seconds(page) == pytest.approx([0, FILM_SECONDS], abs=2)
    assert page.locator(".times span").count() == 7


def is_within(tick, page):
    strip, box = page.locator(".strip").bounding_box(), tick.bounding_box()
    return strip["x"] + 70 < box["x"] and box["x"] + box["width"] < strip["x"] + strip["width"]


def test_a_long_time_line_is_zoomed_by_keys(film_page):
    page = film_page()
    page.locator(".track[aria-label='found events'] button").first.focus()
    for _ in range(9):
        page.keyboard.press("+")
    start, end = shown_seconds(page)
    assert end - start == pytest.approx(FILM_SECONDS / 64, rel=0.02)  # and no further
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    start, end = shown_seconds(page)
    assert start <= 14 * 30 + 5 <= end  # it follows from event to event
    page.locator(".strip").focus()
    before = shown_seconds(page)[0]
    page.keyboard.press("ArrowRight")  # scrolls, as any region does
    for _ in range(40):
        if shown_seconds(page)[0] > before:
            break
        page.wait_for_timeout(50)
    assert shown_seconds(page)[0] > before
    page.keyboard.press("-")
    assert np.ptp(shown_seconds(page)) == pytest.approx(FILM_SECONDS / 32, rel=0.02)
    page.keyboard.press("0")
    assert shown_seconds(page) == pytest.approx([0, FILM_SECONDS], abs=2)
    page.keyboard.press("-")
    assert shown_seconds(page) == pytest.approx([0, FILM_SECONDS], abs=2)


def test_a_finger_moves_a_zoomed_time_line_and_taps_it(film_page):
    page = film_page(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    for _ in range(4):
        page.get_by_role("button", name="Zoom in").tap()
    page.locator(".scores").scroll_into_view_if_needed()
    strip = page.locator(".strip").bounding_box()
    x, y = strip["x"] + 200, strip["y"] + 80
    page.touchscreen.tap(x, y)
    over = page.locator(".over").bounding_box()
    seconds = (x - over["x"]) / over["width"] * FILM_SECONDS
    minute, second = map(int, page.locator(".clock").inner_text().split(":"))
    assert 60 * minute + second == pytest.approx(seconds, abs=3)  # of 112
    down = "new PointerEvent('pointerdown', {pointerType: 'touch', buttons: 1, bubbles: true,"
    page.locator(".scores").evaluate(
        f"at => at.dispatchEvent({down} clientX: 340, clientY: {y}}}))"
    )
    assert page.locator(".clock").inner_text() == f"{minute}:{second:02}"
    width = page.evaluate("[document.scrollingElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1]


def test_without_javascript_the_whole_time_line_is_there(film_page):
    page = film_page(java_script_enabled=False)
    assert shown_seconds(page) == pytest.approx([0, FILM_SECONDS], abs=2)
    assert page.locator(".zoom:visible").count() == 0
    assert page.locator(".block").count() == 124 + 62
    boxes = [block.bounding_box() for block in page.locator(".block").all()[::20]]
    strip = page.locator(".strip").bounding_box()
    assert all(strip["x"] < box["x"] < strip["x"] + strip["width"] for box in boxes)


def test_a_short_time_line_has_nothing_to_zoom(page):
    assert page.locator(".zoom").count() == 0
    before = page.locator(".over").bounding_box()["width"]
    page.locator(".block").first.focus()
    page.keyboard.press("+")
    assert page.locator(".over").bounding_box()["width"] == before


def test_a_flag_is_explained_to_those_who_only_touch(opened, film, tmp_path):
    clip = clip_of(film, flags=("late_audio",))
    page = opened(write_page(tmp_path, clip).as_uri(), is_mobile=True, has_touch=True)
    assert page.locator(".flags:visible").inner_text().split("\n") == [
        "late_audio the sound begins after the picture: silence before it"
    ]


@contextmanager
def served(folder):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words):
            pass

    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_same_page_works_from_a_server(opened, film, tmp_path):
    video = shutil.copy(film, tmp_path / "film.mp4")
    write_page(tmp_path, clip_of(video))
    with served(tmp_path) as address:
        page = opened(f"{address}/report.html")
        wait_for(page, "document.querySelector('video').readyState >= 1")
        with pytest.raises(Error, match="fetch"):
            page.evaluate("() => fetch('/report.html')")
        assert "Content Security Policy" in opened.complaints.pop(0)
        opened.complaints.clear()  # the failed fetch, said a second way
        page.close()
