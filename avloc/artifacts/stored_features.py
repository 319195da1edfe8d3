"""The features of many videos, left in their files: more than memory holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from avloc.artifacts.arrays import Depth
from avloc.artifacts.features_file import VideoFeatures
from avloc.artifacts.store import FeatureStore
from avloc.artifacts.store_notes import CheckedFiles, alone, notes_folder
from avloc.artifacts.stored_array import FileState
from avloc.errors import ArtifactError


def stored_features(
    store: FeatureStore, video_ids: Sequence[str]
) -> Iterator[VideoFeatures | ArtifactError | None]:
    """Yield each video's features, an error if they are damaged, or None if there are none.

    Their maps and vectors are `StoredArray`. Every header is read and checked, and every byte of
    a file once: which files were checked is noted beside the store, and one process at a time
    checks.
    """
    folder = notes_folder(store.folder)
    checked, is_alone = CheckedFiles(folder), False
    with ExitStack() as stack:
        stack.callback(checked.save)
        for video_id in video_ids:
            path = store.path_of(video_id)
            if not path.exists():
                yield None
                continue
            try:
                if not is_alone and _state(path) not in checked:
                    stack.enter_context(alone(folder, "checking"))
                    checked.reload()
                    is_alone = True
                yield _features(store, video_id, checked)
            except ArtifactError as error:
                yield error


def _features(store: FeatureStore, video_id: str, checked: CheckedFiles) -> VideoFeatures:
    before = _state(store.path_of(video_id))
    depth = Depth.IN_PLACE if before in checked else Depth.CHECKED
    features = store.read(video_id, depth)
    if depth is Depth.CHECKED and before is not None:
        checked.add(before)
    return replace(features, spec=store.spec)  # equal, and in memory once


def _state(path: Path) -> FileState | None:
    try:
        return FileState.of(path)
    except OSError:  # which reading it will report
        return None
