"""A feature store: a folder of features, one file a video, that is filled by many runs.

``store.json`` says what the features are; ``videos/<video_id>.h5`` are the features;
``failures.jsonl`` has a row for each video that could not be extracted.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from avloc.artifacts.arrays import Depth
from avloc.artifacts.atomic import append_line, claim, sweep, write_text
from avloc.artifacts.digests import digest_of_bytes
from avloc.artifacts.features_file import (
    FeatureWriter,
    VideoFeatures,
    read_features,
    write_features,
)
from avloc.artifacts.hdf5 import check_schema
from avloc.artifacts.new_artifact import stamp
from avloc.artifacts.schema import from_json, header_fields, to_json, typed
from avloc.errors import ArtifactError, FingerprintError, UsageError, WrongKindError
from avloc.spec import FeatureSpec

_STORE_FILE = "store.json"
_FAILURES_FILE = "failures.jsonl"
_LONGEST_STORE_FILE = 2**20  # bytes


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
        root: the folder.
        spec: of all features in it.
        dataset_root: the data set it was extracted from; empty if none.
        has_digest: its ``store.json`` carries a digest, as those of avloc 0.1 did not.
    """

    root: Path
    spec: FeatureSpec
    dataset_root: str
    has_digest: bool = True

    @classmethod
    def open(cls, root: Path | str) -> FeatureStore:
        """Open a store; ArtifactError if there is none, or it is damaged."""
        root = Path(root)
        if root.is_file():
            raise WrongKindError(
                f"{root} is a file, and a feature store is a folder",
                f"`avloc inspect {root}` shows what it is.",
            )
        path = root / _STORE_FILE
        try:
            content = _read_store_file(path)
            fields = header_fields(
                content, {"schema": str, "spec": FeatureSpec, "dataset_root": str}
            )
            check_schema(fields.pop("schema"), "features", path)
            return cls(root, **fields, has_digest="digest" in content)
        except FileNotFoundError:
            raise ArtifactError(
                f"there is no feature store at {root}",
                "Make one first: avloc extract PATH; for training, PATH is a labelled data set or"
                " a manifest.",
            ) from None
        except (OSError, ValueError, RecursionError) as error:
            raise ArtifactError(
                f"{path} is damaged: {error!s:.400}", "Extract into a fresh folder."
            ) from error

    @classmethod
    def create(cls, root: Path | str, spec: FeatureSpec, dataset_root: str = "") -> FeatureStore:
        """Open the store at ``root``, or make it; `FingerprintError` if it has other features."""
        root = Path(root)
        if (root / _STORE_FILE).exists() or root.is_file():
            store = cls.open(root)
            store._refuse_mixing(spec)
            if dataset_root in ("", store.dataset_root):
                return store
        content = stamp("features") | {
            "spec": spec.as_dict(),
            "fingerprint": spec.fingerprint,
            "dataset_root": dataset_root,
        }
        text = json.dumps(content | {"digest": _digest(content)}, indent=2)
        write_text(root / _STORE_FILE, text + "\n")
        return cls(root, spec, dataset_root)

    @property
    def fingerprint(self) -> str:
        """The spec's hash."""
        return self.spec.fingerprint

    def path_of(self, video_id: str) -> Path:
        """Return the path of a video's features; UsageError if the id cannot name a file."""
        if not video_id or video_id[0] == "." or any(letter in video_id for letter in "/\\\0"):
            raise UsageError(
                f"{video_id!r} cannot name a video: it must be a plain file name",
                "It must not be empty, begin with a dot, or hold a slash.",
            )
        return self.root / "videos" / f"{video_id}.h5"

    def __contains__(self, video_id: str) -> bool:
        """Tell whether `read` would accept the video's file, without reading maps and vectors."""
        try:
            return read_features(self.path_of(video_id), Depth.HEADERS).spec == self.spec
        except ArtifactError:
            return False

    def written_at(self, video_id: str) -> float | None:
        """Return when a video's features were written, in seconds as `time.time`; None if never."""
        try:
            return self.path_of(video_id).stat().st_mtime
        except OSError:
            return None

    def claim(self, video_id: str) -> AbstractContextManager[bool]:
        """Return a context that yields whether this run may make a video; see `atomic.claim`."""
        return claim(self.path_of(video_id))

    def video_ids(self) -> list[str]:
        """Return the ids that have a features file, sorted; leftovers of a kill are not listed."""
        files = (self.root / "videos").glob("*.h5")
        return sorted(file.stem for file in files if not file.name.startswith("."))

    def read(self, video_id: str, depth: Depth = Depth.WHOLE) -> VideoFeatures:
        """Read a video's features; ArtifactError if missing, damaged or of another spec."""
        path = self.path_of(video_id)
        features = read_features(path, depth)
        if features.spec != self.spec:
            raise FingerprintError(
                f"{path} has fingerprint {features.fingerprint}, its store {self.fingerprint}",
                "Extract again with --overwrite stale.",
            )
        return features

    def write(self, features: VideoFeatures) -> Path:
        """Write a video's features and return the path; FingerprintError if of another spec."""
        self._refuse_mixing(features.spec)
        path = self.path_of(features.video_id)
        write_features(path, features)
        return path

    def writer(self, video_id: str, n_segments: int) -> FeatureWriter:
        """Begin a video's file, to be written segment by segment."""
        return FeatureWriter(self.path_of(video_id), n_segments)

    def sweep(self) -> None:
        """Remove files that killed runs left half-written."""
        for folder in (self.root, self.root / "videos"):
            sweep(folder)

    def record_failure(self, video_id: str, source: str, reason: str) -> None:
        """Append a failure row; rows of many writers stay whole."""
        row = Failure(video_id, source, reason)
        append_line(self.root / _FAILURES_FILE, to_json(row))

    def failures(self) -> list[Failure]:
        """Return the videos whose last attempt failed, in order of their id."""
        path = self.root / _FAILURES_FILE
        try:
            lines = path.read_bytes().splitlines() if path.exists() else []
        except OSError as error:
            raise ArtifactError(
                f"{path} cannot be read: {error.strerror}", "Remove it; extraction makes it anew."
            ) from error
        rows = {row.video_id: row for row in map(self._failure, lines) if row is not None}
        return [rows[name] for name in sorted(rows) if name not in self]

    def _failure(self, line: bytes) -> Failure | None:
        try:
            row: Failure = typed(from_json(line.decode()), Failure, "the row")
            self.path_of(row.video_id)
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


def _digest(content: Mapping[str, Any]) -> str:
    covered = {name: value for name, value in content.items() if name != "digest"}
    return digest_of_bytes(to_json(covered).encode("utf-8", "surrogatepass"))


def _read_store_file(path: Path) -> dict[str, Any]:
    if path.exists() and not path.is_file():
        raise ValueError("it is not a file")
    with path.open("rb") as file:
        raw = file.read(_LONGEST_STORE_FILE + 1)
    if len(raw) > _LONGEST_STORE_FILE:
        raise ValueError(f"it is longer than {_LONGEST_STORE_FILE} bytes")
    content = json.loads(raw.decode())
    if not isinstance(content, dict):
        raise ValueError("it is not a JSON object")
    if "digest" in content and content["digest"] != _digest(content):
        raise ValueError(
            "it does not match its digest (remove that line if you changed it by hand)"
        )
    return content
