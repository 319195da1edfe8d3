"""Sound files made hostile: what a damaged disk, another program or an enemy may put there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from examples import comparison, features, model, predictions, timeline
from format1_files import write_old_features, write_old_model
from xxhash import xxh3_128_hexdigest

from avloc import artifacts

WRITERS = {
    "features": lambda path: artifacts.write_features(path, features()),
    "model": lambda path: artifacts.write_model(path, model()),
    "predictions": lambda path: artifacts.write_predictions(path, predictions()),
    "localization": lambda path: artifacts.write_localization(path, timeline()),
    "comparison": lambda path: artifacts.write_comparison(path, comparison()),
}
OLD_WRITERS = {
    "features": lambda path: write_old_features(path, features()),
    "model": lambda path: write_old_model(path, model()),
}
ARRAYS = (
    *(("features", name) for name in ("segment_times", "visual", "audio", "frame_index")),
    *(("features", name) for name in ("visual_valid", "audio_valid")),
    *(("model", name) for name in ("weights/head.weight", "weights/tau", "history/epoch")),
    ("model", "resume/random.cpu"),
    *(("comparison", name) for name in ("seeds", "interval", "metrics/pointing")),
    *(("predictions", name) for name in ("scores", "truth", "scored", "rows", "seen")),
    *(("localization", name) for name in ("scores", "heard", "attention", "gate_audio")),
)
OLD_ARRAYS = (("features", "visual"), ("model", "weights/tau"))


def sound(kind: str, folder: Path, is_old: bool = False) -> Path:
    """Write a sound artifact."""
    path = folder / f"{kind}.h5"
    (OLD_WRITERS if is_old else WRITERS)[kind](path)
    return path


def header_of(file: h5py.File) -> dict[str, Any]:
    """Return the header of an open file of format 2."""
    header: dict[str, Any] = json.loads(file["header"][:].tobytes())
    return header


def seal(file: h5py.File, header: dict[str, Any] | str) -> None:
    """Give an open file another header, and the digest that belongs to it."""
    text = header if isinstance(header, str) else json.dumps(header)
    raw = text.encode("utf-8", "surrogatepass")
    del file["header"]
    file.create_dataset("header", data=np.frombuffer(raw, np.uint8))
    stamps = [file.attrs[name] for name in ("schema", "avloc_version", "created")]
    if all(isinstance(stamp, bytes) for stamp in stamps):
        file.attrs["digest"] = np.bytes_(xxh3_128_hexdigest(b"\n".join([*stamps, raw])))


def list_array(file: h5py.File, name: str) -> None:
    """Let the header of an open file say what an array is now, as a forger would."""
    header, array = header_of(file), file.get(name)
    if isinstance(array, h5py.Dataset) and array.shape is not None:
        is_readable = array.dtype.kind in "fiub" and 0 < array.nbytes < 2**20
        content = array[()].tobytes() if is_readable else b""
        header["arrays"][name] = {
            "dtype": array.dtype.str,
            "shape": list(array.shape),
            "xxh3_128": xxh3_128_hexdigest(content),
        }
    seal(file, header)


def _never_written(file: h5py.File, name: str, old: h5py.Dataset) -> None:
    file.create_dataset(name, (10**12, *old.shape[1:]), old.dtype)


def _chunks_never_written(file: h5py.File, name: str, old: h5py.Dataset) -> None:
    file.create_dataset(name, (10**12, *old.shape[1:]), old.dtype, chunks=True)


def _small_never_written(file: h5py.File, name: str, old: h5py.Dataset) -> None:
    file.create_dataset(name, old.shape, old.dtype)


def _bomb(file: h5py.File, name: str, old: h5py.Dataset) -> None:
    bomb = file.create_dataset(name, (2**33,), "f4", chunks=(2**20,), compression="gzip")
    bomb[: 2**20] = 0


def _chunked(file: h5py.File, name: str, old: h5py.Dataset) -> None:
    file.create_dataset(name, data=np.zeros((2, 2), "f4"), chunks=(1, 1))


def _soft_link(file: h5py.File, name: str, old: h5py.Dataset) -> None:
    file[name] = h5py.SoftLink("/elsewhere")


def _external_link(file: h5py.File, name: str, old: h5py.Dataset) -> None:
    file[name] = h5py.ExternalLink("other.h5", "/elsewhere")


def _other_files_bytes(file: h5py.File, name: str, old: h5py.Dataset) -> None:
    secret = Path(file.filename).with_name("secret")
    secret.write_bytes(bytes(64))
    shape = (3, *(1 for _ in old.shape[1:]))
    file.create_dataset(name, shape, "u1", external=[(str(secret), 0, 64)])


def _virtual(file: h5py.File, name: str, old: h5py.Dataset) -> None:
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "elsewhere", (4,))
    file.create_virtual_dataset(name, layout)


def _group(file: h5py.File, name: str, old: h5py.Dataset) -> None:
    file.create_group(name)


def _root(file: h5py.File, name: str, old: h5py.Dataset) -> None:
    file[name] = file["/"]


def _named_type(file: h5py.File, name: str, old: h5py.Dataset) -> None:
    file[name] = np.dtype("f4")


def _nothing(file: h5py.File, name: str, old: h5py.Dataset) -> None:
    file.create_dataset(name, data=h5py.Empty("f4"))


def _of_type(dtype: Any) -> Callable[[h5py.File, str, h5py.Dataset], None]:
    def replaced(file: h5py.File, name: str, old: h5py.Dataset) -> None:
        file.create_dataset(name, old.shape, dtype)[...] = np.zeros(old.shape, dtype)

    return replaced


REPLACEMENTS: dict[str, Callable[[h5py.File, str, h5py.Dataset], None]] = {
    "absurdly large and never written": _never_written,
    "absurdly large in pieces never written": _chunks_never_written,
    "of the right size and never written": _small_never_written,
    "compressed zeros": _bomb,
    "in pieces": _chunked,
    "a link": _soft_link,
    "a link to another file": _external_link,
    "another file's bytes": _other_files_bytes,
    "another file's array": _virtual,
    "a group": _group,
    "the file's root": _root,
    "a type": _named_type,
    "nothing": _nothing,
    "of complex numbers": _of_type("c8"),
    "of very long numbers": _of_type(np.longdouble),
    "of pairs": _of_type([("a", "f4"), ("b", "f4")]),
    "of blobs": _of_type("V16"),
    "of fixed texts": _of_type("S8"),
    "of small arrays": _of_type(("f4", (2,))),
    "of lists": lambda file, name, old: file.create_dataset(
        name, old.shape, h5py.vlen_dtype(np.float32)
    ),
    "of references": lambda file, name, old: file.create_dataset(name, old.shape, h5py.ref_dtype),
}


def with_array(kind: str, name: str, replacement: str, folder: Path, is_old: bool = False) -> Path:
    """Write an artifact in which one array is replaced by something else under its name."""
    path = sound(kind, folder, is_old)
    with h5py.File(folder / "other.h5", "w") as other:
        other["elsewhere"] = np.zeros((4,), "f4")
    with h5py.File(path, "r+") as file:
        file["elsewhere"] = file[name]
        del file[name]
        REPLACEMENTS[replacement](file, name, file["elsewhere"])
        if not is_old and replacement not in ("a link to another file", "a link"):
            list_array(file, name)
    return path


def with_attribute(kind: str, name: str, value: Any, folder: Path, is_old: bool = True) -> Path:
    """Write an artifact with another value of one attribute; None takes it away."""
    path = sound(kind, folder, is_old)
    with h5py.File(path, "r+") as file:
        del file.attrs[name]
        if value is not None:
            file.attrs[name] = value
    return path


def with_field(kind: str, name: str, value: str | None, folder: Path) -> Path:
    """Write an artifact with another JSON text for one field of its header; None: without."""
    path = sound(kind, folder)
    with h5py.File(path, "r+") as file:
        header = header_of(file)
        del header[name]
        rest = json.dumps(header)
        text = rest if value is None else f'{{"{name}": {value}, {rest[1:]}'
        seal(file, text)
    return path


def with_values(kind: str, name: str, values: Any, folder: Path, is_old: bool = False) -> Path:
    """Write an artifact in which one array has other values, of any type and shape."""
    path = sound(kind, folder, is_old)
    with h5py.File(path, "r+") as file:
        dtype = file[name].dtype
        del file[name]
        if isinstance(values, list):
            values = np.array(values, dtype)
        file.create_dataset(name, data=values)
        if not is_old:
            list_array(file, name)
    return path
