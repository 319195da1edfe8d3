"""The files of a feature store: in a folder of this machine, or at an address."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from avloc.artifacts.address import Address, Location
from avloc.artifacts.arrays import Depth
from avloc.artifacts.atomic import append_line, claim, sweep, write_text
from avloc.artifacts.features_file import (
    VideoFeatures,
    parse_features,
    read_features,
)
from avloc.artifacts.hdf5 import read_artifact
from avloc.artifacts.object_file import ObjectFile
from avloc.artifacts.objects import (
    create_object,
    list_objects,
    look_up,
    read_object,
    staged,
    write_object,
)
from avloc.errors import ArtifactError

SUFFIX = ".h5"
_FAILURES_FILE = "failures.jsonl"
_LONGEST_ROW = 2**20  # bytes
_AT_ONCE = 16  # requests; a store answers one in some 20 ms


class StoreFiles(Protocol):
    """What a feature store does with its files; ``name`` is relative to its root."""

    def read(self, name: str, n_most: int) -> bytes | None:
        """Return the beginning of a file; None if there is none."""

    def is_absent(self, name: str) -> bool:
        """Tell whether there is no file."""

    def write_new(self, name: str, text: str) -> bool:
        """Write a file; False if another run has written it meanwhile."""

    def replace(self, name: str, text: str) -> None:
        """Write a file, or write it again."""

    def video_ids(self) -> list[str]:
        """Return the ids of the videos with features, sorted."""

    def written_at(self, name: str) -> float | None:
        """Return when a file was written; None if there is none."""

    def claim(self, name: str) -> AbstractContextManager[bool]:
        """Return a context that yields whether this run may make a file."""

    def local(self, name: str) -> AbstractContextManager[Path]:
        """Return a context that yields a path on this machine with a file's content."""

    def headers(self, name: str) -> VideoFeatures:
        """Read what a features file declares."""

    def select(self, video_ids: Iterable[str], accept: Callable[[str], bool]) -> set[str]:
        """Return the videos that ``accept`` accepts, which it can only where there is a file."""

    def add_failure(self, video_id: str, row: str) -> None:
        """Keep a row about a failed video."""

    def failures(self) -> list[bytes]:
        """Return the rows about failed videos, the last of each video last."""

    def sweep(self) -> None:
        """Remove what killed runs left."""


@dataclass(frozen=True)
class FolderFiles:
    """Files in a folder of this machine."""

    root: Path

    def read(self, name: str, n_most: int) -> bytes | None:
        """Return the beginning of a file; None if there is none."""
        path = self.root / name
        if path.exists() and not path.is_file():
            raise ValueError("it is not a file")
        try:
            with path.open("rb") as file:
                return file.read(n_most)
        except FileNotFoundError:
            return None

    def is_absent(self, name: str) -> bool:
        """Tell whether there is nothing of this name."""
        return not (self.root / name).exists()

    def replace(self, name: str, text: str) -> None:
        """Write a file, or write it again."""
        write_text(self.root / name, text)

    def write_new(self, name: str, text: str) -> bool:
        """Write a file."""
        self.replace(name, text)
        return True

    def video_ids(self) -> list[str]:
        """Return the ids that have a file; leftovers of a kill are not listed."""
        files = (self.root / "videos").glob(f"*{SUFFIX}")
        return sorted(file.stem for file in files if not file.name.startswith("."))

    def written_at(self, name: str) -> float | None:
        """Return when a file was written; None if there is none."""
        try:
            return (self.root / name).stat().st_mtime
        except OSError:
            return None

    def claim(self, name: str) -> AbstractContextManager[bool]:
        """Return a context that yields whether this run may make a file."""
        return claim(self.root / name)

    def local(self, name: str) -> AbstractContextManager[Path]:
        """Return a context that yields the file's own path."""
        return nullcontext(self.root / name)

    def headers(self, name: str) -> VideoFeatures:
        """Read what a features file declares."""
        return read_features(self.root / name, Depth.HEADERS)

    def select(self, video_ids: Iterable[str], accept: Callable[[str], bool]) -> set[str]:
        """Return the videos that ``accept`` accepts."""
        return {video_id for video_id in video_ids if accept(video_id)}

    def add_failure(self, video_id: str, row: str) -> None:
        """Append a row; rows of many writers stay whole."""
        append_line(self.root / _FAILURES_FILE, row)

    def failures(self) -> list[bytes]:
        """Return the rows about failed videos."""
        path = self.root / _FAILURES_FILE
        try:
            return path.read_bytes().splitlines() if path.exists() else []
        except OSError as error:
            raise ArtifactError(
                f"{path} cannot be read: {error.strerror}", "Remove it; extraction makes it anew."
            ) from error

    def sweep(self) -> None:
        """Remove files that killed runs left half-written."""
        for folder in (self.root, self.root / "videos"):
            sweep(folder)


