"""Features and models of format 1 (avloc 0.1): texts of variable length, and no digest.

The texts lie in "global heaps". libhdf5 2.0 trusts what it reads there: it allocates any
length that a reference claims, and may walk a heap for ever. So texts are read here from the
file's bytes, and each reference must have the length of its heap's entry.

::

    reference   4 bytes length, 8 bytes address of the heap, 4 bytes number of the entry
    heap        GCOL, version, 8 bytes size; then entries: 2 bytes number, 6, 8 bytes size, text
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from struct import unpack, unpack_from
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5f

from avloc.artifacts.arrays import Budget
from avloc.artifacts.schema import from_json

_NESTED = (
    *("spec", "feature_spec", "flags", "frame_size", "labels", "config", "metrics", "data"),
    "training",
)
_PLAIN = (
    *("schema", "avloc_version", "created", "video_id", "duration", "fps_sampled"),
    *("segment_seconds", "fingerprint", "source", "source_sha256", "source_bytes", "name"),
    *("supervision", "n_segments", "seed", "temperature"),
)
_CONTINUATION, _ATTRIBUTE = 0x10, 0x0C  # kinds of messages in an object header
_ROOT = 64  # where the superblock has the address of the root's object header


class OldTexts:
    """The texts of a file of format 1; every method raises ValueError if the file is damaged."""

    def __init__(self, path: Path) -> None:
        self._path, self._n_bytes = path, path.stat().st_size
        self.budget = Budget(self._n_bytes)
        self._unread = self._n_bytes  # blocks that overlap would be read for ever
        self._heaps: dict[int, dict[int, bytes]] = {}
        self._references = dict(self._attributes())

    def attribute(self, name: str) -> str:
        """Return the text of an attribute of the root."""
        if name not in self._references:
            raise ValueError(f"{name} is not a text")
        return self._text(self._references[name], name)

    def _text(self, reference: bytes, name: str) -> str:
        length, address, number = unpack("<IQI", reference)
        if length == 0:
            return ""
        if address not in self._heaps:
            self._heaps[address] = dict(self._entries(address))
        text = self._heaps[address].get(number, b"")
        if len(text) != length:
            raise ValueError(f"{name} is a text of {length} bytes, and its heap has {len(text)}")
        self.budget.spend(length, name)
        return text.decode()

    def _read(self, address: int | None, n_bytes: int) -> bytes:
        self._unread -= n_bytes
        if address is None or self._unread < 0:
            raise ValueError("its heaps of texts overlap")
        if address + n_bytes > self._n_bytes:
            raise ValueError("its texts lie behind its end")
        with self._path.open("rb") as file:
            file.seek(address)
            return file.read(n_bytes)

    def _attributes(self) -> Iterator[tuple[str, bytes]]:
        # Those of the root that may be texts, with the reference of each.
        for message in self._messages():
            version, *sizes = unpack_from("<BxHHH", message)  # of its name, type and space
            start = 8 + (version == 3)
            end = start + sum(-(-size // 8) * 8 if version == 1 else size for size in sizes)
            name = message[start : start + sizes[0]].rstrip(b"\0")
            if len(message) >= end + 16:
                yield name.decode(), message[end : end + 16]

    def _messages(self) -> Iterator[bytes]:
        # The attribute messages of the root's object header.
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
        mark, size = unpack("<5s3xQ", self._read(address, 16))
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


def old_header(file: h5f.FileID, texts: OldTexts) -> dict[str, Any]:
    """Return a file's attributes as the header that they are today."""
    header: dict[str, Any] = {"temperature": 1.0}  # models had none before they were calibrated
    for name in (*_PLAIN, *_NESTED):
        if h5a.exists(file, name.encode()):
            header[name] = _value(file, texts, name)
            if name in _NESTED:
                header[name] = from_json(texts.attribute(name))
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
