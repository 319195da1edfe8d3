"""A file appears whole or not at all, and a wrong file is refused by name."""

from __future__ import annotations

import errno
from pathlib import Path

import h5py
import pytest
from examples import features, model
from hostile import OLD_WRITERS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avloc.artifacts import (
    atomic_path,
    describe,
    read_features,
    read_model,
    write_features,
    write_model,
    write_text,
)
from avloc.errors import ArtifactError, OutputError, WrongKindError


def test_block_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "a.csv") as temporary:
        temporary.write_text("half")
        raise RuntimeError("the power went")
    assert list(tmp_path.iterdir()) == []


def test_block_that_fails_keeps_the_old_file(tmp_path: Path) -> None:
    write_text(tmp_path / "a.csv", "old")
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "a.csv") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert (tmp_path / "a.csv").read_text() == "old"


def test_temporary_name_keeps_the_suffix_and_is_hidden(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "clip.mp4") as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".avloc.")
        assert temporary.suffix == ".mp4"


def test_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file/a\.csv cannot be written"):
        write_text(tmp_path / "file" / "a.csv", "text")
    with pytest.raises(OutputError, match="Is a directory"):
        write_text(tmp_path, "text")


def test_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(
            OutputError, match=r"a\.h5 cannot be written: No space left on device\. Free some space"
        ),
        atomic_path(tmp_path / "a.h5"),
    ):
        raise OSError(errno.ENOSPC, "a long story (No space left on device, offset = 20480)")
    assert list(tmp_path.iterdir()) == []


def test_new_file_has_ordinary_rights(tmp_path: Path) -> None:
    write_text(tmp_path / "a.csv", "")
    (tmp_path / "b.csv").touch()
    assert (tmp_path / "a.csv").stat().st_mode == (tmp_path / "b.csv").stat().st_mode


def test_wrong_kind_names_both(tmp_path: Path) -> None:
    write_model(tmp_path / "cman.h5", model())
    with pytest.raises(WrongKindError, match=r"cman\.h5 holds model, and features is wanted"):
        read_features(tmp_path / "cman.h5")


def test_missing_text_and_foreign_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="there is no file"):
        read_model(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(ArtifactError, match=r"text\.h5"):
        read_model(tmp_path / "text.h5")
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file["x"] = [1]
    with pytest.raises(ArtifactError, match="not written by avloc"):
        read_model(tmp_path / "foreign.h5")
    with pytest.raises(ArtifactError, match="HDF5 file that avloc did not write"):
        describe(tmp_path / "foreign.h5")


def test_file_without_a_field_is_refused(tmp_path: Path) -> None:
    OLD_WRITERS["model"](tmp_path / "cman.h5")
    with h5py.File(tmp_path / "cman.h5", "r+") as file:
        del file.attrs["labels"]
    with pytest.raises(ArtifactError, match="labels"):
        read_model(tmp_path / "cman.h5")


@given(keep=st.floats(0, 0.999))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_truncated_file_is_refused_not_half_read(tmp_path: Path, keep: float) -> None:
    write_features(tmp_path / "whole.h5", features())
    content = (tmp_path / "whole.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(content[: int(keep * len(content))])
    with pytest.raises(ArtifactError):
        read_features(tmp_path / "cut.h5")