@dataclass(frozen=True)
class ObjectFiles:
    """Objects at an address; nothing is locked there, and nothing appended to."""

    root: Address

    def read(self, name: str, n_most: int) -> bytes | None:
        """Return the beginning of an object; None if there is none."""
        return read_object(self.root / name, n_most)

    def is_absent(self, name: str) -> bool:
        """Tell whether there is no object."""
        return look_up(self.root / name) is None

    def write_new(self, name: str, text: str) -> bool:
        """Write an object; False if another run has written it meanwhile."""
        return create_object(self.root / name, text.encode())

    def replace(self, name: str, text: str) -> None:
        """Write an object, or write it again."""
        write_object(self.root / name, text.encode())

    def video_ids(self) -> list[str]:
        """Return the ids that have an object."""
        names = [info.address.name for info in list_objects(self.root / "videos")]
        return sorted(name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX))

    def written_at(self, name: str) -> float | None:
        """Return when an object was written; None if there is none."""
        info = look_up(self.root / name)
        return None if info is None else info.written

    def claim(self, name: str) -> AbstractContextManager[bool]:
        """Return a context that yields True: an object store has no locks."""
        return nullcontext(True)

    def local(self, name: str) -> AbstractContextManager[Path]:
        """Return a context that yields a copy."""
        return staged(self.root / name)

    def headers(self, name: str) -> VideoFeatures:
        """Read what a features file declares, and not its arrays."""
        address = self.root / name
        if (info := look_up(address)) is None:
            raise ArtifactError(f"there is no file {address}", "Make it first: avloc extract.")
        with ObjectFile(info) as file:
            try:
                return read_artifact(address, "features", parse_features, Depth.HEADERS, file)
            except ArtifactError:
                if file.error is not None:
                    raise file.error from None
                raise

    def select(self, video_ids: Iterable[str], accept: Callable[[str], bool]) -> set[str]:
        """Return the videos that ``accept`` accepts; of many, those that are listed are asked."""
        present = sorted(set(video_ids))
        if len(present) > _AT_ONCE:  # else a listing takes longer
            present = sorted(set(present).intersection(self.video_ids()))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            accepted = list(pool.map(accept, present))
        return {video_id for video_id, is_one in zip(present, accepted, strict=True) if is_one}

    def add_failure(self, video_id: str, row: str) -> None:
        """Write a row as an object."""
        write_object(self.root / "failures" / f"{video_id}.json", row.encode("utf-8", "replace"))

    def failures(self) -> list[bytes]:
        """Return the rows about failed videos."""
        addresses = [info.address for info in list_objects(self.root / "failures")]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            rows = pool.map(lambda address: read_object(address, _LONGEST_ROW), addresses)
            return [row for row in rows if row is not None]

    def sweep(self) -> None:
        """Do nothing: what was not put whole is not there."""


def files_of(root: Location) -> StoreFiles:
    """Return the files of the store at a path or an address."""
    return FolderFiles(root) if isinstance(root, Path) else ObjectFiles(root)
