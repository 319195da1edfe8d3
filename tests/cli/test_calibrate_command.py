"""``avloc calibrate`` as a reader types it."""

from __future__ import annotations

from pathlib import Path

from commands import Shell
from workspaces import SmallWorkspace

from avloc.artifacts import read_model


def test_it_prints_thresholds_and_warns_of_few_videos(
    avloc: Shell, small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    workspace = small_workspace.with_artifacts_at(tmp_path / "artifacts")
    label = read_model(workspace.artifacts / "models/cman.h5").labels.names[0]
    manifest = tmp_path / "corrected.csv"
    manifest.write_text(
        f"video,label,start,end\n{workspace.clips[0]},{label},0,10\n{workspace.clips[1]},rain,0,2\n"
    )
    ended = avloc(
        *("calibrate", manifest, "--model", "cman", "--name", "mine"),
        *("--artifacts", workspace.artifacts),
    )
    assert ended.code == 0, ended.err
    assert "Thresholds, fitted to 2 videos" in ended.out
    assert label in ended.out
    said = ended.err.splitlines()
    assert "2 labels have no example and keep their threshold" in said
    assert "labels that the model does not know: rain" in said
    assert f"warning: fewer than 3 videos have an example of {label}" in said
    assert said[-1] == f"wrote {workspace.artifacts / 'models/mine.h5'}"


def test_bad_input_is_one_line(
    avloc: Shell, small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    place = ("--artifacts", small_workspace.artifacts)
    for arguments, code, words in (
        ((tmp_path / "none.csv", "--model", "cman"), 1, "none.csv"),
        ((small_workspace.data, "--model", "none"), 1, "there is no model"),
        ((small_workspace.data, "--model", "cman", "--name", "a/b"), 2, "is not a plain name"),
    ):
        ended = avloc("calibrate", *arguments, *place)
        assert (ended.code, words in ended.err) == (code, True), ended.err
        assert len(ended.err.splitlines()) == 1
