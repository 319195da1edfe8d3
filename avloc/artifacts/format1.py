"""Files of format 1, which avloc wrote until 0.1: texts of variable length, and no digest.

Their texts lie in "global heaps" outside the attributes and tables they belong to, and
libhdf5 (2.0 was tried) believes what it finds there: it allocates the length that a reference
claims before it looks at the heap, and walks a heap from entry to entry by each one's size,
for ever where one has no size. So libhdf5 reads no text here. The references are taken from
the file's own bytes, the root's object header for attributes and the data of a dataset for
columns, and each must have the length of its heap's entry.

::

    reference   4 bytes length, 8 bytes address of the heap, 4 bytes number of the entry
    heap        GCOL, version, 8 bytes size; then entries: 2 bytes number, 6, 8 bytes size, text
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from struct import iter_unpack, unpack, unpack_from
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5f

from avloc.artifacts.arrays import Arrays
from avloc.artifacts.reading import Budget
from avloc.artifacts.typed_json import from_json

_NESTED = (
    *("spec", "feature_spec", "flags", "frame_size", "labels", "config", "metrics", "data"),
    *("training", "baselines", "made"),
)
_PLAIN = (
    *("video_id", "duration", "fps_sampled", "segment_seconds", "fingerprint", "source"),
    *("source_sha256", "source_bytes", "name", "supervision", "n_segments", "seed"),
    *("temperature", "split", "model", "key", "table"),
)
_EVENT = ("start", "end", "label", "score")
_CONTINUATION, _ATTRIBUTE = 0x10, 0x0C  # kinds of messages in an object header
_ROOT = 64  # where the superblock has the address of the root's object header


class OldTexts:
    """The texts of a file of format 1.

    Every method raises ValueError where the file is damaged.

    Args:
        path: the file.
        budget: the bytes that may be read as text.
    """

    def __init__(self, path: Path, budget: Budget) -> None:
        self._path, self._budget = path, budget
        self._n_bytes = path.stat().st_size
        self._unread = self._n_bytes  # blocks that lie over each other would be read for ever
        self._heaps: dict[int, dict[int, bytes]] = {}
        self._references = dict(self._attributes())

    def attribute(self, name: str) -> str:
        """Return the text of an attribute of the root."""
        if name not in self._references:
            raise ValueError(f"{name} is not a text")
        return self.text(self._references[name], name)

    def text(self, reference: bytes, name: str) -> str:
        """Return the text that a reference stands for."""
        length, address, number = unpack("<IQI", reference)
        if length == 0:
            return ""
        if address not in self._heaps:
            self._heaps[address] = dict(self._entries(address))
        text = self._heaps[address].get(number, b"")
        if len(text) != length:
            raise ValueError(f"{name} is a text of {length} bytes, and its heap has {len(text)}")
        self._budget.spend(length, name)
        return text.decode()

    def column(self, dataset: h5d.DatasetID, line_bytes: int, name: str) -> bytes:
        """Return the bytes of a dataset whose lines have that many."""
        n_bytes = dataset.shape[0] * line_bytes
        if n_bytes != dataset.get_storage_size():
            raise ValueError(f"{name} is not of {line_bytes} bytes a line")
        return self._read(dataset.get_offset(), n_bytes) if n_bytes else b""

    def _read(self, address: int | None, n_bytes: int) -> bytes:
        self._unread -= n_bytes
        if address is None or self._unread < 0:
            raise ValueError("its heaps of texts lie over each other")
        if address + n_bytes > self._n_bytes:
            raise ValueError("its texts lie behind its end")
        with self._path.open("rb") as file:
            file.seek(address)
            return file.read(n_bytes)

    def _attributes(self) -> Iterator[tuple[str, bytes]]:
        """Yield the root's attributes that may be texts, with the reference of each."""
        for message in self._messages():
            version, name_size, type_size, space_size = unpack_from("<BxHHH", message)
            is_padded, start = version == 1, 8 + (version == 3)
            sizes = (name_size, type_size, space_size)
            end = start + sum(-(-size // 8) * 8 if is_padded else size for size in sizes)
            name = message[start : start + name_size].rstrip(b"\0")
            if len(message) >= end + 16:
                yield name.decode(), message[end : end + 16]

    def _messages(self) -> Iterator[bytes]:
        """Yield the attribute messages of the root's object header."""
        (address,) = unpack("<Q", self._read(_ROOT, 8))
        version, size = unpack("<B7xI4x", self._read(address, 16))
        if version != 1:
            raise ValueError("its object header is not of version 1")
        blocks = [(address + 16, size)]
        for start, n_bytes in blocks:  # which grows
            block, at = self._read(start, n_bytes), 0
            while at + 8 <= n_bytes:
                kind, n_body = unpack_from("<HH", block, at)
                body = block[at + 8 : at + 8 + n_body]
                if kind == _CONTINUATION and n_body >= 16:
                    blocks.append(unpack_from("<QQ", body))
                elif kind == _ATTRIBUTE and n_body >= 8:
                    yield body
                at += 8 + n_body

    def _entries(self, address: int) -> Iterator[tuple[int, bytes]]:
        """Yield the entries of a heap by their numbers."""
        head = self._read(address, 16)
        mark, size = unpack("<5s3xQ", head)
        if mark != b"GCOL\x01" or size < 16:
            raise ValueError(f"there is no heap of texts at byte {address}")
        heap, at = self._read(address + 16, size - 16), 0
        while at + 16 <= len(heap):
            number, n_text = unpack_from("<H6xQ", heap, at)
            if number == 0:  # the free space at the end
                return
            if at + 16 + n_text > len(heap):
                raise ValueError(f"the heap of texts at byte {address} is damaged")
            yield number, heap[at + 16 : at + 16 + n_text]
            at += 16 + -(-n_text // 8) * 8


def is_text(dtype: np.dtype[Any]) -> bool:
    """Tell whether a type is text of variable length."""
    kind = h5py.check_string_dtype(dtype)
    return kind is not None and kind.length is None


def old_header(file: h5f.FileID, texts: OldTexts, arrays: Arrays) -> dict[str, object]:
    """Return a file's attributes and columns of text as the header that they are today.

    Raises:
        ValueError: one is damaged or of a type that avloc did not write.
    """
    names = [name for name in (*_PLAIN, *_NESTED) if h5a.exists(file, name.encode())]
    header = {name: _value(file, texts, name) for name in names}
    header |= {name: from_json(_as_text(header, name)) for name in _NESTED if name in header}
    for name, letter in (("video_ids", "R"), ("titles", "R")):
        if arrays.has(name):
            header[name] = _column(arrays, texts, name, letter)
    if arrays.has("events"):
        header["events"] = _events(arrays, texts)
    return header


def _value(file: h5f.FileID, texts: OldTexts, name: str) -> object:
    attribute = h5a.open(file, name.encode())
    dtype = attribute.dtype
    if attribute.shape != () or not (is_text(dtype) or dtype.kind in "iuf"):
        raise ValueError(f"{name} is neither a text nor a number")
    if is_text(dtype):
        return texts.attribute(name)
    holder = np.empty((), dtype)
    attribute.read(holder)
    return holder.item()


def _as_text(header: dict[str, object], name: str) -> str:
    value = header[name]
    if not isinstance(value, str):
        raise ValueError(f"{name} is not a text")
    return value


def _column(arrays: Arrays, texts: OldTexts, name: str, letter: str) -> list[str]:
    dataset = arrays.dataset(name, letter)
    if not is_text(dataset.dtype):
        raise ValueError(f"{name} holds no texts")
    raw = texts.column(dataset, 16, name)
    return [texts.text(reference, name) for (reference,) in iter_unpack("16s", raw)]


def _events(arrays: Arrays, texts: OldTexts) -> list[dict[str, object]]:
    dataset = arrays.dataset("events", "E")
    dtype = dataset.dtype
    if dtype.names != _EVENT or not all(
        is_text(dtype[name]) if name == "label" else dtype[name] == np.float64 for name in _EVENT
    ):
        raise ValueError(f"events has the columns {dtype!s:.200}, not {', '.join(_EVENT)}")
    lines = iter_unpack("<dd16sd", texts.column(dataset, 40, "events"))
    return [
        {"start": start, "end": end, "label": texts.text(label, "events"), "score": score}
        for start, end, label, score in lines
    ]
