"""How fine the arithmetic is.

A spec names a *class* of precision, not a machine's habit:

``fp32``
    every product in true single precision; TF32, which cuDNN takes for it, is off.
``fp16``
    half precision or finer. CUDA runs it in mixed half precision; a CPU, which has no fast
    half, runs it in fp32. So a model of features made on a GPU still runs on a laptop, and
    its input differs by no more than a half's rounding.

bf16 is never chosen: its error is larger, and without hardware for it it is seven times slower.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import cast, get_args

import torch

from avloc.errors import UnknownNameError
from avloc.spec import Precision

_whole_process = RLock()  # what one thread sets and puts back, another must not set between


def choose_precision(name: str, device: torch.device) -> Precision:
    """Return the precision class; ``auto`` is fp16 on CUDA and fp32 elsewhere.

    Raises:
        UnknownNameError: there is no such precision.
    """
    if name == "auto":
        return "fp16" if device.type == "cuda" else "fp32"
    if name not in get_args(Precision):
        raise UnknownNameError("precision", name, ("auto", *get_args(Precision)))
    return cast("Precision", name)


@contextmanager
def arithmetic(device: torch.device, precision: Precision) -> Iterator[None]:
    """Run the block without gradients and in a precision class."""
    with torch.inference_mode():
        if device.type != "cuda":
            yield
        elif precision == "fp16":
            with torch.autocast("cuda", dtype=torch.float16):
                yield
        else:
            with _exact_products(), torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
                yield


@contextmanager
def _exact_products() -> Iterator[None]:
    """Run the block without TF32 in matrix products, whatever the program around it chose."""
    with _whole_process:
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(before)


@contextmanager
def one_thread() -> Iterator[None]:
    """Run the block on one core, so that it sums as a decoding process does, bit for bit."""
    with _whole_process:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)
