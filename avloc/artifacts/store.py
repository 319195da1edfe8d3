"""A feature store: a folder of features, one file a video, that fills up over many runs.

``store.json`` says what the features are; ``videos/<video_id>.h5`` are the features;
``failures.jsonl`` has a row for each video that could not be extracted.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from avloc.artifacts.atomic import append_line, sweep
from avloc.artifacts.feature_writer import FeatureWriter, write_features
from avloc.artifacts.features_file import VideoFeatures, look_at_features, read_features
from avloc.artifacts.store_file import read_store_file, write_store_file
from avloc.artifacts.typed_json import to_json
from avloc.errors import (
    ArtifactError,
    FingerprintError,
    UsageError,
    WrongKindError,
)
from avloc.spec import FeatureSpec

_STORE_FILE = "store.json"
_FAILURES_FILE = "failures.jsonl"
_NO_STORE = (
    "Make one first: avloc extract PATH; for training, PATH is a labelled data set or a manifest."
)


@dataclass(frozen=True)
class Failure:
    """A video that could not be extracted, and why."""

    video_id: str
    source: str
    reason: str


class FeatureStore:
    """A folder of features of one fingerprint.

    Attributes:
        root: the folder.
        spec: of all features in it.
        dataset_root: the data set it was extracted from; empty if none.
        has_digest: its ``store.json`` carries a digest, as those of avloc 0.1 did not.
    """

    def __init__(
        self,
        root: Path,
        spec: FeatureSpec,
        dataset_root: str,
        has_digest: bool = True,
    ) -> None:
        self.root = root
        self.spec = spec
        self.dataset_root = dataset_root
        self.has_digest = has_digest

    @classmethod
    def open(cls, root: Path | str) -> FeatureStore:
        """Open a store that exists.

        Raises:
            ArtifactError: there is none at this place, or it is damaged.
            WrongKindError: the place is a file, for example a model.
        """
        root = Path(root)
        if root.is_file():
            raise WrongKindError(
                f"{root} is a file, and a feature store is a folder",
                f"`avloc inspect {root}` shows what it is.",
            )
        path = root / _STORE_FILE
        try:
            return cls(root, **read_store_file(path))
        except FileNotFoundError:
            raise ArtifactError(f"there is no feature store at {root}", _NO_STORE) from None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ArtifactError(
                f"{path} is damaged: {error!s:.400}", "Extract into a fresh folder."
            ) from error

    @classmethod
    def create(cls, root: Path | str, spec: FeatureSpec, dataset_root: str = "") -> FeatureStore:
        """Open the store at ``root``, or make it if there is none.

        Raises:
            FingerprintError: a store of other features is there: they never mix.
            OutputError: the folder cannot be written.
        """
        root = Path(root)
        if (root / _STORE_FILE).exists() or root.is_file():
            store = cls.open(root)
            _refuse_mixing(store, spec)
            if dataset_root in ("", store.dataset_root):
                return store
        store = cls(root, spec, dataset_root)
        write_store_file(root / _STORE_FILE, spec, dataset_root)
        return store

    @property
    def fingerprint(self) -> str:
        """The spec's hash."""
        return self.spec.fingerprint

    def path_of(self, video_id: str) -> Path:
        """Return where a video's features lie, or would.

        Raises:
            UsageError: the id is no file name (empty, with a slash or NUL), or begins with a
                dot, as hidden files do.
        """
        if not video_id or video_id[0] == "." or any(letter in video_id for letter in "/\\\0"):
            raise UsageError(
                f"{video_id!r} cannot name a video: it must be a plain file name",
                "It must not be empty, begin with a dot, or hold a slash.",
            )
        return self.root / "videos" / f"{video_id}.h5"

    def __contains__(self, video_id: str) -> bool:
        """Tell whether a readable file with this store's fingerprint is there.

        All is checked that `read` would refuse but the content of the maps and vectors, which
        is not read.
        """
        try:
            return look_at_features(self.path_of(video_id)).fingerprint == self.fingerprint
        except ArtifactError:
            return False

    def video_ids(self) -> list[str]:
        """Return the ids that have a features file, sorted; leftovers of a kill are not listed."""
        files = (self.root / "videos").glob("*.h5")
        return sorted(file.stem for file in files if not file.name.startswith("."))

    def read(self, video_id: str) -> VideoFeatures:
        """Read a video's features.

        Raises:
            ArtifactError: missing or damaged.
            FingerprintError: the file is of another fingerprint than the store.
        """
        path = self.path_of(video_id)
        features = read_features(path)
        if features.fingerprint != self.fingerprint:
            raise FingerprintError(
                f"{path} has fingerprint {features.fingerprint}, its store {self.fingerprint}",
                "Extract again with --overwrite stale.",
            )
        return features

    def write(self, features: VideoFeatures) -> Path:
        """Write a video's features atomically and return the path.

        Raises:
            FingerprintError: they are not this store's kind.
            OutputError: the place cannot be written.
        """
        _refuse_mixing(self, features.spec)
        path = self.path_of(features.video_id)
        write_features(path, features)
        return path

    def writer(self, video_id: str, n_segments: int) -> FeatureWriter:
        """Begin a video's file, to be written as its segments come.

        Raises:
            OutputError: the place cannot be written.
        """
        return FeatureWriter(self.path_of(video_id), n_segments)

    def sweep(self) -> None:
        """Remove what runs that were killed more than a day ago left half-written."""
        for folder in (self.root, self.root / "videos"):
            sweep(folder)

    def record_failure(self, video_id: str, source: str, reason: str) -> None:
        """Append a failure row; rows of many writers stay whole.

        Raises:
            OutputError: the place cannot be written.
        """
        row = to_json(asdict(Failure(video_id, source, reason)))
        append_line(self.root / _FAILURES_FILE, row)

    def failures(self) -> list[Failure]:
        """Return the videos whose last attempt failed, in order of their id.

        A line that is no whole row is passed over: runs that were killed tear lines, and other
        runs go on behind them.

        Raises:
            ArtifactError: the rows cannot be read at all.
        """
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
        """Return the failure that a line tells of, None if the line is no whole row."""
        try:
            row = Failure(**json.loads(line.decode()))
            "".join((row.video_id, row.source, row.reason)).encode()
            self.path_of(row.video_id)
        except (ValueError, TypeError, RecursionError, UsageError):
            return None
        return row


def _refuse_mixing(store: FeatureStore, spec: FeatureSpec) -> None:
    if spec != store.spec:
        raise FingerprintError(
            f"{store.root} holds features {store.fingerprint}, these are {spec.fingerprint}"
            f" ({spec.differences(store.spec)})",
            "Features of different fingerprints never mix: give another folder for these.",
        )
