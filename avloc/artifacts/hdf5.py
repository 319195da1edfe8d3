"""One way to open an HDF5 artifact; `avloc.artifacts.new_artifact` is the one way to write one.

Every artifact of format 2 has four short texts as attributes of its root, ``schema``
(``avloc.<kind>/2``), ``avloc_version``, ``created`` and ``digest``. All else but arrays is a
JSON object, stored as the bytes of the dataset ``header``. It lists each array with its type,
shape and digest; ``digest`` is of the header and the other attributes. So a flipped bit
anywhere is noticed, and the header is trusted without a look at the arrays.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import h5py
import numpy as np
from h5py import h5a

from avloc.artifacts.address import Location, as_location
from avloc.artifacts.arrays import Arrays, Budget, Depth
from avloc.artifacts.digests import digest_of_bytes
from avloc.artifacts.format1 import OldTexts, is_text, old_header
from avloc.artifacts.object_file import ObjectFile
from avloc.artifacts.schema import MAX_JSON, Array, from_json
from avloc.artifacts.stored_array import FileState
from avloc.errors import ArtifactError, NewerSchemaError, WrongKindError

MADE_BY = {
    "features": "avloc extract",
    "model": "avloc train",
    "predictions": "avloc eval",
    "localization": "avloc localize",
    "comparison": "avloc reproduce",
}
VERSIONS = {"features": 2, "model": 3, "predictions": 3, "localization": 3, "comparison": 2}
"""What is written of each kind, and the newest that is read."""
_OLDEST = {"predictions": 3, "localization": 3, "comparison": 2}
"""What is read of a kind; all versions of the others."""
STAMPS = ("schema", "avloc_version", "created")
HEADER = "header"
_LONGEST_STAMP = 256

T = TypeVar("T")
Parse = Callable[[Arrays, dict[str, Any]], T]
"""Makes an artifact of a file's arrays and header."""

# What h5py raises for a damaged file; MemoryError where a damaged length asks for too much.
REFUSALS = (
    *(OSError, KeyError, ValueError, TypeError, RuntimeError, OverflowError, MemoryError),
    struct.error,
)


def read_artifact(
    path: Location | str,
    kind: str,
    parse: Parse[T],
    depth: Depth = Depth.WHOLE,
    disk: ObjectFile | None = None,
) -> T:
    """Read an artifact; ArtifactError if it is missing, damaged, of another kind or too new.

    Args:
        path: the file.
        kind: a key of `MADE_BY`.
        parse: makes the artifact.
        depth: how much is read.
        disk: what is read in place of a file of this machine.
    """
    with _opened(as_location(path), kind, disk) as file:
        return parse(*contents_of(file, as_location(path), kind, depth, disk))


def contents_of(
    file: h5py.File, path: Location, kind: str, depth: Depth, disk: ObjectFile | None = None
) -> tuple[Arrays, dict[str, Any]]:
    """Return the arrays and the header of an open file; ValueError if it is damaged."""
    schema, texts = _schema(file, path)
    check_schema(schema, kind, path)
    is_in_place = depth in (Depth.IN_PLACE, Depth.CHECKED)
    state = FileState.of(str(path), file.id.get_vfd_handle()) if is_in_place else None
    if texts:
        if not schema.endswith("/1"):
            raise ValueError(f"it says {schema:.60} and has texts of variable length")
        return Arrays(file.id, texts.budget, None, depth, state), old_header(file.id, texts)
    budget = Budget(disk.n_bytes if disk is not None else Path(str(path)).stat().st_size)
    header = _sealed_header(file, budget)
    records = header.get("arrays")
    if not isinstance(records, dict) or not all(isinstance(r, dict) for r in records.values()):
        raise ValueError("its header does not list its arrays")
    return Arrays(file.id, budget, records, depth, state), header


def identify(path: Path) -> tuple[str, bool]:
    """Return the kind of artifact a file is, and whether it carries a digest."""
    with _opened(path, "avloc") as file:
        schema, texts = _schema(file, path)
    kind = schema.partition("/")[0].removeprefix("avloc.")
    if kind not in MADE_BY:
        raise ArtifactError(
            f"{path} is an HDF5 file that avloc did not write", "Give a file that avloc wrote."
        )
    return kind, texts is None


