"""A feature store: a folder of features, one file a video, that is filled by many runs.

``store.json`` says what the features are; ``videos/<video_id>.h5`` are the features;
``failures.jsonl`` has a row for each video that could not be extracted. At an address, where
nothing can be appended to, the rows are ``failures/<video_id>.json``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from xxhash import xxh3_64_hexdigest

from avloc.artifacts.address import Location, as_location
from avloc.artifacts.arrays import Depth
from avloc.artifacts.features_file import (
    FeatureWriter,
    VideoFeatures,
    read_features,
    write_features,
)
from avloc.artifacts.hdf5 import check_schema
from avloc.artifacts.schema import from_json, header_fields, to_json, typed
from avloc.artifacts.store_description import LONGEST, parsed, store_text
from avloc.artifacts.store_files import SUFFIX, StoreFiles, files_of
from avloc.errors import ArtifactError, FingerprintError, UsageError, WrongKindError
from avloc.spec import FeatureSpec

_STORE_FILE = "store.json"


@dataclass(frozen=True)
class Failure:
    """A video that could not be extracted, and why."""

    video_id: str
    source: str
    reason: str


@dataclass(frozen=True)
class FeatureStore:
    """A folder of features of one spec.

    Attributes:
        root: the folder, or its address.
        spec: of all features in it.
        dataset_root: the data set it was extracted from; empty if none.
        has_digest: its ``store.json`` carries a digest, as those of avloc 0.1 did not.
    """

    root: Location
    spec: FeatureSpec
    dataset_root: str
    has_digest: bool = True

    @classmethod
    def open(cls, root: Location | str) -> FeatureStore:
        """Open a store; ArtifactError if there is none, or it is damaged."""
        root = as_location(root)
        if isinstance(root, Path) and root.is_file():
            raise WrongKindError(
                f"{root} is a file, and a feature store is a folder",
                f"`avloc inspect {root}` shows what it is.",
            )
        path = root / _STORE_FILE
        try:
            raw = files_of(root).read(_STORE_FILE, LONGEST + 1)
            if raw is None:
                raise ArtifactError(
                    f"there is no feature store at {root}",
                    "Make one first: avloc extract PATH; for training, PATH is a labelled data set"
                    " or a manifest.",
                )
            content = parsed(raw)
            fields = header_fields(
                content, {"schema": str, "spec": FeatureSpec, "dataset_root": str}
            )
            check_schema(fields.pop("schema"), "features", path)
            return cls(root, **fields, has_digest="digest" in content)
        except (OSError, ValueError, RecursionError) as error:
            raise ArtifactError(
                f"{path} is damaged: {error!s:.400}", "Extract into a fresh folder."
            ) from error

    @classmethod
    def create(
        cls, root: Location | str, spec: FeatureSpec, dataset_root: str = ""
    ) -> FeatureStore:
        """Open the store at ``root``, or make it; `FingerprintError` if it has other features."""
        root = as_location(root)
        files = files_of(root)
        is_new = not (isinstance(root, Path) and root.is_file()) and files.is_absent(_STORE_FILE)
        if not is_new:
            store = cls.open(root)
            store._refuse_mixing(spec)
            if dataset_root in ("", store.dataset_root):
                return store
        text = store_text(spec, dataset_root)
        if not is_new:
            files.replace(_STORE_FILE, text)
        elif not files.write_new(_STORE_FILE, text):  # another run was quicker
            return cls.create(root, spec, dataset_root)
        return cls(root, spec, dataset_root)

    @cached_property
    def files(self) -> StoreFiles:
        """What its files are read and written with."""
        return files_of(self.root)

    @property
    def fingerprint(self) -> str:
        """The spec's hash."""
        return self.spec.fingerprint

    @property
    def identity(self) -> str:
        """A hash of its description; a store elsewhere with the same path has another one."""
        return xxh3_64_hexdigest(self.files.read(_STORE_FILE, LONGEST) or b"")

    @property
    def folder(self) -> Path:
        """The folder of a store on this machine; UsageError if it is at an address."""
        if isinstance(self.root, Path):
            return self.root
        raise UsageError(f"the store {self.root} is not on this machine", "Copy it here first.")

    def path_of(self, video_id: str) -> Path:
        """Return the path of a video's features in a folder; UsageError if no file can have it."""
        return self.folder / _name(video_id)

    def local_path(self, video_id: str) -> AbstractContextManager[Path]:
        """Return a context that yields a path on this machine: at an address, of a copy."""
        return self.files.local(_name(video_id))

    def __contains__(self, video_id: str) -> bool:
        """Tell whether `read` would accept the video's file, without reading maps and vectors."""
        try:
            self.headers(video_id)
        except ArtifactError:
            return False
        return True

    def headers(self, video_id: str) -> VideoFeatures:
        """Read what a video's file declares, without maps and vectors; errors as of `read`."""
        return self._checked(self.files.headers(_name(video_id)), video_id)

    def written_at(self, video_id: str) -> float | None:
        """Return when a video's features were written, in seconds as `time.time`; None if never."""
        return self.files.written_at(_name(video_id))

    def claim(self, video_id: str) -> AbstractContextManager[bool]:
        """Return a context that yields whether this run may make a video; see `atomic.claim`.

        At an address every claim is granted.
        """
        return self.files.claim(_name(video_id))

    def video_ids(self) -> list[str]:
        """Return the ids that have a features file, sorted; leftovers of a kill are not listed."""
        return self.files.video_ids()

    def select(self, video_ids: Iterable[str], accept: Callable[[str], bool]) -> set[str]:
        """Return the videos that ``accept`` accepts, which needs their features.

        At an address, a listing tells which of many have none, and several are asked at once.
        """
        return self.files.select(video_ids, accept)

    def read(self, video_id: str, depth: Depth = Depth.WHOLE) -> VideoFeatures:
        """Read a video's features; ArtifactError if missing, damaged or of another spec."""
        if not isinstance(self.root, Path) and depth in (Depth.IN_PLACE, Depth.CHECKED):
            depth = Depth.WHOLE  # nothing stays in a copy that is removed
        with self.local_path(video_id) as path:
            features = read_features(path, depth)
        return self._checked(features, video_id)

    def _checked(self, features: VideoFeatures, video_id: str) -> VideoFeatures:
        if features.spec != self.spec:
            raise FingerprintError(
                f"{self.root / _name(video_id)} has fingerprint {features.fingerprint}, its store"
                f" {self.fingerprint}",
                "Extract again with --overwrite stale.",
            )
        return features

    def write(self, features: VideoFeatures) -> Location:
        """Write a video's features and return where; FingerprintError if of another spec."""
        self._refuse_mixing(features.spec)
        location = self.root / _name(features.video_id)
        write_features(location, features)
        return location

    def writer(self, video_id: str, n_segments: int) -> FeatureWriter:
        """Begin a video's file, to be written segment by segment."""
        return FeatureWriter(self.root / _name(video_id), n_segments)

    def sweep(self) -> None:
        """Remove files that killed runs left half-written."""
        self.files.sweep()

    def record_failure(self, video_id: str, source: str, reason: str) -> None:
        """Add a failure row; rows of many writers stay whole."""
        self.files.add_failure(video_id, to_json(Failure(video_id, source, reason)))

    def failures(self) -> list[Failure]:
        """Return the videos whose last attempt failed, in order of their id."""
        lines = self.files.failures()
        rows = {row.video_id: row for row in map(self._failure, lines) if row is not None}
        done = self.select(rows, self.__contains__)
        return [rows[name] for name in sorted(rows) if name not in done]

    def _failure(self, line: bytes) -> Failure | None:
        try:
            row: Failure = typed(from_json(line.decode()), Failure, "the row")
            _name(row.video_id)
        except (ValueError, UsageError):
            return None  # a killed run has torn the line
        return row

    def _refuse_mixing(self, spec: FeatureSpec) -> None:
        if spec != self.spec:
            raise FingerprintError(
                f"{self.root} holds features {self.fingerprint}, these are {spec.fingerprint}"
                f" ({spec.differences(self.spec)})",
                "Features of different fingerprints never mix: give another folder for these.",
            )


def check_id(video_id: str) -> None:
    """Refuse an id that cannot name a file: UsageError."""
    if not video_id or video_id[0] == "." or any(letter in video_id for letter in "/\\\0"):
        raise UsageError(
            f"{video_id!r} cannot name a video: it must be a plain file name",
            "It must not be empty, begin with a dot, or hold a slash.",
        )


def _name(video_id: str) -> str:
    """Return the name of a video's features in a store."""
    check_id(video_id)
    return f"videos/{video_id}{SUFFIX}"
