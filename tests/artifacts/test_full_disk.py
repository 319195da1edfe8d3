"""A disk that fills up at any byte of an artifact: said in one line, and nothing is left."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from examples import SPEC, features
from small_disks import SmallDisk, small_disk

from avloc.artifacts import FeatureStore, FeatureWriter
from avloc.errors import OutputError


def test_every_artifact_at_every_size(tmp_path: Path) -> None:
    here = Path(__file__).parent
    done = subprocess.run(
        [sys.executable, here / "limited_writing.py", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(here), str(here.parents[1])])},
    )
    assert (done.returncode, done.stderr) == (0, "")
    said = json.loads(done.stdout)
    assert len(said) == 9
    for name, outcomes in said.items():
        assert len(outcomes) > 5
        for words, left, n_open in outcomes:
            assert words.endswith(".h5 cannot be written: File too large"), name
            assert words.startswith("FOLDER/"), name
            assert (left, n_open) == ([], 0), name


@contextmanager
def no_file_longer_than(n_bytes: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_writer_reports_a_full_disk_at_once(tmp_path: Path) -> None:
    whole = features(n=20)
    writer = FeatureWriter(tmp_path / "a.h5", whole.n_segments)
    maps = np.ones((1, 7, 7, 512), np.float16)
    with no_file_longer_than(10 * maps.nbytes), pytest.raises(OutputError, match="too large"):
        for _ in range(11):  # the other nine may be hours away
            writer.put_visual(maps)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_row_that_is_half_written_costs_no_other_row(tmp_path: Path) -> None:
    store = FeatureStore.create(tmp_path, SPEC)
    store.record_failure("a", "a.mp4", "no index")
    rows = tmp_path / "failures.jsonl"
    n_bytes = rows.stat().st_size
    with no_file_longer_than(n_bytes + 10), pytest.raises(OutputError, match=r"failures\.jsonl"):
        store.record_failure("b", "b.mp4", "no index")
    assert rows.stat().st_size == n_bytes + 10
    store.record_failure("c", "c.mp4", "no index")
    store.record_failure("d", "d.mp4", "no index")
    assert [row.video_id for row in store.failures()] == ["a", "c", "d"]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path) as disk:
        yield disk


def test_no_store_on_a_full_disk(disk: SmallDisk) -> None:
    root = disk.root / "store"
    root.mkdir()
    disk.fill()
    with pytest.raises(OutputError, match=r"store\.json cannot be written: No space left") as full:
        FeatureStore.create(root, SPEC)
    assert full.value.hint == "Free some space and run it again."
    assert list(root.iterdir()) == []
    disk.free()
    assert FeatureStore.create(root, SPEC).fingerprint == SPEC.fingerprint


def test_no_failure_row_on_a_full_disk(disk: SmallDisk) -> None:
    store = FeatureStore.create(disk.root, SPEC)
    disk.fill()
    with pytest.raises(OutputError, match=r"failures\.jsonl cannot be written: No space left"):
        store.record_failure("a", "a.mp4", "no index")
    disk.free()
    store.record_failure("b", "b.mp4", "no index")
    assert [row.video_id for row in store.failures()] == ["b"]
