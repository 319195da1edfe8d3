"""The report in a real Chromium, without a network, from a disk."""

import functools
import http.server
import os
import shutil
import threading
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
import pytest
from made_up_pages import N_SECONDS, RATE, clip_of, write_film, write_page
from made_up_timelines import NASTY, timeline_of
from playwright.sync_api import Error, sync_playwright

from avloc.export import ReportClip, report_thumbnails

pytestmark = pytest.mark.slow
FRAME = 1 / RATE
NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="module")
def chromium():
    found = os.environ.get("AVLOC_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        words = "no Chromium on the path (set AVLOC_CHROMIUM): the report was opened by nobody"
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
    assert "hear 0.50" in page.locator(".now").inner_text()
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


def test_a_label_is_shown_as_it_is_and_runs_nothing(page, opened):
    for place in ("h1", "h3", ".track[aria-label='found events']", ".found", ".key"):
        assert NASTY[2] in page.locator(place).first.inner_text()
    assert page.locator("script").count() == 1
    assert page.locator("body b").count() == 0
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
    assert page.locator("video:visible, .scores:visible, .gate:visible").count() == 4
    assert page.locator(".live:visible").count() == 0
    page.locator("summary").click()
    assert "0.91" in page.locator("details").inner_text()


def test_what_cannot_be_played_is_said_and_the_rest_works(opened, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video at all")
    page = opened(write_page(tmp_path, clip_of(broken)).as_uri())
    page.locator(".trouble", has_text="cannot play").wait_for()
    page.locator(".block").last.click()
    assert head(page) == pytest.approx(5.0, abs=0.02)
    assert page.locator(".now .label").inner_text() == NASTY[2]


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
    timeline = timeline_of(winners, gates=np.linspace(0, 1, 3600), frame_size=(64, 48))
    thumbnails = [None] * 3600
    thumbnails[15] = np.zeros((48, 64, 3), np.uint8)
    pictures = report_thumbnails(timeline, thumbnails)
    path = write_page(tmp_path, ReportClip(timeline, thumbnails=pictures, video=film))
    assert path.stat().st_size < 1_500_000
    page = opened(path.as_uri())
    took = page.evaluate("performance.getEntriesByType('navigation')[0].domInteractive")
    assert took < 5000
    assert page.locator(".looks img").count() == 1
    assert page.locator("tr:visible").count() == 181  # the events; the segments stay folded
    longest = "Math.max(...[...document.querySelectorAll('polyline')].map(l => l.points.length))"
    assert page.evaluate(longest) <= 602
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
    for n in (20, 22):  # their videos are fetched when they are asked for
        video = f"document.querySelectorAll('video')[{n}]"
        assert page.evaluate(f"{video}.readyState") == 0
        cards.nth(n).locator(".go").first.click()
        wait_for(page, f"{video}.currentTime > 2.1")
    assert cards.nth(20).locator("video").evaluate("v => v.paused")
    assert not cards.nth(22).locator("video").evaluate("v => v.paused")


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
