"""Features: one HDF5 file a video (schema ``avloc.features/2``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts.arrays import REAL, TRUTH, WHOLE, Arrays
from avloc.artifacts.hdf5 import read_artifact
from avloc.artifacts.header import SEGMENT_SECONDS, Header
from avloc.artifacts.reading import Depth
from avloc.spec import FeatureSpec


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
        spec: what made the features what they are.
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
    spec: FeatureSpec
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

    @property
    def fingerprint(self) -> str:
        """The spec's hash."""
        return self.spec.fingerprint


FEATURE_ARRAYS = ("segment_times", "visual", "audio", "frame_index", "visual_valid", "audio_valid")
FEATURE_FIELDS = (
    "video_id",
    "duration",
    "fps_sampled",
    "segment_seconds",
    "fingerprint",
    "source",
    "source_sha256",
    "source_bytes",
    "spec",
    "flags",
    "frame_size",
)


def read_features(path: Path | str) -> VideoFeatures:
    """Read one video's features.

    Raises:
        ArtifactError: it is missing, damaged, of another kind or too new.
    """
    return read_artifact(path, "features", parse_features)


def look_at_features(path: Path) -> VideoFeatures:
    """Check all that a reader would refuse but the maps' and vectors' content.

    Their arrays have the right shape and type, and no content.

    Raises:
        ArtifactError: it is missing, damaged, of another kind or too new.
    """
    return read_artifact(path, "features", parse_features, Depth.HEADERS)


def parse_features(arrays: Arrays, header: Header) -> VideoFeatures:
    """Make features of a file's arrays and header; ValueError where they are damaged."""
    video_id = header.text("video_id")
    arrays.owner = f"the video {video_id!r:.200}"
    return VideoFeatures(
        segment_times=_segment_times(arrays),
        visual=arrays.find("visual", "T H W Dv", REAL),
        audio=arrays.find("audio", "T Da", REAL),
        frame_index=arrays.find("frame_index", "T r", WHOLE),
        visual_valid=arrays.read("visual_valid", "T", TRUTH, is_small=True),
        audio_valid=arrays.read("audio_valid", "T", TRUTH, is_small=True),
        video_id=video_id,
        duration=header.number("duration"),
        fps_sampled=header.number("fps_sampled"),
        segment_seconds=header.number("segment_seconds", *SEGMENT_SECONDS),
        spec=header.spec("spec"),
        flags=header.texts("flags"),
        source=header.text("source"),
        source_sha256=header.text("source_sha256"),
        source_bytes=header.whole("source_bytes", least=0),
        frame_size=header.frame_size(),
    )


def _segment_times(arrays: Arrays) -> NDArray[np.float64]:
    times = arrays.read("segment_times", "T 2", REAL, is_small=True)
    is_forward = (times[:, 0] < times[:, 1]).all() and (np.diff(times[:, 0]) > 0).all()
    if not is_forward:
        raise ValueError("segment_times do not run forward")
    return times
