"""Features: one HDF5 file a video (schema ``avloc.features/1``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts.hdf5 import create, from_json, open_artifact, optional, to_json, write_arrays


@dataclass(frozen=True)
class VideoFeatures:
    """One video's embeddings, one a segment, and how they came about.

    Attributes:
        video_id: names the video.
        segment_times: (T, 2) each segment's start and end in seconds.
        visual: (T, H, W, Dv) maps; None if the video has no video stream.
        audio: (T, Da) vectors; None if it has no audio stream.
        frame_index: (T, r) source frame, in decode order, that each sample used.
        visual_valid: (T,) the segment had real picture.
        audio_valid: (T,) the segment had real sound.
        duration: seconds, from the origin to the end of the longer stream.
        fps_sampled: r, samples a second.
        segment_seconds: a segment's length.
        spec: the feature spec that made it, and
        fingerprint: the spec's hash.
        flags: what was repaired or is absent (``rotated``, ``pts_rebuilt``, ...).
        source: the video's path at the time.
        source_sha256: of the video file.
        source_bytes: its size.
        frame_size: shown (width, height) in pixels; None without a video stream.
    """

    video_id: str
    segment_times: NDArray[np.float64]
    visual: NDArray[np.float16] | None
    audio: NDArray[np.float32] | None
    frame_index: NDArray[np.int32] | None
    visual_valid: NDArray[np.bool_]
    audio_valid: NDArray[np.bool_]
    duration: float
    fps_sampled: float
    segment_seconds: float
    spec: Mapping[str, object]
    fingerprint: str
    flags: tuple[str, ...] = ()
    source: str = ""
    source_sha256: str = ""
    source_bytes: int = 0
    frame_size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        """Refuse arrays whose segments do not agree.

        Raises:
            ValueError: an array's T differs from that of ``segment_times``.
        """
        n_segments = len(self.segment_times)
        for name in ("visual", "audio", "frame_index", "visual_valid", "audio_valid"):
            array = getattr(self, name)
            if array is not None and len(array) != n_segments:
                raise ValueError(f"{name} has {len(array)} segments, segment_times {n_segments}")

    @property
    def n_segments(self) -> int:
        """T."""
        return len(self.segment_times)


_ARRAYS = ("segment_times", "visual", "audio", "frame_index", "visual_valid", "audio_valid")
_PLAIN = (
    "video_id",
    "duration",
    "fps_sampled",
    "segment_seconds",
    "fingerprint",
    "source",
    "source_sha256",
    "source_bytes",
)


def write_features(path: Path | str, features: VideoFeatures) -> None:
    """Write one video's features atomically.

    Raises:
        OutputError: the place cannot be written.
    """
    with create(path, "features") as file:
        write_arrays(file, {name: getattr(features, name) for name in _ARRAYS})
        file.attrs.update({name: getattr(features, name) for name in _PLAIN})
        file.attrs["spec"] = to_json(dict(features.spec))
        file.attrs["flags"] = to_json(list(features.flags))
        file.attrs["frame_size"] = to_json(features.frame_size)


def read_features(path: Path | str) -> VideoFeatures:
    """Read one video's features.

    Raises:
        ArtifactError: it is missing, damaged, of another kind or too new.
    """
    with open_artifact(path, "features") as file:
        arrays: dict[str, Any] = {name: optional(file, name) for name in _ARRAYS}
        plain: dict[str, Any] = {name: _python(file.attrs[name]) for name in _PLAIN}
        size = from_json(file.attrs["frame_size"])
        return VideoFeatures(
            **arrays,
            **plain,
            spec=from_json(file.attrs["spec"]),
            flags=tuple(from_json(file.attrs["flags"])),
            frame_size=tuple(size) if size else None,
        )


def read_fingerprint(path: Path) -> str:
    """Return a features file's fingerprint without reading its arrays.

    Raises:
        ArtifactError: it is missing, damaged, of another kind or too new.
    """
    with open_artifact(path, "features") as file:
        return str(file.attrs["fingerprint"])


def _python(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
