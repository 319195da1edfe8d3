"""Decoding processes: many clips at once, and one that dies or hangs costs only its clip.

Own supervision instead of a pool library's time limit, because a limit on a clip's whole
time punishes the wrong one: a decoder that is held back by a slow network (an hour of video
at five frames a second) is healthy, one that is silent while we listen is not.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import cast

import torch

from avloc.errors import UsageError
from avloc.features.decoding import (
    ClipClosed,
    ClipFailed,
    ClipOpened,
    DecodingTask,
    Message,
    decode_or_fail,
)
from avloc.features.transport import receive, send, widen

SILENCE_SECONDS = 120.0
_LOOK_EVERY = 0.5
_READY = "ready"


@dataclass
class _Worker:
    """One process, the pipe it is told through, the pipe it answers through, and its clip."""

    process: SpawnProcess
    orders: Connection
    answers: Connection
    task: DecodingTask | None = None
    is_ready: bool = False
    heard: float = field(default_factory=time.monotonic)
    patience: float = SILENCE_SECONDS

    def stop(self) -> None:
        self.process.kill()
        self.process.join()
        self.orders.close()
        self.answers.close()


class DecodingProcesses:
    """Spawned decoding processes; leaving the ``with`` block ends them at once.

    Args:
        n_workers: how many.
        niceness: added to the processes', so that they fill the gaps that an encoder on the same
            cores leaves: torch's threads wait for each other at every layer, and one that has
            to share its core holds up all.
        silence_seconds: how long a clip may say nothing while it is listened to, a tenth of
            its duration added (sound is decoded in one go).
    """

    def __init__(
        self, n_workers: int, *, niceness: int = 0, silence_seconds: float = SILENCE_SECONDS
    ) -> None:
        self._n_workers = n_workers
        self._niceness = niceness
        self._silence_seconds = silence_seconds
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []

    def __enter__(self) -> DecodingProcesses:
        """Begin; processes start when there is work."""
        return self

    def __exit__(self, *_: object) -> None:
        """End every process, whatever it is doing."""
        for worker in self._workers:
            worker.stop()
        self._workers.clear()

    def decode(self, tasks: Sequence[DecodingTask]) -> Iterator[tuple[DecodingTask, Message]]:
        """Yield every clip's messages as they come; each clip ends closed or failed.

        Raises:
            UsageError: processes cannot be started from this program.
        """
        waiting = deque(tasks)
        while waiting or any(worker.task for worker in self._workers):
            self._hand_out(waiting)
            busy = {worker.answers: worker for worker in self._workers if worker.task}
            ready = wait(list(busy), timeout=_LOOK_EVERY)
            for connection in cast("list[Connection]", ready):
                yield from self._hear(busy.pop(connection))
            for worker in busy.values():
                yield from self._check_silence(worker)

    def _hand_out(self, waiting: deque[DecodingTask]) -> None:
        for worker in [worker for worker in self._workers if not worker.task]:
            if waiting and not _give(worker, waiting[0], self._silence_seconds):
                self._drop(worker)
            elif waiting:
                waiting.popleft()
        while waiting and len(self._workers) < self._n_workers:
            worker = self._start()
            self._workers.append(worker)
            if _give(worker, waiting[0], self._silence_seconds):
                waiting.popleft()

    def _hear(self, worker: _Worker) -> Iterator[tuple[DecodingTask, Message]]:
        task = worker.task
        assert task is not None
        try:
            message = receive(worker.answers)
        except (EOFError, OSError):
            yield from self._bury(worker, task)
            return
        worker.heard = time.monotonic()
        if message == _READY:
            worker.is_ready, worker.patience = True, self._silence_seconds
            return
        if isinstance(message, ClipOpened):
            worker.patience = self._silence_seconds + message.duration / 10
        if isinstance(message, ClipClosed | ClipFailed):
            worker.task = None
        yield task, cast("Message", message)

    def _bury(self, worker: _Worker, task: DecodingTask) -> Iterator[tuple[DecodingTask, Message]]:
        worker.process.join(timeout=5)
        code = worker.process.exitcode
        self._drop(worker)
        if not worker.is_ready:
            raise UsageError(
                f"a decoding process ended (exit code {code}) before it could begin",
                'In a script, call avloc under `if __name__ == "__main__":`; or pass workers=0.',
            )
        how = f"signal {-code}" if code is not None and code < 0 else f"exit code {code}"
        yield task, ClipFailed(f"{task.path}: the process that decoded it died ({how})")

    def _check_silence(self, worker: _Worker) -> Iterator[tuple[DecodingTask, Message]]:
        silence = time.monotonic() - worker.heard
        if worker.task and silence > worker.patience and not worker.answers.poll():
            task = worker.task
            self._drop(worker)
            yield task, ClipFailed(f"{task.path}: decoding hung ({silence:.0f} s without a sign)")

    def _drop(self, worker: _Worker) -> None:
        worker.stop()
        self._workers.remove(worker)

    def _start(self) -> _Worker:
        orders_in, orders = self._context.Pipe(duplex=False)
        answers, answers_out = self._context.Pipe(duplex=False)
        widen(answers_out)
        process = self._context.Process(
            target=_serve, args=(orders_in, answers_out, self._niceness), daemon=True
        )
        with _without_interrupts(), _one_thread_each():
            process.start()
        # Only the process may hold its ends: then its death is the end of the pipe.
        orders_in.close()
        answers_out.close()
        return _Worker(process, orders, answers)


def _give(worker: _Worker, task: DecodingTask, silence_seconds: float) -> bool:
    """Give an idle worker a clip; False if it is no longer there."""
    try:
        send(worker.orders, task)
    except OSError:
        return False
    worker.task, worker.heard, worker.patience = task, time.monotonic(), silence_seconds
    if not worker.is_ready:
        worker.patience = max(silence_seconds, SILENCE_SECONDS)  # it loads its libraries first
    return True


@contextlib.contextmanager
def _without_interrupts() -> Iterator[None]:
    """Start processes deaf to Ctrl-C, which is this process's to handle: it ends them.

    The mask is inherited, so there is no moment at which they would print a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # it resets the mask when it starts
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Start processes whose linear algebra keeps to one thread.

    Set before NumPy loads, or not at all: with as many threads as cores in every process the
    log-mel of a clip takes four times as long.
    """
    names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(orders: Connection, answers: Connection, niceness: int) -> None:
    """Decode clips until there is nobody to decode for: a worker's whole life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where it could not start deaf
    if hasattr(os, "nice"):
        os.nice(niceness)
    torch.set_num_threads(1)
    with contextlib.suppress(EOFError, BrokenPipeError):
        send(answers, _READY)
        while True:
            task = cast("DecodingTask", receive(orders))
            for message in decode_or_fail(task):
                send(answers, message)
