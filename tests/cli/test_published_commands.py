"""``import-features`` and ``export-features`` at the command line, and what comes between."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from commands import Shell
from published_layout import Layout, publish, read_array, write_array
from workspaces import SmallWorkspace

TINY = ("--epochs", 2, "--set", "width=8")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return publish(tmp_path / "published")


def test_published_features_are_trained_on_and_exported(
    avloc: Shell, layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = avloc("import-features", "published")
    assert (ended.code, ended.out) == (0, ""), ended.err
    assert "8 rows of 7 videos: 7 imported, 0 already there; features " in ended.err
    assert "0 imported, 7 already there" in avloc("import-features", "published").err
    assert avloc("train", *TINY).code == 0
    numbers = json.loads(avloc("eval", "--format", "json").out)
    assert numbers["n_rows"] == 2
    ended = avloc("export-features", "exported")
    assert (ended.code, ended.out) == (0, ""), ended.err
    assert "8 rows (4 train, 2 val, 2 test)" in ended.err
    assert ended.err.splitlines()[-1].startswith("wrote exported/visual_feature.h5, ")
    exported = read_array(tmp_path / "exported" / "visual_feature.h5")
    assert (exported == layout.visual.astype(np.float16)).all()


def test_model_of_published_features_sees_no_video(
    avloc: Shell, layout: Layout, tmp_path: Path, small_workspace: SmallWorkspace
) -> None:
    place = ("--artifacts", tmp_path / "a")
    assert avloc("import-features", layout.folder, *place).code == 0
    assert avloc("train", *TINY, *place).code == 0
    ended = avloc("localize", small_workspace.clips[0], "--out", tmp_path / "out", *place)
    (line,) = ended.err.splitlines()
    assert (ended.code, ended.out) == (1, "")
    assert line.startswith("error: ")
    assert "trained on published features" in line
    assert "avloc extract" in line
    assert not (tmp_path / "out").exists()


def test_what_was_extracted_here_is_exported(
    avloc: Shell, tmp_path: Path, small_workspace: SmallWorkspace
) -> None:
    place = ("--artifacts", small_workspace.artifacts)
    assert avloc("export-features", tmp_path / "out", *place).code == 0
    assert read_array(tmp_path / "out" / "visual_feature.h5").shape == (18, 10, 7, 7, 320)
    assert read_array(tmp_path / "out" / "labels.h5").shape == (18, 10, 4)
    annotations = (tmp_path / "out" / "Annotations.txt").read_text().splitlines()
    assert annotations == (small_workspace.data / "Annotations.txt").read_text().splitlines()[1:]
    ended = avloc("import-features", tmp_path / "out", *place)
    assert ended.code == 1
    assert "never mix" in ended.err


def test_what_a_reader_should_know_is_said(avloc: Shell, layout: Layout, tmp_path: Path) -> None:
    other = layout.audio.copy()
    other[2] += 1
    write_array(layout.folder / "audio_feature.h5", other)
    (layout.folder / "visual_feature.h5").rename(tmp_path / "picture.h5")
    ended = avloc("import-features", layout.folder, "--artifacts", tmp_path / "sound")
    assert "no visual features were given: the videos have no picture" in ended.err
    assert "1 of 7 videos have rows with different features, and the first row was taken: -dog" in (
        ended.err
    )
    place = ("--artifacts", tmp_path / "a")
    picture = ("--visual", tmp_path / "picture.h5")
    assert avloc("import-features", layout.folder, *picture, *place).code == 0
    (tmp_path / "a" / "features" / "videos" / "yard.h5").unlink()
    ended = avloc("export-features", tmp_path / "out", *place)
    assert ended.code == 1
    assert "1 of 8 rows have no features" in ended.err
    ended = avloc("export-features", tmp_path / "out", "--only-present", *place)
    assert ended.code == 0
    assert "left out: yard: no features" in ended.err
    assert "7 rows (4 train, 1 val, 2 test)" in ended.err


def test_wrong_folders_are_one_line(avloc: Shell, layout: Layout, tmp_path: Path) -> None:
    place = ("--artifacts", tmp_path / "a")
    (tmp_path / "empty").mkdir()
    for command, words in (
        (("import-features", tmp_path / "empty"), "neither visual_feature.h5 nor"),
        (("import-features", tmp_path / "nowhere"), "nowhere"),
        (("import-features", layout.folder, "--audio", tmp_path / "x.h5"), "no such file"),
        (("import-features", layout.folder, "--annotations", tmp_path / "x.txt"), "no such file"),
        (("export-features", tmp_path / "out"), "no feature store"),
    ):
        ended = avloc(*command, *place)
        (line,) = ended.err.splitlines()
        assert (ended.code, ended.out) == (1, "")
        assert line.startswith("error: ")
        assert words in line
    assert not (tmp_path / "a").exists()