def check_schema(schema: str, kind: str, path: Location) -> None:
    """Refuse a schema that is not ``avloc.<kind>`` of a version this avloc reads."""
    name, _, major = schema.partition("/")
    stated = name.removeprefix("avloc.")
    if not name.startswith("avloc.") or not (major.isascii() and major.isdigit()):
        raise ArtifactError(f"{path} was not written by avloc", f"A {kind} file is wanted.")
    if stated != kind:
        raise WrongKindError(
            f"{path} holds {stated:.60}, and {kind} is wanted here",
            f"`avloc inspect {path}` shows it; to make one: {MADE_BY[kind]}.",
        )
    if int(major) > VERSIONS[kind]:
        raise NewerSchemaError(
            f"{path} has schema {schema:.60}; this avloc reads up to {VERSIONS[kind]}",
            "Install a newer avloc.",
        )
    if int(major) < _OLDEST.get(kind, 1):
        raise ArtifactError(
            f"{path} has schema {schema:.60}, which this avloc does not read any more",
            f"Make it again: {MADE_BY[kind]}.",
        )


def seal(stamps: Sequence[str], header: bytes) -> str:
    """Return the digest of a header and of the attributes beside it."""
    return digest_of_bytes("\n".join(stamps).encode() + b"\n" + header)


def in_words(error: BaseException) -> str:
    """Return what h5py or a check says as a line that is not too long."""
    reason = " ".join(str(error).strip("'\"").split()) or type(error).__name__
    return f"{reason:.400}"


@contextmanager
def _opened(path: Location, kind: str, disk: ObjectFile | None = None) -> Iterator[h5py.File]:
    made_by = f": {MADE_BY[kind]}" if kind in MADE_BY else ""
    try:
        if isinstance(path, Path) and path.exists() and not (path.is_file() or path.is_dir()):
            raise ValueError("it is a device or a pipe")  # which would be waited for
        # a whole file never changes, and its writer may still hold the lock of `atomic_path`
        with h5py.File(disk or str(path), "r", locking=False) as file:
            if file.id.get_create_plist().get_sizes() != (8, 8):
                raise ValueError("its addresses are not of 8 bytes")
            yield file
    except FileNotFoundError:
        hint = f"Check the path, or make it first{made_by}."
        raise ArtifactError(f"there is no file {path}", hint) from None
    except IsADirectoryError:
        raise WrongKindError(f"{path} is a folder; a {kind} file is wanted") from None
    except REFUSALS as error:
        raise ArtifactError(
            f"{path} is not a readable {kind} file: {in_words(error)}", f"Make it again{made_by}."
        ) from error


def _schema(file: h5py.File, path: Location) -> tuple[str, OldTexts | None]:
    """Return the schema, empty where there is none, and the texts of a file of format 1."""
    if not h5a.exists(file.id, b"schema"):
        return "", None
    attribute = h5a.open(file.id, b"schema")
    if attribute.shape == () and is_text(attribute.dtype):
        if not isinstance(path, Path):
            raise ValueError("it is of format 1, which is read in a folder only")
        texts = OldTexts(path)
        return texts.attribute("schema"), texts
    return _stamp(file, "schema"), None


def _stamp(file: h5py.File, name: str) -> str:
    attribute = h5a.open(file.id, name.encode())
    dtype = attribute.dtype
    if attribute.shape != () or dtype.kind != "S" or dtype.itemsize > _LONGEST_STAMP:
        raise ValueError(f"{name} is not a short text")
    holder = np.empty((), dtype)
    attribute.read(holder)
    return bytes(holder.item()).decode()


def _sealed_header(file: h5py.File, budget: Budget) -> dict[str, Any]:
    n_bytes = min(budget.n_bytes, MAX_JSON)
    raw = Arrays(file.id, Budget(n_bytes)).read(HEADER, Array("bytes", "iu"))
    if raw.dtype != np.uint8:
        raise ValueError("its header is not of bytes")
    budget.spend(raw.nbytes, HEADER)
    stamps = {name: _stamp(file, name) for name in STAMPS}
    if seal(list(stamps.values()), raw.tobytes()) != _stamp(file, "digest"):
        raise ValueError("its header does not match its digest: it was damaged or changed")
    fields = from_json(raw.tobytes().decode())
    if not isinstance(fields, dict):
        raise ValueError("its header is not a JSON object")
    return stamps | fields
