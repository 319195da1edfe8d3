"""Items of many clips gathered into full batches on their way through an encoder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass
class Slot:
    """A promise of one item's embedding, kept when its batch is encoded."""

    value: Tensor | None = None


class Batch:
    """Items of many clips on their way through an encoder.

    Args:
        encode: takes (n, ...) items and returns (n, ...) embeddings.
        size: how many items make it full.
        device: where the encoder runs.

    Attributes:
        n_encoded: how many items have been encoded.
    """

    def __init__(
        self, encode: Callable[[NDArray[Any]], Tensor], size: int, device: torch.device
    ) -> None:
        self._encode = encode
        self._size = size
        self._staging = _Staging(size, device)
        self._items: NDArray[Any] | None = None
        self._slots: list[Slot] = []
        self.n_encoded = 0

    def put(self, items: NDArray[Any]) -> list[Slot]:
        """Copy items in; encodes whenever that fills the batch. The slots are the items'."""
        slots = [Slot() for _ in items]
        n_put = 0
        while n_put < len(items):
            begin = len(self._slots)
            some = items[n_put : n_put + self._size - begin]
            if self._items is None:
                self._items = self._staging.free(some)
            self._items[begin : begin + len(some)] = some
            self._slots += slots[n_put : n_put + len(some)]
            n_put += len(some)
            if len(self._slots) == self._size:
                self.flush()
        return slots

    def flush(self) -> None:
        """Encode what is there and keep its slots' promises."""
        if self._items is None:
            return
        encoded = self._encode(self._items[: len(self._slots)])
        self._staging.has_left()
        for slot, value in zip(self._slots, encoded, strict=True):
            slot.value = value
        self.n_encoded += len(self._slots)
        self._items, self._slots = None, []


class _Staging:
    """The memory in which a batch is put together.

    For CUDA it is pinned, and there are two: one travels while the next is filled.
    """

    def __init__(self, size: int, device: torch.device) -> None:
        self._size = size
        self._is_cuda = device.type == "cuda"
        self._memories: list[Tensor] = []
        self._departures: list[torch.cuda.Event | None] = []
        self._turn = 0

    def free(self, like: NDArray[Any]) -> NDArray[Any]:
        """Return (size, ...) memory for items like these, once it is free to be filled."""
        if not self._memories:
            shape, kind = (self._size, *like.shape[1:]), torch.from_numpy(like[:0].copy()).dtype
            for _ in range(2 if self._is_cuda else 1):
                self._memories.append(torch.empty(shape, dtype=kind, pin_memory=self._is_cuda))
                self._departures.append(None)
        departure = self._departures[self._turn]
        if departure is not None:
            departure.synchronize()
        memory: NDArray[Any] = self._memories[self._turn].numpy()
        return memory

    def has_left(self) -> None:
        """Note that the memory given last is on its way to the device; the other is next."""
        if self._is_cuda:
            departure = torch.cuda.Event()  # type: ignore[no-untyped-call]
            departure.record()
            self._departures[self._turn] = departure
            self._turn = 1 - self._turn
