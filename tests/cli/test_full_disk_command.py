"""`avloc extract` on a disk that fills up: one line, no damage, and it goes on later."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import Shell
from media_clips import counter_clip
from small_disks import small_disk

from avloc.artifacts import FeatureStore

pytestmark = pytest.mark.slow

OPTIONS = (
    *("--visual", "efficientnet-lite0", "--audio", "logmel", "--fps", "1"),
    *("--runtime", "eager", "--workers", "0", "--offline"),
)
SEGMENT = 7 * 7 * 320 * 2  # bytes


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Clips of two, two and six seconds."""
    folder = tmp_path_factory.mktemp("clips")
    for name, seconds in (("a", 2), ("b", 2), ("c", 6)):
        counter_clip(folder / f"{name}.mp4", "10", 10 * seconds)
    return folder


def run(clips: Path, artifacts: Path, limit: Callable[[], None] | None = None) -> list[str]:
    """Run the command as a user would, where it fails; returns the lines that it said."""
    done = subprocess.run(
        [sys.executable, "-m", "avloc", "extract", clips, *OPTIONS, "--artifacts", artifacts],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=limit,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert (done.returncode, done.stdout) == (1, "")
    return done.stderr.splitlines()


def assert_goes_on(avloc: Shell, clips: Path, artifacts: Path) -> None:
    """What was finished is whole, nothing else is there, and the next run does the rest."""
    store = FeatureStore.open(artifacts / "features")
    assert sorted(path.name for path in (store.root / "videos").iterdir()) == ["a.h5", "b.h5"]
    before = {name: store.path_of(name).stat().st_mtime_ns for name in "ab"}
    assert [store.read(name).visual.shape[0] for name in "ab"] == [2, 2]
    ended = avloc("extract", clips, *OPTIONS, "--artifacts", artifacts)
    assert ended.code == 0
    assert "1 extracted, 2 already there" in ended.err
    assert {name: store.path_of(name).stat().st_mtime_ns for name in "ab"} == before
    assert store.read("c").visual.shape[0] == 6


def test_a_full_disk(avloc: Shell, clips: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        disk.resize(8 * SEGMENT // 1024)  # four segments fit, six more do not
        (said,) = run(clips, disk.root)
        assert said == (
            f"error: {disk.root}/features/videos/c.h5 cannot be written: No space left on device."
            " Free some space and run it again."
        )
        disk.resize(1000)
        assert_goes_on(avloc, clips, disk.root)


def test_a_limit_on_the_size_of_files(avloc: Shell, clips: Path, tmp_path: Path) -> None:
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    n_bytes = 4 * SEGMENT
    limit = (resource.RLIMIT_FSIZE, (n_bytes, hard))
    (said,) = run(clips, tmp_path, lambda: resource.setrlimit(*limit))
    assert said.startswith(f"error: {tmp_path}/features/videos/c.h5 cannot be written: File too")
    assert_goes_on(avloc, clips, tmp_path)
