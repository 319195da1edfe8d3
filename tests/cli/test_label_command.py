"""``avloc label`` as a reader types it."""

from __future__ import annotations

from pathlib import Path

from commands import Shell
from workspaces import SmallWorkspace


def test_it_writes_a_manifest_and_says_what_is_in_it(
    avloc: Shell, small_workspace: SmallWorkspace, tmp_path: Path, models_load_once: None
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a video")
    arguments = ("label", *small_workspace.clips[:2], broken, "--out", tmp_path / "found.csv")
    options = ("--artifacts", small_workspace.artifacts, "--format", "label-studio")
    ended = avloc(*arguments, *options)
    assert ended.code == 3  # one of three failed
    said = ended.err.splitlines()
    assert said[0].split()[0] == "label"
    assert f"failed: {broken}" in ended.err
    assert said[-3].startswith(f"wrote {tmp_path / 'found.csv'}, {tmp_path / 'found.label-studio'}")
    assert said[-1] == "error: 1 of 3 videos failed"
    (tmp_path / "found.csv").write_text("video,label\n")
    ended = avloc(*arguments, *options)
    assert (ended.code, ended.err.count("\n")) == (1, 1)
    assert "changed since avloc wrote it" in ended.err


def test_bad_input_is_one_line(
    avloc: Shell, small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    place = ("--out", tmp_path / "m.csv", "--artifacts", small_workspace.artifacts)
    clip = small_workspace.clips[0]
    for arguments, code, words in (
        ((tmp_path / "none", *place), 1, "none does not exist"),
        ((clip, *place, "--label", "no such label"), 2, "no label is called"),
        ((clip, *place, "--model", "none"), 1, "there is no model"),
        ((clip, *place, "--format", "elan"), 2, "no value of --format is called 'elan'"),
        ((clip, *place, "--val-share", "0.6", "--test-share", "0.5"), 2, "leave no video"),
    ):
        ended = avloc("label", *arguments)
        assert (ended.code, words in ended.err) == (code, True), ended.err
    assert not (tmp_path / "m.csv").exists()
