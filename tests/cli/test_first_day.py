"""A new user with videos and no labels learns what is needed, and is not led in a circle."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from commands import Shell
from workspaces import SmallWorkspace

from avloc.cli.app import app

FREE = ("--visual", "efficientnet-lite0", "--audio", "logmel", "--fps", 1)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def films(tmp_path: Path, small_workspace: SmallWorkspace, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a video in it, in which the user is."""
    folder = tmp_path / "films"
    folder.mkdir()
    shutil.copy(small_workspace.clips[0], folder / "film.mp4")
    monkeypatch.chdir(folder)
    return folder


def test_overview_says_that_there_is_no_model(avloc: Shell) -> None:
    shown = " ".join(avloc("--help").out.split())
    assert "avloc brings no trained model" in shown
    assert "avloc demo" in shown
    assert app.info.name == "avloc"


def test_localize_without_a_model_says_what_a_model_takes(avloc: Shell, films: Path) -> None:
    for command in (("localize", "film.mp4", "--model", "cman"), ("eval",)):
        ended = avloc(*command)
        assert ended.code == 1
        for words in ("brings no trained model", "labelled videos", "avloc train", "avloc demo"):
            assert words in ended.err
    assert [path.name for path in films.iterdir()] == ["film.mp4"]


def test_extract_without_labels_says_that_training_needs_them(avloc: Shell, films: Path) -> None:
    ended = avloc("extract", ".", *FREE)
    assert ended.code == 0
    last = ended.err.splitlines()[-1]
    for words in ("no labels", "avloc train", "--dataset", "video, label, start, end, split"):
        assert words in last


def test_extract_with_labels_says_nothing_about_them(
    avloc: Shell, small_workspace: SmallWorkspace
) -> None:
    ended = avloc("extract", small_workspace.data, *FREE, "--artifacts", small_workspace.artifacts)
    assert ended.code == 0
    assert "labels" not in ended.err


def test_an_address_with_nothing_there_is_a_line(avloc: Shell, films: Path) -> None:
    ended = avloc("extract", "memory://none/film.mp4", *FREE)
    assert ended.code == 1
    assert "memory://none/film.mp4: there is no such object, and no folder" in ended.err
    ended = avloc("localize", "memory://none/film.mp4", "gone.mp4", "--out", "results")
    assert "failed: there is no such object: memory://none/film.mp4" in ended.err
    ended = avloc("localize", "memory://none/film.mp4")
    assert ended.code == 2
    assert "Name a folder for them on this machine: --out DIR." in ended.err


@pytest.mark.parametrize("make", ["no file", "no video", "text", "two", "manifest"])
def test_no_line_names_a_file_twice(avloc: Shell, films: Path, make: str) -> None:
    Path("hollow").mkdir()
    Path("text.mp4").write_text("no video")
    Path("fields.csv").write_text("video,lable\nfilm.mp4,Bark\n")
    subject = {
        "no file": ["gone.mp4"],
        "no video": ["hollow"],
        "text": ["text.mp4"],
        "two": ["text.mp4", "film.mp4"],
        "manifest": ["fields.csv"],
    }[make]
    ended = avloc("extract", *subject, *FREE)
    assert ended.code in (1, 3)
    for line in ended.err.splitlines():
        for name in (*subject, "hollow"):
            assert len(re.findall(re.escape(name), line)) <= 1, line


def test_localize_names_a_failed_video_once(
    avloc: Shell, films: Path, small_workspace: SmallWorkspace
) -> None:
    Path("text.mp4").write_text("no video")
    ended = avloc(
        *("localize", "text.mp4", "gone.mp4", "film.mp4"),
        *("--artifacts", small_workspace.artifacts, "--out", "results"),
    )
    assert ended.code == 3
    failed = [line for line in ended.err.splitlines() if line.startswith("failed: ")]
    assert len(failed) == 2
    for name, line in zip(("text.mp4", "gone.mp4"), failed, strict=True):
        assert line.count(name) == 1, line


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_first_screen_says_what_is_needed(page: str) -> None:
    screen = "\n".join((ROOT / page).read_text(encoding="utf-8").splitlines()[:40])
    needed = "no trained model", "localize clip.mp4", " demo", "AVE", "video,label,start,end,split"
    for words in needed:
        assert words in screen, words


def test_no_page_installs_a_name_that_is_not_ours() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "avloc").rglob("*.py")]
    assert len(pages) > 100
    for page in pages:
        assert not re.search(r"pip\S* install ['\"]?avloc", page.read_text(encoding="utf-8")), page
