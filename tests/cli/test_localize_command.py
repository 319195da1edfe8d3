"""``avloc localize`` at the shell: data for pipes, what is kept, what failed, Ctrl-C."""

from __future__ import annotations

import csv
import io
import json
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from commands import Shell
from workspaces import SmallWorkspace

from avloc.artifacts import read_localization, read_model, write_model
from avloc.labels import LabelSet

pytestmark = pytest.mark.usefixtures("models_load_once")


@pytest.fixture
def place(small_workspace: SmallWorkspace) -> tuple[object, ...]:
    return ("--artifacts", small_workspace.artifacts)


def test_out_dash_is_pure_data(
    avloc: Shell, small_workspace: SmallWorkspace, place: tuple[object, ...], tmp_path: Path
) -> None:
    clips = small_workspace.clips[:2]
    ended = avloc("localize", *clips, *place, "-o", "-")
    assert ended.code == 0, ended.err
    rows = [json.loads(line) for line in ended.out.splitlines()]
    assert {row["video_id"] for row in rows} <= {clip.stem for clip in clips}
    ended = avloc("localize", *clips, *place, "--keep", 0, "-o", "-", "--format", "csv")
    table = list(csv.DictReader(io.StringIO(ended.out)))
    assert ended.out.count("video_id") == 1  # one header for all videos
    assert all(float(row["end"]) == 10 for row in table)
    single = avloc("localize", clips[0], *place, "-o", "-", "--format", "json").out
    assert json.loads(single)["video_id"] == clips[0].stem
    listed = ("gone.mp4", *clips, *place, "-o", "-", "--format", "json")
    ended = avloc("localize", *listed)
    assert ended.code == 3
    assert [video["video_id"] for video in json.loads(ended.out)] == [clip.stem for clip in clips]
    assert json.loads(avloc("localize", *place, "gone", "too", *listed[-4:]).out) == []
    assert not list(small_workspace.data.rglob("*.avloc.h5"))


@pytest.mark.parametrize(
    ("formats", "word"),
    [
        (["srt"], "holds one video"),
        (["json", "csv"], "one format"),
        (["cvs"], "Did you mean 'csv'?"),
        (["h5"], "holds one video"),
    ],
)
def test_what_stdout_cannot_take_is_refused_first(
    avloc: Shell,
    small_workspace: SmallWorkspace,
    place: tuple[object, ...],
    formats: list[str],
    word: str,
) -> None:
    options = [word for name in formats for word in ("--format", name)]
    ended = avloc("localize", *small_workspace.clips[:2], *place, "-o", "-", *options)
    assert (ended.code, ended.out) == (2, "")
    assert word in ended.err


def test_a_second_run_says_what_was_there(
    avloc: Shell, small_workspace: SmallWorkspace, place: tuple[object, ...], tmp_path: Path
) -> None:
    command = ("localize", small_workspace.clips[0], *place, "-o", tmp_path)
    first, second = avloc(*command), avloc(*command)
    assert "wrote" in first.err
    assert "already there" in second.err
    assert "wrote" not in second.err
    assert first.out == second.out


def test_a_missing_file_in_a_list_costs_only_itself(
    avloc: Shell,
    small_workspace: SmallWorkspace,
    place: tuple[object, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"gone.mp4\n{small_workspace.clips[0]}\n"))
    ended = avloc("localize", "-", *place, "-o", tmp_path, "--report", tmp_path / "page.html")
    assert ended.code == 3
    assert "failed: gone.mp4 does not exist" in ended.err  # which says the file once
    assert "1 of 2 videos failed" in ended.err
    assert f"wrote {tmp_path / 'page.html'}" in ended.err
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("gone.mp4") == 1
    assert avloc("localize", "gone.mp4", *place).code == 1


