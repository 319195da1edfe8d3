"""A user's mistake is one clear line, the right exit code, and nothing half-written."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import pytest
from commands import Ended, Shell
from format1_files import write_old_model
from format2_files import write_localization_2, write_model_2, write_predictions_2
from workspaces import SmallWorkspace

from avloc.artifacts import ModelFile, read_model, write_model

FREE = ("--visual", "efficientnet-lite0", "--audio", "logmel", "--fps", 1)


def assert_one_line(ended: Ended, code: int, *words: str) -> None:
    """Check the exit code, that the complaint is one line, and what it says."""
    assert ended.code == code, ended.err
    assert ended.out == ""
    lines = [line for line in ended.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert ended.err.splitlines()[-1] == lines[0]
    assert "Traceback" not in ended.err
    assert [word for word in words if word not in lines[0]] == []


def test_folder_with_no_video(avloc: Shell, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("nothing to see")
    ended = avloc("extract", tmp_path / "empty", "--artifacts", tmp_path / "artifacts", *FREE)
    assert_one_line(ended, 1, "empty")
    assert not (tmp_path / "artifacts").exists()


def test_path_that_does_not_exist(avloc: Shell, tmp_path: Path) -> None:
    ended = avloc("extract", tmp_path / "nowhere", "--artifacts", tmp_path / "a", *FREE)
    assert_one_line(ended, 1, "nowhere")
    assert not (tmp_path / "a").exists()


def test_text_file_named_mp4_alone(avloc: Shell, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("I am no video")
    ended = avloc("extract", tmp_path / "text.mp4", "--artifacts", tmp_path / "a", *FREE)
    assert_one_line(ended, 1, "no video could be extracted")
    assert "text.mp4" in ended.err
    assert list((tmp_path / "a").rglob("*.h5")) == []
    assert '"video_id": "text"' in (tmp_path / "a" / "features" / "failures.jsonl").read_text()


def test_text_file_among_videos_costs_only_itself(
    avloc: Shell, tmp_path: Path, small_workspace: SmallWorkspace
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "good.mp4").symlink_to(small_workspace.clips[0])
    (tmp_path / "in" / "text.mp4").write_text("I am no video")
    ended = avloc("extract", tmp_path / "in", "--artifacts", tmp_path / "a", *FREE)
    assert_one_line(ended, 3, "1 extracted", "1 failed")
    assert (tmp_path / "a" / "features" / "videos" / "good.h5").exists()
    again = avloc("extract", tmp_path / "in", "--artifacts", tmp_path / "a", *FREE)
    assert_one_line(again, 3, "1 already there", "1 failed")


def test_unknown_encoders_are_answered_with_the_nearest(avloc: Shell, tmp_path: Path) -> None:
    (tmp_path / "v.mp4").write_text("")
    for option, name, near in (
        ("--visual", "resnet15", "resnet152"),
        ("--audio", "vgish", "vggish"),
    ):
        wrong = [*FREE, option, name]
        ended = avloc("extract", tmp_path / "v.mp4", "--artifacts", tmp_path / "a", *wrong)
        assert_one_line(ended, 2, name, f"Did you mean '{near}'?")
    assert not (tmp_path / "a").exists()


def test_missing_weights_name_file_url_hash_and_folder(
    avloc: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVLOC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    (tmp_path / "v.mp4").write_text("")
    ended = avloc(
        "extract",
        tmp_path / "v.mp4",
        "--artifacts",
        tmp_path / "a",
        "--audio",
        "logmel",
        "--offline",
    )
    assert_one_line(
        ended,
        1,
        "resnet152-394f9c45.pth",
        "https://download.pytorch.org/models/resnet152-394f9c45.pth",
        "sha256 begins 394f9c45",
        str(tmp_path / "cache"),
        "--weights DIR",
        "efficientnet-lite0",
        "logmel",
    )
    assert not (tmp_path / "a").exists()


def test_unknown_model_and_setting(avloc: Shell, small_workspace: SmallWorkspace) -> None:
    place = ("--artifacts", small_workspace.artifacts)
    assert_one_line(avloc("train", *place, "--model", "cmann"), 2, "cmann", "Did you mean 'cman'?")
    ended = avloc("train", *place, "--set", "learning_rat=1")
    assert_one_line(ended, 2, "Did you mean 'learning_rate'?")
    assert_one_line(avloc("train", *place, "--set", "epochs"), 2, "KEY=VALUE")
    assert_one_line(avloc("train", *place, "--set", "epochs=many"), 2, "epochs", "many")
    assert_one_line(avloc("eval", *place, "--model", "cmam"), 1, "no model", "cman")


def test_a_command_that_comes_too_early_names_the_command_before_it(
    avloc: Shell, tmp_path: Path
) -> None:
    place = ("--artifacts", tmp_path / "a")
    assert_one_line(avloc("train", *place), 1, "no feature store", "avloc extract", "labelled")
    assert_one_line(avloc("eval", *place), 1, "no model", "avloc train")
    (tmp_path / "v.mp4").write_text("")
    ended = avloc("localize", tmp_path / "v.mp4", *place, "--model", "cman")
    assert_one_line(ended, 1, "no model", "avloc train", "--model open")
    assert not (tmp_path / "a").exists()


def test_model_given_where_features_are_wanted(
    avloc: Shell, tmp_path: Path, small_workspace: SmallWorkspace
) -> None:
    model = small_workspace.artifacts / "models" / "cman.h5"
    (tmp_path / "features").symlink_to(model)
    assert_one_line(avloc("train", "--artifacts", tmp_path), 1, "features", "is a file")
    features = next((small_workspace.artifacts / "features" / "videos").glob("*.h5"))
    ended = avloc("eval", "--artifacts", small_workspace.artifacts, "--model", features)
    assert_one_line(ended, 1, "holds features", "model is wanted")


def test_features_of_another_fingerprint_never_mix(
    avloc: Shell, tmp_path: Path, small_workspace: SmallWorkspace
) -> None:
    clip = small_workspace.clips[0]
    other = ("--visual", "efficientnet-lite0", "--audio", "logmel", "--fps", 2)
    ended = avloc("extract", clip, "--artifacts", small_workspace.artifacts, *other)
    assert_one_line(ended, 1, "fps: 2 here, 1 there", "another folder")
    assert avloc("extract", clip, "--artifacts", tmp_path, *other).code == 0
    model = small_workspace.artifacts / "models" / "cman.h5"
    ended = avloc(
        "eval", "--artifacts", tmp_path, "--model", model, "--dataset", small_workspace.data
    )
    assert_one_line(ended, 1, "trained on", "Extract")
    assert not (tmp_path / "predictions").exists()


def test_name_that_begins_with_a_dash(
    avloc: Shell, tmp_path: Path, small_workspace: SmallWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("-xyz.mp4").symlink_to(small_workspace.clips[0])
    place = ("--artifacts", small_workspace.artifacts)
    assert_one_line(avloc("localize", "-xyz.mp4", *place), 2, "./-xyz.mp4", "--")
    assert avloc("localize", *place, "./-xyz.mp4").code == 0
    assert avloc("localize", *place, "--", "-xyz.mp4").code == 0
    assert Path("-xyz.avloc.h5").exists()


def test_unwritable_output(avloc: Shell, tmp_path: Path, small_workspace: SmallWorkspace) -> None:
    (tmp_path / "file").write_text("")
    clip = small_workspace.clips[0]
    ended = avloc("extract", clip, "--artifacts", tmp_path / "file" / "a", *FREE)
    assert_one_line(ended, 1, "cannot be written")
    place = ("--artifacts", small_workspace.artifacts)
    ended = avloc("localize", clip, *place, "--out", tmp_path / "file" / "out")
    assert_one_line(ended, 1, "cannot be written", "--out DIR")
    assert_one_line(avloc("train", *place, "--name", "../elsewhere"), 2, "not a plain name")


def test_unknown_format_split_and_device(avloc: Shell, small_workspace: SmallWorkspace) -> None:
    place = ("--artifacts", small_workspace.artifacts)
    clip = small_workspace.clips[0]
    assert_one_line(avloc("localize", clip, *place, "--format", "srtt"), 2, "Did you mean 'srt'?")
    assert_one_line(avloc("eval", *place, "--format", "jso"), 2, "Did you mean 'json'?")
    assert_one_line(avloc("eval", *place, "--split", "tset"), 2, "Did you mean 'test'?")
    assert_one_line(avloc("eval", *place, "--device", "gpu"), 2, "gpu")


def test_inspect_refuses_what_is_not_avlocs(avloc: Shell, tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("hello")
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["x"] = [1]
    assert_one_line(avloc("inspect", tmp_path / "text.h5"), 1, "text.h5")
    assert_one_line(avloc("inspect", tmp_path / "foreign.h5"), 1, "foreign.h5")
    assert_one_line(avloc("inspect", tmp_path / "none.h5"), 1, "none.h5")
    assert_one_line(avloc("inspect", tmp_path), 1, "no feature store")


def test_fault_of_avloc_itself_is_one_line_and_a_traceback_on_request(
    avloc: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("avloc.artifacts.describe", broken)
    ended = avloc("inspect", tmp_path / "x.h5")
    assert_one_line(ended, 1, "ZeroDivisionError: a bug", "--traceback")
    assert "Traceback" in avloc("--traceback", "inspect", tmp_path / "x.h5").err


WEAK = "AVE/test00000.mp4,ringing disc,,,test\n"
WEAK_TRAINING = "".join(f"AVE/train0000{k}.mp4,ringing disc,,,train\n" for k in range(4))
SEVERAL = "AVE/test00000.mp4,ringing disc,0,3,test\nAVE/test00000.mp4,hissing square,1,4,test\n"


@pytest.mark.parametrize(
    ("command", "name", "text", "words"),
    [
        ("eval", "m.csv", "AVE/test00000.mp4,ringing disc,0,3,test,haerd\n", ["line 2", "'heard'"]),
        ("eval", "m.csv", SEVERAL, ["several events at once", "labels=independent"]),
        ("eval", "m.csv", WEAK, ["no video of test", "labels with times"]),
        ("train", "m.csv", WEAK_TRAINING, ["with times", "supervision=weak"]),
        ("eval", "m.json", '{"hello": 1}', ["Label Studio's exports"]),
        ("eval", "m.json", "[1]", ["line 1", "a task is 1"]),
    ],
)
def test_labels_that_a_command_cannot_use(
    avloc: Shell,
    tmp_path: Path,
    small_workspace: SmallWorkspace,
    command: str,
    name: str,
    text: str,
    words: list[str],
) -> None:
    (tmp_path / "AVE").symlink_to(small_workspace.data / "AVE")
    header = "" if name == "m.json" else "video,label,start,end,split,sense\n"
    lines = (line + "," * (5 - line.count(",")) for line in text.splitlines())
    (tmp_path / name).write_text(header + "\n".join(lines) if header else text)
    artifacts = small_workspace.artifacts
    before = times_of_files(artifacts)
    ended = avloc(command, "--artifacts", artifacts, "--dataset", tmp_path / name)
    assert_one_line(ended, 1, name, *words)
    assert times_of_files(artifacts) == before


def times_of_files(artifacts: Path) -> dict[Path, int]:
    """Return when each file was changed, but for the notes of what was checked."""
    files = (path for path in artifacts.rglob("*") if path.is_file())
    return {path: path.stat().st_mtime_ns for path in files if path.parent.name != "notes"}


def test_labels_of_a_kind_that_is_not_known(avloc: Shell, small_workspace: SmallWorkspace) -> None:
    ended = avloc("train", "--artifacts", small_workspace.artifacts, "--set", "labels=indepedent")
    assert_one_line(ended, 2, "Did you mean 'independent'?")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("synth", "made", "--events", 20), "events is 20"),
        (("synth", "made", "--set", "heard_only=2"), "heard_only is 2"),
        (("reproduce", "inconsistency", "--shares", "0,abc"), "from 0 to 100"),
        (("reproduce", "inconsistency", "--shares", "0,101"), "from 0 to 100"),
    ],
)
def test_shares_and_numbers_out_of_range(
    avloc: Shell,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[object, ...],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_one_line(avloc(*arguments), 2, words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", ["predictions", "localization"])
def test_answers_of_version_2_are_named_with_the_command_that_makes_them(
    avloc: Shell, tmp_path: Path, kind: str
) -> None:
    write = {"predictions": write_predictions_2, "localization": write_localization_2}[kind]
    write(tmp_path / "old.h5")
    command = {"predictions": "avloc eval", "localization": "avloc localize"}[kind]
    assert_one_line(avloc("inspect", tmp_path / "old.h5"), 1, f"avloc.{kind}/2", command)
    ended = avloc("verify", tmp_path / "old.h5")
    assert (ended.code, f"avloc.{kind}/2" in ended.out) == (1, True)


@pytest.mark.parametrize("write", [write_old_model, write_model_2])
def test_models_of_older_versions_answer_as_they_did(
    avloc: Shell,
    tmp_path: Path,
    small_workspace: SmallWorkspace,
    write: Callable[[Path, ModelFile], None],
) -> None:
    old, new = tmp_path / "old.h5", tmp_path / "new.h5"
    now = read_model(small_workspace.artifacts / "models" / "cman.h5")
    without = replace(now, thresholds=(), sense_thresholds=(), temperatures=(1.0,))
    write(old, without)
    write_model(new, without)
    place = ("--artifacts", small_workspace.with_artifacts_at(tmp_path / "a").artifacts)
    measured = [avloc("eval", *place, "--model", path, "--format", "json") for path in (old, new)]
    first, second = (json.loads(ended.out) | {"model": ""} for ended in measured)
    assert first == second
    clip = small_workspace.clips[0]
    events = [avloc("localize", clip, *place, "--model", path, "-o", "-") for path in (old, new)]
    assert [ended.code for ended in events] == [0, 0]
    assert events[0].out == events[1].out


@pytest.mark.slow
def test_ctrl_c_ends_with_130_and_keeps_what_is_done(
    tmp_path: Path, small_workspace: SmallWorkspace
) -> None:
    import signal
    import time

    command = [sys.executable, "-m", "avloc", "extract", small_workspace.data / "AVE"]
    options = ["--artifacts", tmp_path, "--visual", "efficientnet-lite0", "--audio", "logmel"]
    running = subprocess.Popen(
        [*map(str, command), *map(str, options), "--fps", "4"], stderr=subprocess.PIPE, text=True
    )
    videos = tmp_path / "features" / "videos"
    while not (videos.is_dir() and list(videos.glob("[!.]*.h5"))):
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    assert len(list(videos.glob("[!.]*.h5"))) < 18
    for path in videos.glob("[!.]*.h5"):
        with h5py.File(path) as file:
            assert file["visual"].shape[0] == 10
    assert list(videos.glob(".*")) == []
