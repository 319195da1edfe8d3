"""Classes of precision, which are part of a spec.

``fp32``
    true single precision; TF32, which cuDNN uses instead, is off.
``fp16``
    half precision or better: half precision on CUDA, fp32 on a CPU. So a model of features made
    on a GPU runs on a laptop, where they differ by a half's rounding.
``bf16``
    the picture's network in bfloat16 where the hardware has it, else in fp32; sound in fp32,
    which takes little time. Sums are fp32 inside a layer. The features differ from fp32 by 1 %.
    Nothing chooses it unless it is named, and `require_precision` refuses to make features
    without the hardware: the class would promise a speed that it does not have there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import RLock
from typing import Any, cast, get_args

import torch
from torch import Tensor, nn

from avloc.errors import UnknownNameError, UsageError
from avloc.spec import Precision

_CPU_BF16 = ("avx512_bf16", "amx_bf16")  # as `torch.cpu.get_capabilities` names them
_whole_process = RLock()  # for settings that one thread sets and restores


def choose_precision(name: str, device: torch.device) -> Precision:
    """Return the precision class; ``auto`` is fp16 on CUDA and fp32 elsewhere."""
    if name == "auto":
        return "fp16" if device.type == "cuda" else "fp32"
    if name not in get_args(Precision):
        raise UnknownNameError("precision", name, ("auto", *get_args(Precision)))
    return cast("Precision", name)


def require_precision(precision: Precision, device: torch.device) -> None:
    """Refuse to make new features of a class that a device would calculate in another one."""
    if precision == "bf16" and not has_bf16(device):
        raise UsageError(
            f"{_called(device)} does not calculate in bf16",
            "Leave out --precision bf16. Models of bf16 features can be used here, in fp32.",
        )


def has_bf16(device: torch.device) -> bool:
    """Return whether a device calculates in bf16: emulated it is slower than fp32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in _CPU_BF16)


def rounds_to(device: torch.device, precision: Precision) -> torch.dtype:
    """Return the type that a network's weights and inputs have in a precision class."""
    if precision == "fp16" and device.type == "cuda":
        return torch.float16
    return torch.bfloat16 if precision == "bf16" and has_bf16(device) else torch.float32


def in_precision(network: nn.Module, device: torch.device, precision: Precision) -> nn.Module:
    """Return a network that calculates in a precision class; it may be changed in place.

    Its weights are rounded once, here: under autocast each call would do it again. A network
    without weights stays in single precision.
    """
    dtype = rounds_to(device, precision)
    is_rounded = dtype != torch.float32 and any(True for _ in network.parameters())
    return _Rounded(network, dtype) if is_rounded else network


class _Rounded(nn.Module):
    def __init__(self, network: nn.Module, dtype: torch.dtype) -> None:
        super().__init__()
        self.network = network.to(dtype)
        self._dtype = dtype

    def forward(self, x: Tensor) -> Tensor:
        embeddings: Tensor = self.network(x.to(self._dtype))
        return embeddings


def _called(device: torch.device) -> str:
    return "this processor" if device.type == "cpu" else f"the device {device}"


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
    """Return a context on one core: sums have the same bits however many there are."""
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
