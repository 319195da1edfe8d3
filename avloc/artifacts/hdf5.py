"""One way to write an HDF5 artifact and one way to open it.

Every artifact carries ``schema`` (``avloc.<kind>/<version>``), ``avloc_version`` and
``created``; it is written under a temporary name and renamed, so a reader never sees half.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
from numpy.typing import NDArray

from avloc.artifacts.arrays import Arrays, Budget
from avloc.artifacts.attributes import Attributes
from avloc.artifacts.heaps import check_heaps
from avloc.artifacts.steady_file import SteadyFile, steady_file
from avloc.errors import ArtifactError, NewerSchemaError, WrongKindError
from avloc.labels import LabelSet

SCHEMA_VERSION = 1
KINDS = ("features", "model", "predictions", "localization", "comparison")


@contextmanager
def create(path: Path | str, kind: str) -> Iterator[h5py.File]:
    """Yield a new HDF5 file that appears at ``path`` when the block succeeds.

    Raises:
        OutputError: the place cannot be written.
    """
    with steady_file(path) as disk, create_on(disk, kind) as file:
        yield file


@contextmanager
def create_on(disk: SteadyFile, kind: str) -> Iterator[h5py.File]:
    """Yield a new HDF5 file on an open file; ``disk.check()`` tells whether it was written."""
    with h5py.File(disk, "w") as file:
        file.attrs.update(stamp(kind))
        yield file


def stamp(kind: str) -> dict[str, str]:
    """Return the attributes that every artifact of a kind carries."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    schema = f"avloc.{kind}/{SCHEMA_VERSION}"
    return {"schema": schema, "avloc_version": version("avloc"), "created": now}


@contextmanager
def open_artifact(path: Path | str, kind: str) -> Iterator[tuple[Arrays, Attributes]]:
    """Yield an artifact's arrays and attributes, once its kind and version are seen to be right.

    Raises:
        ArtifactError: it is missing, damaged, no HDF5, or lacks what its schema asks for.
        WrongKindError: it is an artifact of another kind.
        NewerSchemaError: a newer avloc wrote it.
    """
    path = Path(path)
    with _opened(path, kind) as file:
        attributes = Attributes(file)
        check_schema(attributes.schema, kind, path)
        yield Arrays(file.id, Budget(path.stat().st_size)), attributes


@contextmanager
def _opened(path: Path, kind: str) -> Iterator[h5py.File]:
    """Yield an open file, and turn whatever is found wrong with it into words that name it."""
    made_by = f": {_MADE_BY[kind]}" if kind in _MADE_BY else ""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise ValueError("it is a device or a pipe")  # which would be waited for
        # a whole file never changes, and its writer may still hold the lock of `atomic_path`
        with h5py.File(path, "r", locking=False) as file:
            if file.id.get_create_plist().get_sizes() != (8, 8):
                raise ValueError("its addresses are not of 8 bytes")
            check_heaps(path)
            yield file
    except FileNotFoundError:
        hint = f"Check the path, or make it first{made_by}."
        raise ArtifactError(f"there is no file {path}", hint) from None
    except IsADirectoryError:
        raise WrongKindError(f"{path} is a folder; a {kind} file is wanted") from None
    except _REFUSALS as error:
        reason = " ".join(str(error).strip("'\"").split()) or type(error).__name__
        raise ArtifactError(
            f"{path} is not a readable {kind} file: {reason:.400}", f"Make it again{made_by}."
        ) from error


def check_schema(schema: str, kind: str, path: Path) -> None:
    """Refuse a schema that is not ``avloc.<kind>`` of a version this avloc reads.

    Raises:
        ArtifactError: no avloc schema. WrongKindError: another kind. NewerSchemaError: newer.
    """
    name, _, major = schema.partition("/")
    found = name.removeprefix("avloc.")
    if not name.startswith("avloc.") or not (major.isascii() and major.isdigit()):
        raise ArtifactError(f"{path} was not written by avloc", f"A {kind} file is wanted.")
    if found != kind:
        raise WrongKindError(
            f"{path} holds {found:.60}, and {kind} is wanted here",
            f"`avloc inspect {path}` shows it; to make one: {_MADE_BY[kind]}.",
        )
    if int(major) > SCHEMA_VERSION:
        raise NewerSchemaError(
            f"{path} has schema {schema:.60}; this avloc reads up to {SCHEMA_VERSION}",
            "Install a newer avloc.",
        )


def kind_of(path: Path) -> str:
    """Return the kind of artifact a file is.

    Raises:
        ArtifactError: it is missing, no HDF5, or no avloc file.
    """
    with _opened(path, "avloc") as file:
        schema = Attributes(file).schema
    kind = schema.partition("/")[0].removeprefix("avloc.")
    if kind not in KINDS:
        raise ArtifactError(
            f"{path} is an HDF5 file, but none that avloc wrote", "Give a file that avloc wrote."
        )
    return kind


def write_arrays(file: h5py.Group, arrays: Mapping[str, NDArray[Any] | None]) -> None:
    """Write the arrays that are not None, uncompressed (gzip is 26 times slower here)."""
    for name, array in arrays.items():
        if array is not None:
            file.create_dataset(name, data=array)


def to_json(value: object) -> str:
    """Return canonical JSON, the form in which attributes hold anything nested."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def labels_to_json(labels: LabelSet) -> str:
    """Return a label set as JSON; `Attributes.labels` reads it back."""
    return to_json({"names": list(labels.names), "background": labels.background})


_MADE_BY = {
    "features": "avloc extract",
    "model": "avloc train",
    "predictions": "avloc eval",
    "localization": "avloc localize",
    "comparison": "avloc reproduce",
}

# What h5py raises for a damaged file; MemoryError where a damaged length asks for too much.
_REFUSALS = (
    OSError,
    KeyError,
    ValueError,
    TypeError,
    RuntimeError,
    OverflowError,
    MemoryError,
)
