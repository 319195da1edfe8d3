"""A program that writes every artifact under limits of all sizes, and prints each outcome.

A program of its own, because HDF5 can bring its process down when a write fails.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from examples import comparison, features, model, predictions, timeline

from avloc.artifacts import (
    FeatureWriter,
    write_comparison,
    write_features,
    write_localization,
    write_model,
    write_predictions,
)
from avloc.artifacts.published_arrays import create_rows, write_order
from avloc.errors import OutputError

LARGE = replace(features(n=20), visual=np.ones((20, 7, 7, 64), np.float16))


def write_segments(path: Path) -> None:
    """Write one video a segment at a time, while another is under way."""
    writer = FeatureWriter(path, LARGE.n_segments)
    other = FeatureWriter(path.with_name("other.h5"), LARGE.n_segments)
    try:
        other.put_visual(LARGE.visual[:1])
        for one in range(LARGE.n_segments):
            writer.put_visual(LARGE.visual[one : one + 1])
        writer.finish(replace(LARGE, visual=None))
    finally:
        for one in (writer, other):
            abandon(one)


def abandon(writer: FeatureWriter) -> None:
    try:
        writer.abandon()
    except OutputError as error:
        raise AssertionError("abandon() must not raise, even on a full disk") from error


def write_published(path: Path) -> None:
    with create_rows(path, (20, 7, 7, 64)) as rows:
        for _ in range(20):
            rows.append(np.ones((7, 7, 64)))


JOBS: dict[str, Callable[[Path], object]] = {
    "features": lambda path: write_features(path, features()),
    "large features": lambda path: write_features(path, LARGE),
    "segments": write_segments,
    "model": lambda path: write_model(path, model()),
    "predictions": lambda path: write_predictions(path, predictions()),
    "localization": lambda path: write_localization(path, timeline()),
    "comparison": lambda path: write_comparison(path, comparison()),
    "published array": write_published,
    "published order": lambda path: write_order(path, list(range(1000))),
}


def outcome(write: Callable[[Path], object], path: Path, n_bytes: int) -> str:
    """Write under a limit; return the error's message, or "written"."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        write(path)
    except OutputError as error:
        return error.message.replace(str(path.parent), "FOLDER")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    return "written"


def main(folder: Path) -> None:
    said: dict[str, list[tuple[str, list[str], int]]] = {}
    for name, write in JOBS.items():
        path = folder / "a.h5"
        write(path)
        n_bytes, n_open = path.stat().st_size, len(list(Path("/proc/self/fd").iterdir()))
        path.unlink()
        limits = [*range(0, min(n_bytes, 9000), 501), *range(9000, n_bytes, 7001), n_bytes - 1]
        for limit in limits:
            words = outcome(write, path, limit)
            left = [file.name for file in folder.iterdir()]
            n_more = len(list(Path("/proc/self/fd").iterdir())) - n_open
            said.setdefault(name, []).append((words, left, n_more))
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
