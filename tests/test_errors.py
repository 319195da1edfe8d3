"""An error's text says what happened and what to do next, wherever it is shown."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from avloc import errors
from avloc.cli.console import one_line
from avloc.datasets.boxes import read_boxes
from avloc.datasets.manifest import load_manifest
from avloc.datasets.synthetic.recordings import read_recording
from avloc.errors import AvlocError, DatasetError, MediaError, UnknownNameError, message_of
from avloc.tables.recipes import read_recipe

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type)
    and issubclass(kind, AvlocError)
    and kind not in (DatasetError, UnknownNameError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_text_is_the_message_and_the_hint(kind: type[AvlocError]) -> None:
    error = kind("clip.mp4 has no picture", "Check the file.")
    assert str(error) == "clip.mp4 has no picture. Check the file."
    assert (error.message, error.hint) == ("clip.mp4 has no picture", "Check the file.")
    assert str(kind("clip.mp4 has no picture")) == "clip.mp4 has no picture"


def test_errors_with_other_arguments_have_both_parts_too() -> None:
    wrong = DatasetError("has no label", Path("m.csv"), 3, "Name one.")
    assert str(wrong) == "m.csv, line 3: has no label. Name one."
    unknown = UnknownNameError("model", "cmann", ["cman", "cam"])
    assert str(unknown) == f"{unknown.message}. {unknown.hint}"
    assert unknown.message == "no model is called 'cmann'"


@pytest.mark.parametrize(
    "error",
    [
        MediaError("clip.mp4 has no picture.", "Check the file."),
        DatasetError("has no label", "m.csv", 3, "Name one."),
        UnknownNameError("model", "cmann", ["cman"]),
    ],
)
def test_an_error_is_the_same_after_a_way_between_processes(error: AvlocError) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (str(again), again.message, again.hint) == (str(error), error.message, error.hint)
    assert one_line(again) == one_line(error)


def test_the_command_line_says_a_hint_once() -> None:
    line = one_line(MediaError("clip.mp4\nhas no picture.", "Check the file."))
    assert line == "clip.mp4 has no picture. Check the file."
    assert one_line(MediaError("nothing to do.")) == "nothing to do"


def test_a_hint_that_is_added_to_later_is_shown() -> None:
    error = MediaError("cannot be written", "Free some space.")
    error.hint += " --out DIR names another folder."
    assert str(error).endswith("Free some space. --out DIR names another folder.")


def test_message_of_any_error_is_its_text_without_a_hint() -> None:
    assert message_of(MediaError("no picture", "Check the file.")) == "no picture"
    assert message_of(ValueError("no number")) == "no number"


def test_a_plain_script_shows_the_way_out_in_its_traceback(tmp_path: Path) -> None:
    script = "import avloc\navloc.extract([])\n"
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert ended.returncode == 1
    last = ended.stderr.splitlines()[-1]
    assert last.startswith("avloc.errors.")
    assert "Name a folder, a video or a manifest." in last


def test_an_error_made_of_another_has_one_hint(tmp_path: Path) -> None:
    manifest = tmp_path / "m.csv"
    manifest.write_text("video,lable\nx.mp4,Bark\n")
    with pytest.raises(DatasetError) as caught:
        load_manifest(manifest)
    assert str(caught.value).count("Did you mean 'label'?") == 1
    assert str(caught.value).count("There are:") == 1


def test_a_file_that_cannot_be_opened_is_named_once(tmp_path: Path) -> None:
    gone = tmp_path / "gone.file"
    for read in (read_boxes, read_recipe):
        with pytest.raises(DatasetError) as caught:
            read(gone)
        assert str(caught.value).count("gone.file") == 1
        assert "No such file" in str(caught.value)


def test_a_recording_that_cannot_be_read_is_named_once(tmp_path: Path) -> None:
    noise = tmp_path / "noise.wav"
    noise.write_text("no sound")
    with pytest.raises(DatasetError) as caught:
        read_recording(noise, 16000)
    assert str(caught.value).count("noise.wav") == 1
