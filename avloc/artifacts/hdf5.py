"""One way to open an HDF5 artifact; `avloc.artifacts.new_artifact` is the one way to write one.

Every artifact of format 2 carries four short texts as attributes of its root, ``schema``
(``avloc.<kind>/2``), ``avloc_version``, ``created`` and ``digest``; all else but arrays is a
JSON object, stored as the bytes of the dataset ``header``. It lists each array with its type,
shape and digest, and ``digest`` is of the header and the other attributes: so a flipped bit
anywhere is noticed, and the header is trusted without a look at the arrays.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import h5py
import numpy as np
from h5py import h5a

from avloc.artifacts.arrays import WHOLE, Arrays
from avloc.artifacts.digests import Record, digest_of_bytes
from avloc.artifacts.format1 import OldTexts, is_text, old_header
from avloc.artifacts.header import Header
from avloc.artifacts.reading import Budget, Depth
from avloc.artifacts.typed_json import MAX_JSON, from_json
from avloc.errors import ArtifactError, NewerSchemaError, WrongKindError

SCHEMA_VERSION = 2
KINDS = ("features", "model", "predictions", "localization", "comparison")
STAMPS = ("schema", "avloc_version", "created")
HEADER = "header"
_LONGEST_STAMP = 256

T = TypeVar("T")
Parse = Callable[[Arrays, Header], T]
"""Makes an artifact of a file's arrays and header."""


def read_artifact(path: Path | str, kind: str, parse: Parse[T], depth: Depth = Depth.WHOLE) -> T:
    """Read an artifact, once its kind and version are seen to be right.

    Args:
        path: the file.
        kind: what it must hold.
        parse: makes the artifact.
        depth: how far to go; arrays that are not read have their shape only.

    Raises:
        ArtifactError: it is missing, damaged, no HDF5, or lacks what its schema asks for.
        WrongKindError: it is an artifact of another kind.
        NewerSchemaError: a newer avloc wrote it.
    """
    path = Path(path)
    with _opened(path, kind) as file:
        return parse(*contents_of(file, path, kind, depth))


def contents_of(file: h5py.File, path: Path, kind: str, depth: Depth) -> tuple[Arrays, Header]:
    """Return the arrays and the header of an open file.

    Raises:
        ArtifactError: it is of another kind or version. ValueError: it is damaged.
    """
    budget = Budget(path.stat().st_size)
    if not _is_old(file):
        check_schema(_schema(file), kind, path)
        header = _sealed_header(file, budget)
        return Arrays(file.id, budget, _records(header), depth), header
    texts = OldTexts(path, budget)
    if (schema := texts.attribute("schema")).endswith(f"/{SCHEMA_VERSION}"):
        raise ValueError(f"it says {schema:.60} and has texts of variable length")
    check_schema(schema, kind, path)
    arrays = Arrays(file.id, budget, None, depth)
    return arrays, Header(old_header(file.id, texts, arrays))


def identify(path: Path) -> tuple[str, bool]:
    """Return the kind of artifact a file is, and whether it carries a digest.

    Raises:
        ArtifactError: it is missing, no HDF5, or no avloc file.
    """
    with _opened(path, "avloc") as file:
        is_old = _is_old(file)
        texts = OldTexts(path, Budget(path.stat().st_size)) if is_old else None
        schema = _schema(file) if texts is None else texts.attribute("schema")
    kind = schema.partition("/")[0].removeprefix("avloc.")
    if kind not in KINDS:
        raise ArtifactError(
            f"{path} is an HDF5 file, but none that avloc wrote", "Give a file that avloc wrote."
        )
    return kind, not is_old


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
            f"`avloc inspect {path}` shows it; to make one: {MADE_BY[kind]}.",
        )
    if int(major) > SCHEMA_VERSION:
        raise NewerSchemaError(
            f"{path} has schema {schema:.60}; this avloc reads up to {SCHEMA_VERSION}",
            "Install a newer avloc.",
        )


def seal(stamps: Sequence[str], header: bytes) -> str:
    """Return the digest of a header and of the attributes beside it."""
    return digest_of_bytes("\n".join(stamps).encode() + b"\n" + header)


def in_words(error: BaseException) -> str:
    """Return what h5py or a check says as a line that is not too long."""
    reason = " ".join(str(error).strip("'\"").split()) or type(error).__name__
    return f"{reason:.400}"


@contextmanager
def _opened(path: Path, kind: str) -> Iterator[h5py.File]:
    """Yield an open file, and turn whatever is found wrong with it into words that name it."""
    made_by = f": {MADE_BY[kind]}" if kind in MADE_BY else ""
    try:
        if path.exists() and not path.is_file() and not path.is_dir():
            raise ValueError("it is a device or a pipe")  # which would be waited for
        # a whole file never changes, and its writer may still hold the lock of `atomic_path`
        with h5py.File(path, "r", locking=False) as file:
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


def _is_old(file: h5py.File) -> bool:
    """Tell whether a file's schema is a text of variable length, as in format 1."""
    if not h5a.exists(file.id, b"schema"):
        return False
    schema = h5a.open(file.id, b"schema")
    return schema.shape == () and is_text(schema.dtype)


def _schema(file: h5py.File) -> str:
    """Return the schema, empty where there is none."""
    return _stamp(file, "schema") if h5a.exists(file.id, b"schema") else ""


def _stamp(file: h5py.File, name: str) -> str:
    attribute = h5a.open(file.id, name.encode())
    dtype = attribute.dtype
    if attribute.shape != () or dtype.kind != "S" or dtype.itemsize > _LONGEST_STAMP:
        raise ValueError(f"{name} is not a short text")
    holder = np.empty((), dtype)
    attribute.read(holder)
    return bytes(holder.item()).decode()


def _sealed_header(file: h5py.File, budget: Budget) -> Header:
    """Read the header, whose digest has to be right."""
    n_bytes = min(budget.n_bytes, MAX_JSON)
    raw = Arrays(file.id, Budget(n_bytes)).read(HEADER, "bytes", WHOLE)
    if raw.dtype != np.uint8:
        raise ValueError("its header is not of bytes")
    budget.spend(raw.nbytes, HEADER)
    if seal([_stamp(file, name) for name in STAMPS], raw.tobytes()) != _stamp(file, "digest"):
        raise ValueError("its header does not match its digest: it was damaged or changed")
    fields = from_json(raw.tobytes().decode())
    if not isinstance(fields, dict):
        raise ValueError("its header is not a JSON object")
    return Header(fields)


def _records(header: Header) -> dict[str, Record]:
    records = header.mapping("arrays")
    if not all(isinstance(record, dict) for record in records.values()):
        raise ValueError("its header does not list its arrays")
    return records


MADE_BY = {
    "features": "avloc extract",
    "model": "avloc train",
    "predictions": "avloc eval",
    "localization": "avloc localize",
    "comparison": "avloc reproduce",
}

# What h5py raises for a damaged file; MemoryError where a damaged length asks for too much.
REFUSALS = (
    OSError,
    KeyError,
    ValueError,
    TypeError,
    RuntimeError,
    OverflowError,
    MemoryError,
    struct.error,
)
