"""Features of a store at an address, copied into a folder of this machine to be trained on.

Beside them ``copied.jsonl`` says what of the object each copy is; what has not changed since is not
fetched again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from xxhash import xxh3_64_hexdigest

from avloc.artifacts.address import Address
from avloc.artifacts.atomic import append_line, atomic_path
from avloc.artifacts.objects import ObjectInfo, fetch_object, list_objects
from avloc.artifacts.store import FeatureStore
from avloc.artifacts.store_notes import alone
from avloc.progress import Progress, silent

_COPIED = "copied.jsonl"
_AT_ONCE = 8


def staged_store(
    store: FeatureStore, videos: Iterable[str], folder: Path, progress: Progress | None = None
) -> FeatureStore:
    """Return a store on this machine: itself, or a copy of these videos of a store elsewhere.

    Args:
        store: the store.
        videos: their ids; those without features are passed over.
        folder: where copies go, each store's in a folder of its own.
        progress: called with (videos copied, videos to copy, video id).
    """
    if not isinstance(store.root, Address):
        return store
    key = xxh3_64_hexdigest(f"{store.root} {store.fingerprint}".encode())
    here = FeatureStore.create(
        folder / f"{store.root.parent.name}-{key[:8]}", store.spec, store.dataset_root
    )
    with alone(here.folder, "copying"):
        _update(here, store.root, list(dict.fromkeys(videos)), progress or silent)
    return here


def _update(here: FeatureStore, root: Address, videos: list[str], report: Progress) -> None:
    objects = {info.address.stem: info for info in list_objects(root / "videos")}
    copied = _copied(here.folder)
    todo = {}
    for video_id in videos:
        path, info = here.path_of(video_id), objects.get(video_id)
        if info is None:
            path.unlink(missing_ok=True)
        elif copied.get(video_id) != info.tag or _size(path) != info.n_bytes:
            todo[video_id] = info
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        names = {pool.submit(_copy, here, name, info): name for name, info in todo.items()}
        try:
            for done, copy in enumerate(as_completed(names), start=1):
                copy.result()
                report(done, len(todo), f"{names[copy]}, copied from {root}")
        finally:
            pool.shutdown(cancel_futures=True)


def _copy(here: FeatureStore, video_id: str, info: ObjectInfo) -> None:
    with atomic_path(here.path_of(video_id)) as file:
        fetch_object(info.address, file)
    append_line(here.folder / _COPIED, json.dumps([video_id, info.tag]))


def _copied(folder: Path) -> dict[str, str]:
    """Return the tag of each copy's object; of lines that a kill has torn, none."""
    path, tags = folder / _COPIED, {}
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            video_id, tag = json.loads(line)
            tags[str(video_id)] = str(tag)
        except (ValueError, TypeError):
            continue
    return tags


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else -1
