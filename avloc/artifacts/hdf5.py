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
import numpy as np
from numpy.typing import NDArray

from avloc.artifacts.atomic import atomic_path
from avloc.errors import ArtifactError, NewerSchemaError, WrongKindError

SCHEMA_VERSION = 1
KINDS = ("features", "model", "predictions", "localization")


@contextmanager
def create(path: Path | str, kind: str) -> Iterator[h5py.File]:
    """Yield a new HDF5 file that appears at ``path`` when the block succeeds.

    Raises:
        OutputError: the place cannot be written.
    """
    with atomic_path(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs.update(stamp(kind))
        yield file


def stamp(kind: str) -> dict[str, str]:
    """Return the attributes that every artifact of a kind carries."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    schema = f"avloc.{kind}/{SCHEMA_VERSION}"
    return {"schema": schema, "avloc_version": version("avloc"), "created": now}


@contextmanager
def open_artifact(path: Path | str, kind: str) -> Iterator[h5py.File]:
    """Yield an artifact opened for reading, once its kind and version are seen to be right.

    Raises:
        ArtifactError: it is missing, damaged, no HDF5, or lacks what its schema asks for.
        WrongKindError: it is an artifact of another kind.
        NewerSchemaError: a newer avloc wrote it.
    """
    path = Path(path)
    try:
        with h5py.File(path, "r") as file:
            check_schema(str(file.attrs.get("schema", "")), kind, path)
            yield file
    except FileNotFoundError:
        hint = f"Check the path, or make it first: {_MADE_BY[kind]}."
        raise ArtifactError(f"there is no file {path}", hint) from None
    except IsADirectoryError:
        raise WrongKindError(f"{path} is a folder; a {kind} file is wanted") from None
    except (OSError, KeyError, ValueError, TypeError) as error:
        hint = f"Make it again: {_MADE_BY[kind]}."
        reason = " ".join(str(error).strip("'\"").split())
        raise ArtifactError(f"{path} is not a readable {kind} file: {reason}", hint) from error


def check_schema(schema: str, kind: str, path: Path) -> None:
    """Refuse a schema that is not ``avloc.<kind>`` of a version this avloc reads.

    Raises:
        ArtifactError: no avloc schema. WrongKindError: another kind. NewerSchemaError: newer.
    """
    name, _, major = schema.partition("/")
    found = name.removeprefix("avloc.")
    if not name.startswith("avloc.") or not major.isdigit():
        raise ArtifactError(f"{path} was not written by avloc", f"A {kind} file is wanted.")
    if found != kind:
        raise WrongKindError(
            f"{path} holds {found}, and {kind} is wanted here",
            f"`avloc inspect {path}` shows it; to make one: {_MADE_BY[kind]}.",
        )
    if int(major) > SCHEMA_VERSION:
        raise NewerSchemaError(
            f"{path} has schema {schema}; this avloc reads up to {SCHEMA_VERSION}",
            "Install a newer avloc.",
        )


def kind_of(path: Path) -> str:
    """Return the kind of artifact a file is.

    Raises:
        ArtifactError: it is missing, no HDF5, or no avloc file.
    """
    try:
        with h5py.File(path, "r") as file:
            schema = str(file.attrs.get("schema", ""))
    except FileNotFoundError:
        raise ArtifactError(f"there is no file {path}", "Check the path.") from None
    except OSError:
        raise ArtifactError(f"{path} is not an HDF5 file, or is damaged") from None
    kind = schema.partition("/")[0].removeprefix("avloc.")
    if kind not in KINDS:
        raise ArtifactError(f"{path} is an HDF5 file, but none that avloc wrote")
    return kind


def optional(file: h5py.Group, name: str) -> NDArray[Any] | None:
    """Return a dataset as an array, or None where there is none."""
    return np.asarray(file[name]) if name in file else None


def write_arrays(file: h5py.Group, arrays: Mapping[str, NDArray[Any] | None]) -> None:
    """Write the arrays that are not None, uncompressed (gzip is 26 times slower here)."""
    for name, array in arrays.items():
        if array is not None:
            file.create_dataset(name, data=array)


def to_json(value: object) -> str:
    """Return canonical JSON, the form in which attributes hold anything nested."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def from_json(attribute: Any) -> Any:
    """Read back what `to_json` wrote.

    Raises:
        ValueError: it is not JSON (`open_artifact` turns this into an ArtifactError).
    """
    return json.loads(str(attribute))


_MADE_BY = {
    "features": "avloc extract",
    "model": "avloc train",
    "predictions": "avloc eval",
    "localization": "avloc localize",
}