def test_a_sound_file_is_answered_and_says_so(
    avloc: Shell, small_workspace: SmallWorkspace, place: tuple[object, ...], tmp_path: Path
) -> None:
    from media_clips import run_ffmpeg

    run_ffmpeg("-i", small_workspace.clips[0], "-vn", tmp_path / "sound.wav")
    made = ("--heatmap", "--figure", "png", "--format", "srt", "--report", tmp_path / "a.html")
    ended = avloc("localize", tmp_path / "sound.wav", *place, *made)
    assert ended.code == 0, ended.err
    assert "has no picture: answered from the sound alone" in " ".join(ended.err.split())
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "sound.wav",
        "sound.avloc.h5",
        "sound.avloc.srt",
        "sound.avloc.written",
        "sound.avloc.figure.png",
        "a.html",
    }
    assert "<audio" in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_an_empty_list_is_not_a_success(
    avloc: Shell, place: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for command in (("localize", "-", *place), ("extract", "-", *place)):
        monkeypatch.setattr("sys.stdin", io.StringIO("\n"))
        ended = avloc(*command)
        assert (ended.code, ended.out) == (1, "")
        assert ended.err.startswith("error: the list on stdin is empty")
        assert ended.err.count("\n") == 1


def test_a_label_with_a_comma_can_be_named(
    avloc: Shell, small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    model = read_model(small_workspace.artifacts / "models" / "cman.h5")
    plain, *others = model.labels.names
    names = ("Violin, fiddle", plain, *others[1:])
    renamed = replace(model, labels=LabelSet(names, model.labels.background))
    write_model(tmp_path / "model.h5", renamed)
    command = ("localize", small_workspace.clips[0], "--model", tmp_path / "model.h5", "-o", "-")
    everything = avloc(*command, "--keep", 0)
    assert everything.code == 0, everything.err
    asked = avloc(*command, "--keep", 0, "--label", "Violin, fiddle", "--label", plain)
    assert asked.code == 0, asked.err
    shown = [json.loads(line)["label"] for line in everything.out.splitlines()]
    left = [json.loads(line)["label"] for line in asked.out.splitlines()]
    assert left == [name for name in shown if name in ("Violin, fiddle", plain)]
    refused = avloc(*command, "--label", "Violin")
    assert refused.code == 2
    assert "Did you mean 'Violin, fiddle'?" in refused.err


def test_a_heat_map_of_somebody_elses_is_refused_with_the_way_out(
    avloc: Shell, small_workspace: SmallWorkspace, place: tuple[object, ...], tmp_path: Path
) -> None:
    clip = Path(shutil.copy(small_workspace.clips[0], tmp_path / "clip.mp4"))
    (tmp_path / "clip.heatmap.mp4").write_text("not avloc's")
    ended = avloc("localize", clip, *place, "--heatmap")
    assert ended.code == 1
    assert "clip.heatmap.mp4 exists and was not written by avloc" in ended.err
    assert ended.err.rstrip().endswith("--out DIR names another folder.")


def test_a_report_that_cannot_be_written_is_refused_first(
    avloc: Shell, small_workspace: SmallWorkspace, place: tuple[object, ...], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    clip, out = small_workspace.clips[0], ("-o", tmp_path / "out")
    ended = avloc("localize", clip, *place, *out, "--report", tmp_path / "file" / "page.html")
    assert ended.code == 1
    assert "page.html cannot be written" in ended.err
    assert not (tmp_path / "out").exists()


def test_a_report_that_fails_in_the_end_hides_no_failure(
    avloc: Shell,
    small_workspace: SmallWorkspace,
    place: tuple[object, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from avloc.cli import localize as command

    page, say = tmp_path / "pages" / "page.html", command.console.say

    def spoil(line: str) -> None:
        """Put a file where the page's folder was, once an answer is there."""
        if line.startswith("wrote") and page.parent.is_dir():
            page.parent.rmdir()
            page.parent.touch()
        say(line)

    monkeypatch.setattr("avloc.cli.console.say", spoil)
    clip = small_workspace.clips[0]
    run = ("localize", "gone.mp4", clip, *place, "-o", tmp_path, "--report", page)
    ended = avloc(*run)
    assert ended.code == 3
    assert (tmp_path / f"{clip.stem}.avloc.h5").exists()
    failed, error = ended.err.splitlines()[-2:]
    assert failed.startswith("failed: gone.mp4 does not exist")
    assert error.startswith("error: 1 of 2 videos were answered, but not the report")


@pytest.mark.parametrize(
    ("command", "word"),
    [
        ("localize", "run the same command again"),
        ("train", "--resume"),
        ("inspect", "interrupted\n"),
    ],
)
def test_ctrl_c_says_how_this_command_goes_on(
    avloc: Shell, command: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    for name in ("localize", "train"):
        monkeypatch.setattr(f"avloc.{name}", interrupt, raising=False)
    monkeypatch.setattr("avloc.artifacts.describe", interrupt)
    ended = avloc(command, *(["clip.mp4"] if command != "train" else []))
    assert ended.code == 130
    assert word in ended.err
    assert ("--resume" in ended.err) == (command == "train")


@pytest.mark.slow
def test_ctrl_c_amid_a_heat_map_leaves_the_answer_and_no_half_file(
    small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    from media_clips import run_ffmpeg

    film = tmp_path / "film.mp4"
    picture, sound = "testsrc=size=640x480:rate=25:duration=40", "sine=duration=40"
    run_ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, film)
    shutil.copy(small_workspace.clips[0], tmp_path / "b.mp4")
    page = tmp_path / "page.html"
    command = [sys.executable, "-m", "avloc", "localize", tmp_path / "b.mp4", film, "--heatmap"]
    options = ["--artifacts", small_workspace.artifacts, "--report", page]
    running = subprocess.Popen(
        [*map(str, command), *map(str, options)], stderr=subprocess.PIPE, text=True
    )
    while not (tmp_path / "film.avloc.h5").exists():
        assert running.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    assert read_localization(tmp_path / "film.avloc.h5").grid.n_segments == 40
    made = {"b.avloc.h5", "b.heatmap.mp4", "film.avloc.h5", "page.html"}
    assert {path.name for path in tmp_path.iterdir()} == {"b.mp4", "film.mp4", *made}
    assert "b.mp4" in page.read_text(encoding="utf-8")


def test_progress_on_a_terminal_tells_the_time_left() -> None:
    pytest.importorskip("pty")
    import os
    import pty

    program = (
        "import time; from avloc.cli import console\n"
        "with console.progress_bar('localize') as progress:\n"
        "    for k in range(30):\n"
        "        progress(k / 30, 1, f'film.mkv: features {k}/30 s'); time.sleep(0.05)\n"
    )
    master, terminal = pty.openpty()
    running = subprocess.Popen([sys.executable, "-c", program], stderr=terminal)
    os.close(terminal)
    shown = b""
    while True:
        try:
            shown += os.read(master, 4096)
        except OSError:
            break
    running.wait()
    assert b"features 29/30 s" in shown
    assert b"0:00:0" in shown  # the time left, once it can be told
