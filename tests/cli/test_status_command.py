"""``avloc status`` as a script and a user see it."""

from __future__ import annotations

import json
from pathlib import Path

from commands import Shell
from workspaces import SmallWorkspace


def test_a_complete_store_is_0_and_an_incomplete_one_3(
    avloc: Shell, small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    store = small_workspace.artifacts / "features"
    ended = avloc("status", store, small_workspace.data, "--shards", 2, "--check")
    assert ended.code == 0, ended.err
    assert [line.split("│")[1:4] for line in ended.out.splitlines() if "│ all" in line] == [
        [" all  ", " 18     ", " 18   "]
    ]
    assert ended.err == ""
    clips = tmp_path / "clips"
    clips.mkdir()
    for clip in small_workspace.clips[:2]:
        (clips / clip.name).symlink_to(clip)
    (clips / "bad.mp4").write_bytes(b"no film")
    options = ("--visual", "efficientnet-lite0", "--audio", "logmel", "--fps", 1)
    avloc("extract", clips, *options, "--artifacts", tmp_path, "--workers", 0)
    ended = avloc("status", tmp_path / "features", clips)
    assert ended.code == 3
    assert "1 failed: " in ended.out
    assert "FILE" in ended.out
    assert ended.err.startswith("error: 1 of 3 videos are not done. Next: avloc extract ")
    assert ended.err.count("\n") == 1
    written = json.loads(avloc("status", tmp_path / "features", clips, "--json").out)
    assert written["counts"]["done"] == 2
    assert [video["video_id"] for video in written["not_done"]] == ["bad"]
    assert avloc("status", clips, clips).code == 1
