"""A data set at an address, read as if its folder were here.

Its annotation files are copied into a temporary folder, with empty files in place of its videos;
what is read there is then given its addresses.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from avloc.artifacts import Address, Location
from avloc.artifacts.objects import ObjectInfo, fetch_object, list_objects, look_up, named
from avloc.datasets.dataset import Dataset
from avloc.errors import AddressError, DatasetError, MediaError
from avloc.media import HEATMAP_SUFFIX, MEDIA_SUFFIXES

_ANNOTATIONS = (".csv", ".eaf", ".json", ".jsonl", ".tsv", ".txt")
_ORDERS = "_order.h5"  # AVE's published row numbers
_LARGEST = 256 << 20  # bytes of an annotation file


def load_remote(address: Address, load: Callable[[Path], Dataset]) -> Dataset:
    """Read the data set at an address with a function that reads one on this machine.

    Nothing is copied but annotation files: the file that is named and those beside it, or those
    directly in the folder that is named.
    """
    info = look_up(address)
    if info is None:
        raise DatasetError(
            "there is no such object, and no folder", address, hint="Check the address."
        )
    is_alone = not info.is_folder and not _is_annotation(info)
    folder = address if info.is_folder else address.parent
    if not info.is_folder and folder == address:
        raise DatasetError("names no object", address, hint="Name a file, or a folder of files.")
    entries = [info] if is_alone else list_objects(folder, at_any_depth=True)
    with TemporaryDirectory(prefix="avloc-") as temporary:
        mirror = Path(temporary) / (folder.name or "bucket")
        mirror.mkdir()
        with named(mirror, folder):
            for entry in entries:
                _mirror(entry, folder, mirror, is_kept=is_alone)
            dataset = load(mirror if info.is_folder else mirror / address.name)
    return _at_address(dataset, mirror, folder)


def videos_at(address: Address) -> dict[PurePosixPath, Address]:
    """Return the video at an address, or those in a folder at any depth, by path inside it."""
    info = look_up(address)
    if info is None:
        raise AddressError(f"there is no such object: {address}", "Check the address.")
    if not info.is_folder:
        return {PurePosixPath(address.name): address}
    entries = list_objects(address, at_any_depth=True)
    inside = {_inside(entry, address): entry.address for entry in entries if not entry.is_folder}
    videos = {path: video for path, video in inside.items() if _is_video(path)}
    if not videos:
        raise MediaError(
            f"{address} holds no media file",
            f"Files are known by suffix: {' '.join(sorted(MEDIA_SUFFIXES))}.",
        )
    return videos


def _inside(entry: ObjectInfo, folder: Address) -> PurePosixPath:
    return PurePosixPath(str(entry.address).removeprefix(f"{folder}/"))


def _mirror(entry: ObjectInfo, folder: Address, mirror: Path, *, is_kept: bool) -> None:
    """Copy an annotation file; leave an empty file for a video, and nothing for all else."""
    inside = _inside(entry, folder)
    if entry.is_folder or _is_hidden(inside):
        return
    path = mirror / inside
    if _is_annotation(entry) and len(inside.parts) == 1:
        if entry.n_bytes > _LARGEST:
            raise DatasetError(f"is larger than {_LARGEST} bytes", entry.address)
        fetch_object(entry.address, path)
    elif is_kept or _is_video(inside):
        with suppress(OSError):  # a name that no file can have, or of a folder as well
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()


def _is_annotation(entry: ObjectInfo) -> bool:
    name = entry.address.name
    return name.lower().endswith(_ANNOTATIONS) or name.endswith(_ORDERS)


def _is_hidden(path: PurePosixPath) -> bool:
    return any(part.startswith(".") for part in path.parts)  # so are the names that lead upwards


def _is_video(path: PurePosixPath) -> bool:
    is_heatmap = path.name.lower().endswith(HEATMAP_SUFFIX)
    return path.suffix.lower() in MEDIA_SUFFIXES and not (is_heatmap or _is_hidden(path))


def _at_address(dataset: Dataset, mirror: Path, folder: Address) -> Dataset:
    def at_address(location: Location) -> Location:
        if not isinstance(location, Path) or not location.is_relative_to(mirror):
            return location
        inside = location.relative_to(mirror).as_posix()
        return folder if inside == "." else folder / inside

    videos = {video_id: at_address(video) for video_id, video in dataset.videos.items()}
    return replace(dataset, root=at_address(dataset.root), videos=videos)
