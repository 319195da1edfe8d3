"""Features read before they are wanted: by the system, or by processes of their own."""

from __future__ import annotations

import math
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, cast

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from avloc.artifacts.stored_array import StoredArray
from avloc.datasets.batches import dtype_of_maps, make_batch
from avloc.datasets.examples import Examples
from avloc.errors import AvlocError
from avloc.interrupts import interrupts_blocked

_PER_WORKER = 2  # batches that a worker reads ahead
_MOST_WORKERS = 4
_SHARED_MEMORY = "/dev/shm"
Features = dict[str, Tensor]
"""``visual``, ``audio``, ``visual_valid`` and ``audio_valid`` of a `Batch`."""


def announced(examples: Examples, parts: Iterable[Sequence[int]]) -> Iterator[Sequence[int]]:
    """Yield the indices of each batch after the system was asked to read the next one."""
    waiting: deque[Sequence[int]] = deque()
    for part in parts:
        _announce(examples, part)
        waiting.append(part)
        if len(waiting) > 1:
            yield waiting.popleft()
    yield from waiting


def _announce(examples: Examples, indices: Sequence[int]) -> None:
    for index in indices:
        entry = examples.entries[index]
        maps: object = examples.videos[entry.video].visual
        if isinstance(maps, StoredArray):
            maps.announce(entry.first, len(entry.targets))


def choose_workers(
    asked: int, examples: Examples, device: torch.device, batch_size: int, n_cores: int
) -> int:
    """Return how many processes read for this one, which has so many cores.

    If ``asked`` is negative: none for a CPU, which has no core to spare while the system reads
    ahead, and for a GPU as many as cores and shared memory allow, four at most.
    """
    if multiprocessing.current_process().daemon:  # it may not have processes of its own
        return 0
    if asked >= 0 or device.type != "cuda":
        return max(0, asked)
    shape = (batch_size, examples.n_segments, *examples.visual_shape)
    n_bytes = math.prod(shape) * dtype_of_maps(examples).itemsize
    room = _MOST_WORKERS
    with suppress(OSError):
        found = os.statvfs(_SHARED_MEMORY)
        room = int(found.f_bavail * found.f_frsize / (n_bytes * (_PER_WORKER + 1)) / 2)
    return min(_MOST_WORKERS, n_cores - 1, room)


class Workers:
    """Processes that put batches together, and stay for all epochs."""

    def __init__(self, examples: Examples, n_workers: int, *, is_pinned: bool) -> None:
        self._order = _Order()
        self._loader = DataLoader(
            _Batches(examples),
            batch_size=None,  # the order is of whole batches
            sampler=self._order,
            num_workers=n_workers,
            prefetch_factor=_PER_WORKER,
            persistent_workers=True,
            pin_memory=is_pinned,
            collate_fn=cast(Any, _unchanged),
            generator=torch.Generator(),  # the default one is the training's
        )

    def features(self, parts: Iterable[Sequence[int]]) -> Iterator[Features]:
        """Yield the features of each batch, in order; the last may be left, for a new order."""
        self._order.parts = parts
        try:
            with interrupts_blocked(), _signal_of_children_kept():
                results = iter(self._loader)
            for result in results:
                if isinstance(result, AvlocError):
                    raise result
                yield result
        except RuntimeError as error:  # torch says no more of a process that was killed
            if "DataLoader worker" not in str(error):
                raise
            raise AvlocError(
                "a process that reads features ended: it was killed, or memory ran out",
                "Train with workers=0, in which this process reads them itself.",
            ) from error


@contextmanager
def _signal_of_children_kept() -> Iterator[None]:
    """Undo torch's handler, which raises an error wherever this process is when a worker dies.

    Without it the next batch is an error, after a few seconds.
    """
    before = signal.getsignal(signal.SIGCHLD)
    yield
    if threading.current_thread() is threading.main_thread():  # else nothing was changed
        signal.signal(signal.SIGCHLD, before)


class _Order(Sampler[Sequence[int]]):
    """The batches that are wanted next."""

    def __init__(self) -> None:
        self.parts: Iterable[Sequence[int]] = ()

    def __iter__(self) -> Iterator[Sequence[int]]:
        return iter(self.parts)


class _Batches(Dataset[Features | AvlocError]):
    """What a worker does: an error is a result, so that it arrives without its traceback."""

    def __init__(self, examples: Examples) -> None:
        self._examples = examples

    def __getitem__(self, indices: Sequence[int]) -> Features | AvlocError:
        try:
            batch = make_batch(self._examples, indices, _shared_maps(self._examples, indices))
        except AvlocError as error:
            return error
        return {name: part for name, part in vars(batch).items() if isinstance(part, Tensor)}


def _shared_maps(examples: Examples, indices: Sequence[int]) -> Tensor:
    """Return memory that the training process sees as well: the maps are not copied to it."""
    longest = max(len(examples.entries[index].targets) for index in indices)
    shape, dtype = (len(indices), longest, *examples.visual_shape), dtype_of_maps(examples)
    storage = torch.UntypedStorage._new_shared(math.prod(shape) * dtype.itemsize)  # type: ignore[no-untyped-call]
    return torch.empty(0, dtype=dtype).set_(storage, 0, shape)  # type: ignore[call-overload, no-any-return]


def _unchanged(result: Features | AvlocError) -> Features | AvlocError:
    return result
