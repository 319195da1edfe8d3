"""Classes of precision, which are part of a spec.

``fp32``
    true single precision; TF32, which cuDNN uses instead, is off.
``fp16``
    half precision or better: half precision on CUDA, fp32 on a CPU. So a model of features made
    on a GPU runs on a laptop, where they differ by a half's rounding.

bf16 is never used: its error is larger, and without hardware for it it is seven times slower.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import RLock
from typing import Any, cast, get_args

import torch
from torch import Tensor, nn

from avloc.errors import UnknownNameError
from avloc.spec import Precision

_whole_process = RLock()  # for settings that one thread sets and restores


def choose_precision(name: str, device: torch.device) -> Precision:
    """Return the precision class; ``auto`` is fp16 on CUDA and fp32 elsewhere."""
    if name == "auto":
        return "fp16" if device.type == "cuda" else "fp32"
    if name not in get_args(Precision):
        raise UnknownNameError("precision", name, ("auto", *get_args(Precision)))
    return cast("Precision", name)


def in_precision(network: nn.Module, device: torch.device, precision: Precision) -> nn.Module:
    """Return a network that calculates in a precision class; it may be changed in place.

    Its weights are rounded once, here: under autocast each call would do it again. A network
    without weights stays in single precision.
    """
    is_half = device.type == "cuda" and precision == "fp16"
    return _InHalf(network) if is_half and any(True for _ in network.parameters()) else network


class _InHalf(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.half()

    def forward(self, x: Tensor) -> Tensor:
        embeddings: Tensor = self.network(x.half())
        return embeddings


@contextmanager
def arithmetic(device: torch.device, precision: Precision) -> Iterator[None]:
    """Run the block without gradients, and on CUDA fp32 without TF32."""
    with torch.inference_mode():
        if device.type != "cuda" or precision == "fp16":
            yield
        else:
            exact = _set(
                torch.get_float32_matmul_precision, torch.set_float32_matmul_precision, "highest"
            )
            with exact, torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
                yield


def one_thread() -> AbstractContextManager[None]:
    """Return a context on one core, which sums as a decoding process does, bit for bit."""
    return _set(torch.get_num_threads, torch.set_num_threads, 1)


@contextmanager
def _set(read: Callable[[], Any], write: Callable[[Any], object], value: object) -> Iterator[None]:
    """Set something of the whole process for the block; other threads wait for their turn."""
    with _whole_process:
        before = read()
        write(value)
        try:
            yield
        finally:
            write(before)
