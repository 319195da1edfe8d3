"""One video's features, written as its segments come."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avloc.artifacts.digests import ArrayDigest
from avloc.artifacts.features_file import (
    FEATURE_ARRAYS,
    FEATURE_FIELDS,
    VideoFeatures,
    parse_features,
)
from avloc.artifacts.new_artifact import create_on
from avloc.artifacts.steady_file import steady_file
from avloc.errors import OutputError


class FeatureWriter:
    """A features file under way: its maps first, a few segments at a time, then all else.

    Nothing carries the final name before `finish`, and nothing is left after `abandon`.

    Args:
        path: the file to be.
        n_segments: T.

    Raises:
        OutputError: the place cannot be written (every method).
        ArtifactError: a value is NaN or infinite, or no reader would take the file (every
            method).
    """

    def __init__(self, path: Path | str, n_segments: int) -> None:
        self._n_segments = n_segments
        self._n_written = 0
        self._digest = ArrayDigest()
        with ExitStack() as stack:
            self._disk = stack.enter_context(steady_file(path))
            self._new = stack.enter_context(
                create_on(self._disk, Path(path), "features", parse_features)
            )
            self._stack = stack.pop_all()

    def put_visual(self, maps: NDArray[np.float16]) -> None:
        """Append the next segments' maps, (k, H, W, Dv)."""
        with self._abandoned_on_error():
            file = self._new.file
            if "visual" not in file:
                file.create_dataset("visual", (self._n_segments, *maps.shape[1:]), maps.dtype)
            maps = np.asarray(maps, file["visual"].dtype)
            file["visual"][self._n_written : self._n_written + len(maps)] = maps
            self._n_written += len(maps)
            self._digest.add(maps)
            if not self._digest.is_finite:
                raise self._new.not_finite("visual")
            self._disk.check()  # now, not after the hours that the rest may take

    def finish(self, rest: VideoFeatures) -> None:
        """Write everything but the maps, and give the file its name.

        Raises:
            ValueError: maps were put, but not T of them.
        """
        with self._abandoned_on_error():
            if self._n_written not in (0, self._n_segments):
                raise ValueError(f"{self._n_written} of {self._n_segments} maps were written")
            if self._n_written:
                visual = self._new.file["visual"]
                self._new.note("visual", self._digest, visual.dtype, visual.shape)
            self._new.put({n: getattr(rest, n) for n in FEATURE_ARRAYS if n != "visual"})
            self._new.header |= {name: getattr(rest, name) for name in FEATURE_FIELDS}
        self._stack.close()

    def abandon(self) -> None:
        """Leave no trace; nobody asks any more whether the disk took it all."""
        given_up = _GivenUpError()
        with suppress(OutputError):
            self._stack.__exit__(_GivenUpError, given_up, None)

    def _abandoned_on_error(self) -> ExitStack:
        """Return a context in which an error ends the file under way as well."""
        guard = ExitStack()
        guard.push(lambda *error: self._stack.__exit__(*error) if error[0] else None)
        return guard


class _GivenUpError(Exception):
    """Ends a file under way; nobody sees it."""


def write_features(path: Path | str, features: VideoFeatures) -> None:
    """Write one video's features atomically.

    Raises:
        OutputError: the place cannot be written.
    """
    writer = FeatureWriter(path, features.n_segments)
    if features.visual is not None:
        writer.put_visual(features.visual)
    writer.finish(replace(features, visual=None))
