"""Which videos and models a run of ``localize`` means, and whose truth is whose."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from workspaces import SmallWorkspace

import avloc
from avloc.errors import AddressError, ArtifactError, MediaError
from avloc.stages.localize.inputs import find_inputs
from avloc.stages.workspace import Workspace

pytestmark = pytest.mark.usefixtures("models_load_once")


def test_a_missing_path_does_not_rename_a_video_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "clip.mp4").touch()
    missing, found = find_inputs([tmp_path / "b" / "clip.mp4", tmp_path / "a" / "clip.mp4"], None)
    assert missing.error is not None
    assert (found.video_id, found.has_namesake) == ("clip", False)


def test_a_pipe_is_not_said_to_be_missing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "clip.mp4")
    [one] = find_inputs([tmp_path / "clip.mp4"], None)
    assert "not a regular file" in str(one.error)
    assert "does not exist" not in str(one.error)


def test_an_address_is_named_as_it_was_given() -> None:
    [one] = find_inputs(["memory://none/a.mp4"], None)
    assert str(one.error) == "there is no such object: memory://none/a.mp4. Check the address."


def test_without_a_model_the_input_is_at_fault_if_it_is(tmp_path: Path) -> None:
    [gone, address] = avloc.localize(
        [tmp_path / "gone.mp4", "memory://none/a.mp4"],
        out=tmp_path / "results",
        artifacts=tmp_path / "none",
        report=tmp_path / "page.html",
    )
    assert isinstance(gone.error, MediaError)
    assert isinstance(address.error, AddressError)
    assert not (tmp_path / "page.html").exists()
    (tmp_path / "clip.mp4").touch()
    with pytest.raises(ArtifactError, match="no model"):
        avloc.localize(tmp_path / "clip.mp4", model="cman", artifacts=tmp_path / "none")


def test_a_hint_names_the_workspace_that_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AVLOC_ARTIFACTS", raising=False)
    with pytest.raises(ArtifactError) as refused:
        Workspace.at(tmp_path / "my work").existing_model()
    assert f"avloc train --artifacts '{tmp_path / 'my work'}'" in refused.value.hint
    monkeypatch.setenv("AVLOC_ARTIFACTS", str(tmp_path / "my work"))
    with pytest.raises(ArtifactError) as refused:
        Workspace.at().existing_model()
    assert "--artifacts" not in refused.value.hint


def test_the_workspaces_model_goes_before_a_file_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    workspace = Workspace.at()
    Path("cman").write_text("notes")
    assert workspace.existing_model("cman") == Path("cman")
    (workspace.root / "models").mkdir(parents=True)
    (workspace.root / "models" / "cman.h5").touch()
    assert workspace.existing_model("cman") == workspace.root / "models" / "cman.h5"


def test_an_unfinished_training_is_no_model(
    small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    models = tmp_path / "artifacts" / "models"
    models.mkdir(parents=True)
    (models.parent / "features").symlink_to(small_workspace.artifacts / "features")
    shutil.copy(small_workspace.artifacts / "models" / "cman.h5", models)
    seen: list[list[str]] = []

    def look(*_: object) -> None:
        seen.append(sorted(str(path.relative_to(models)) for path in models.rglob("*.h5")))

    quick = {"epochs": 2, "set": ["width=32"], "artifacts": tmp_path / "artifacts"}
    avloc.train(**quick, name="again", progress=look)
    assert ["cman.h5", "unfinished/again.h5"] in seen
    assert sorted(path.name for path in models.rglob("*.h5")) == ["again.h5", "cman.h5"]
    (models / "unfinished").mkdir(exist_ok=True)
    shutil.copy(models / "cman.h5", models / "unfinished" / "cman.h5")
    avloc.train(**quick, name="cman.unfinished")
    assert (models / "unfinished" / "cman.h5").read_bytes() == (models / "cman.h5").read_bytes()
    with pytest.raises(ArtifactError) as refused:
        Workspace.at(tmp_path / "artifacts").existing_model("unfinished")
    assert refused.value.hint == "There are: again, cman, cman.unfinished."


def test_videos_of_one_name_keep_their_own_truth(
    small_workspace: SmallWorkspace, tmp_path: Path
) -> None:
    known = small_workspace.clips[0]
    namesake = tmp_path / known.name
    shutil.copy(small_workspace.clips[1], namesake)
    page = tmp_path / "page.html"
    options = {
        "artifacts": small_workspace.artifacts,
        "dataset": small_workspace.data,
        "report": page,
    }
    first, second = avloc.localize([known, namesake], write=False, **options)
    assert "true events" not in first.note
    assert "no true events shown" in second.note
    assert page.read_text(encoding="utf-8").count("True events") > 0
    [alone] = avloc.localize(namesake, write=False, **options)
    assert alone.note == ""
