"""Features: one HDF5 file a video (schema ``avloc.features/2``)."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts.address import Location
from avloc.artifacts.arrays import Arrays, Depth
from avloc.artifacts.digests import ArrayDigest
from avloc.artifacts.hdf5 import read_artifact
from avloc.artifacts.new_artifact import create
from avloc.artifacts.schema import (
    Array,
    FrameSize,
    Range,
    Seconds,
    SegmentSeconds,
    header_fields,
    types_of,
)
from avloc.errors import OutputError
from avloc.spec import FeatureSpec

_Valid = Annotated[NDArray[np.bool_], Array("T", is_small=True)]


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
    segment_times: Annotated[NDArray[np.float64], Array("T 2", is_small=True)]
    visual: Annotated[NDArray[np.float16] | None, Array("T H W Dv")]
    audio: Annotated[NDArray[np.float32] | None, Array("T Da")]
    frame_index: Annotated[NDArray[np.int32] | None, Array("T r")]
    visual_valid: _Valid
    audio_valid: _Valid
    duration: Seconds
    fps_sampled: Annotated[float, Range(0, 1e12)]
    segment_seconds: SegmentSeconds
    spec: FeatureSpec
    flags: tuple[str, ...] = ()
    source: str = ""
    source_sha256: str = ""
    source_bytes: Annotated[int, Range(0)] = 0
    frame_size: FrameSize = None

    def __post_init__(self) -> None:
        for name in ("visual", "audio", "frame_index", "visual_valid", "audio_valid"):
            array = getattr(self, name)
            if array is not None and len(array) != self.n_segments:
                raise ValueError(
                    f"{name} has {len(array)} segments, segment_times {self.n_segments}"
                )

    @property
    def n_segments(self) -> int:
        """T."""
        return len(self.segment_times)

    @property
    def fingerprint(self) -> str:
        """The spec's hash."""
        return self.spec.fingerprint


def read_features(path: Path | str, depth: Depth = Depth.WHOLE) -> VideoFeatures:
    """Read one video's features; ArtifactError if it is missing, damaged or too new."""
    return read_artifact(path, "features", parse_features, depth)


def parse_features(arrays: Arrays, header: dict[str, Any]) -> VideoFeatures:
    """Make features of a file's arrays and header; ValueError where they are damaged."""
    types = types_of(VideoFeatures)
    fields = header_fields(header, types)
    arrays.owner = f"the video {fields['video_id']!r:.200}"
    features = VideoFeatures(**fields, **arrays.fields(types))
    times = features.segment_times
    if not ((times[:, 0] < times[:, 1]).all() and (np.diff(times[:, 0]) > 0).all()):
        raise ValueError("segment_times do not run forward")
    return features


class FeatureWriter:
    """Writes a features file: its maps first, a few segments at a time, then all else.

    The file has its final name only after `finish`; nothing is left after `abandon`. `OutputError`
    if it cannot be written, `ArtifactError` if a value is NaN or no reader would take the file.
    """

    def __init__(self, path: Location | str, n_segments: int) -> None:
        self._n_segments = n_segments
        self._n_written = 0
        self._digest = ArrayDigest()
        self._stack = ExitStack()
        self._new = self._stack.enter_context(create(path, "features", parse_features))

    def put_visual(self, maps: NDArray[np.float16]) -> None:
        """Append the next segments' maps, (k, H, W, Dv)."""
        with self._abandoned_on_error():
            file = self._new.file
            if "visual" not in file:
                file.create_dataset("visual", (self._n_segments, *maps.shape[1:]), maps.dtype)
            visual = file["visual"]
            maps = np.asarray(maps, visual.dtype)
            visual[self._n_written : self._n_written + len(maps)] = maps
            self._n_written += len(maps)
            self._digest.add(maps)
            self._new.note("visual", self._digest, visual)
            self._new.disk.check()  # now, not after the hours that the rest may take

    def finish(self, rest: VideoFeatures) -> None:
        """Write everything but the maps, and rename the file."""
        with self._abandoned_on_error():
            if self._n_written not in (0, self._n_segments):
                raise ValueError(f"{self._n_written} of {self._n_segments} maps were written")
            types = types_of(VideoFeatures)
            self._new.put(vars(rest), {n: kind for n, kind in types.items() if n != "visual"})
            self._new.header["fingerprint"] = rest.fingerprint
        self._stack.close()

    def abandon(self) -> None:
        """Leave no trace, also where the disk is full."""
        with suppress(OutputError):
            self._stack.__exit__(_AbandonedError, _AbandonedError(), None)

    def _abandoned_on_error(self) -> ExitStack:
        """Return a context in which an error abandons the file as well."""
        guard = ExitStack()
        guard.push(lambda *error: self._stack.__exit__(*error) if error[0] else None)
        return guard


class _AbandonedError(Exception):
    """Ends a file that is being written; it is never seen outside."""


def write_features(path: Location | str, features: VideoFeatures) -> None:
    """Write one video's features atomically, with the errors of `FeatureWriter`."""
    writer = FeatureWriter(path, features.n_segments)
    if features.visual is not None:
        writer.put_visual(features.visual)
    writer.finish(replace(features, visual=None))
