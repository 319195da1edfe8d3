"""One way to write an HDF5 artifact: what its reader would refuse is refused when it is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from avloc.artifacts.address import Location, as_location
from avloc.artifacts.arrays import Depth
from avloc.artifacts.digests import ArrayDigest, Record, digest_of
from avloc.artifacts.hdf5 import (
    HEADER,
    REFUSALS,
    STAMPS,
    VERSIONS,
    Parse,
    contents_of,
    in_words,
    seal,
)
from avloc.artifacts.schema import MAX_JSON, array_of, to_json
from avloc.artifacts.steady_file import SteadyFile, steady_file
from avloc.errors import ArtifactError

_AGAINST_NAN = {
    "features": "Extract it with --precision fp32; if that does not help, leave the video out.",
    "model": "Train with a smaller learning rate: --set learning_rate=1e-4.",
}


class NewArtifact:
    """An artifact that is being written: its arrays, then its header."""

    def __init__(self, file: h5py.File, disk: SteadyFile, path: Location, kind: str) -> None:
        self.file, self.disk, self._path, self._kind = file, disk, path, kind
        self.header: dict[str, object] = {}
        self._records: dict[str, Record] = {}

    def put(self, values: Mapping[str, Any], types: Mapping[str, Any]) -> None:
        """Write the fields of these types: arrays that are not None, others into the header."""
        for name, kind in types.items():
            value, array = values[name], array_of(kind)
            if array is None:
                self.header[name] = value
            elif isinstance(value, Mapping):
                self.file.create_group(name)
                for key, item in value.items():
                    self._put_array(f"{name}/{key}", item, array.may_be_nan)
            elif value is not None:
                self._put_array(name, value, array.may_be_nan)

    def _put_array(self, path: str, value: Any, may_be_nan: bool) -> None:
        value = np.asarray(value)  # uncompressed: gzip is 26 times slower here
        value = np.asarray(value, value.dtype.newbyteorder("<"))
        digest = digest_of(value)
        digest.is_finite |= may_be_nan
        self.note(path, digest, self.file.create_dataset(path, data=value))

    def note(self, path: str, digest: ArrayDigest, array: h5py.Dataset) -> None:
        """List an array that was written; ArtifactError if it holds NaN or infinity."""
        if not digest.is_finite:
            hint = _AGAINST_NAN.get(self._kind, "")
            raise self.refusal(f"{path} holds NaN or infinity", hint)
        self._records[path] = digest.record(array.dtype, array.shape)

    def refusal(self, reason: str, hint: str = "") -> ArtifactError:
        """Return the error of a file that no reader would take."""
        return ArtifactError(f"{self._path} cannot be written: {reason}", hint)

    def seal(self) -> None:
        """Write the header, and the digest over all."""
        try:
            header = to_json(self.header | {"arrays": self._records}).encode()
        except UnicodeEncodeError as error:
            raise self.refusal(f"its header cannot be UTF-8: {in_words(error)}") from error
        if len(header) > MAX_JSON:
            raise self.refusal(f"its header has {len(header)} bytes, more than {MAX_JSON}")
        self.file.create_dataset(HEADER, data=np.frombuffer(header, np.uint8))
        stamps = stamp(self._kind)
        stamps["digest"] = seal([stamps[name] for name in STAMPS], header)
        self.file.attrs.update({name: np.bytes_(text) for name, text in stamps.items()})


@contextmanager
def create(path: Location | str, kind: str, parse: Parse[object]) -> Iterator[NewArtifact]:
    """Yield a new artifact that appears at ``path`` when the block succeeds.

    `OutputError` if it cannot be written; `ArtifactError` if ``parse`` would refuse it.
    """
    location = as_location(path)
    with steady_file(location) as disk:
        with h5py.File(disk, "w") as file:
            new = NewArtifact(file, disk, location, kind)
            yield new
            new.seal()
        disk.check()
        with h5py.File(disk, "r") as file:
            try:
                parse(*contents_of(file, Path(disk.name), kind, Depth.HEADERS))
            except REFUSALS as error:
                raise new.refusal(in_words(error)) from error


def stamp(kind: str) -> dict[str, str]:
    """Return the attributes that every artifact of a kind carries."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    schema = f"avloc.{kind}/{VERSIONS[kind]}"
    return {"schema": schema, "avloc_version": version("avloc"), "created": now}
