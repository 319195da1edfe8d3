"""Videos at addresses are localized as their files would be; the results lie here."""

from __future__ import annotations

from pathlib import Path

import fsspec
import numpy as np
import pytest
from workspaces import SmallWorkspace

import avloc
from avloc.errors import AddressError, MediaError, UsageError


@pytest.mark.usefixtures("models_load_once")
def test_a_folder_at_an_address_is_localized_into_a_folder_here(
    small_workspace: SmallWorkspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "scratch"))
    clip, out = small_workspace.clips[0], tmp_path / "out"
    root = "memory://localized/films"
    system = fsspec.filesystem("memory")
    system.pipe_file(f"{root}/deep/{clip.name}", clip.read_bytes())
    system.pipe_file(f"{root}/torn.mp4", b"no video")
    options = {"artifacts": small_workspace.artifacts, "figure": "png", "format": ["csv"]}
    answers = avloc.localize([root, f"{root}/none.mp4"], out=out, report=out / "p.html", **options)
    good, torn, gone = answers
    assert (str(good.video), good.error) == (f"{root}/deep/{clip.name}", None)
    assert str(torn.error).startswith(f"{root}/torn.mp4 cannot be opened")
    assert [type(answer.error) for answer in (torn, gone)] == [MediaError, AddressError]
    [local] = avloc.localize(clip, artifacts=small_workspace.artifacts, write=False)
    np.testing.assert_array_equal(good.timeline.scores, local.timeline.scores)
    assert good.timeline.events == local.timeline.events
    assert good.timeline.source == str(good.video)
    names = [f"deep/{clip.stem}.avloc.{end}" for end in ("csv", "figure.png", "h5")]
    made = {path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file()}
    assert made >= {*names, "p.html"}
    assert not [*(tmp_path / "scratch").iterdir()]
    [again] = avloc.localize(str(good.video), out=out / "deep", artifacts=options["artifacts"])
    assert {path.name for path in again.kept} == {f"{clip.stem}.avloc.h5"}
    assert again.timeline.events == good.timeline.events


def test_results_need_a_folder_and_the_library_may_do_without(
    small_workspace: SmallWorkspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    clip, address = small_workspace.clips[0], "memory://localized/one.mp4"
    with pytest.raises(UsageError, match=f"beside {address}.*--out DIR"):
        avloc.localize(address, artifacts=small_workspace.artifacts)
    fsspec.filesystem("memory").pipe_file(address, clip.read_bytes())
    [answer] = avloc.localize(address, artifacts=small_workspace.artifacts, write=False)
    assert answer.timeline is not None
    assert not [*tmp_path.iterdir()]
