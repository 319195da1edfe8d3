"""What runs an encoder's network: PyTorch as it is, `torch.compile`, or ONNX Runtime.

All give the same features up to a float's rounding, so none is part of a spec. ONNX Runtime is
given fp32 networks only.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from threading import Lock

import torch
from torch import Tensor, nn

from avloc.errors import DependencyError, UnknownNameError, UsageError
from avloc.features.onnx_network import onnx_network

RUNTIMES = ("auto", "compile", "eager", "onnx")
_PACKAGES = ("onnx", "onnxruntime")
_Network = Callable[[Tensor], Tensor]
_one_at_a_time = Lock()  # PyTorch's exporter keeps its state in globals


def choose_runtime(name: str, device: torch.device, dtype: torch.dtype = torch.float32) -> str:
    """Return what runs a network that calculates in ``dtype``.

    ``auto`` is ONNX Runtime on a CPU that has it and in fp32, else PyTorch as it is.
    """
    if name not in RUNTIMES:
        raise UnknownNameError("runtime", name, RUNTIMES)
    missing = [package for package in _PACKAGES if find_spec(package) is None]
    is_cpu, is_single = device.type == "cpu", dtype == torch.float32
    if name == "auto":
        return "onnx" if is_cpu and is_single and not missing else "eager"
    if name == "onnx" and not is_cpu:
        raise UsageError(f"the runtime onnx is for CPUs, not for {device}", "Leave it to auto.")
    if name == "onnx" and not is_single:
        raise UsageError("the runtime onnx calculates in fp32 only", "Leave it to auto.")
    if name == "onnx" and missing:
        raise DependencyError(
            f"the runtime onnx needs the package {missing[0]}",
            "Install it from avloc's source folder: pip install -e '.[fast]'.",
        )
    return name


def with_runtime(
    build: Callable[[], nn.Module], runtime: str, like: Tensor, key: str = ""
) -> _Network:
    """Return what runs a network; several threads may call this.

    ``build`` makes the network in evaluation mode on its device; it is not called where an
    export is in the cache under ``key`` (empty: no cache). Every input has the shape, type,
    memory layout and device of ``like``.
    """
    with _one_at_a_time:
        if runtime == "onnx":
            return onnx_network(build, like, key)
        return _compiled(build(), like) if runtime == "compile" else build()


def _compiled(network: nn.Module, like: Tensor) -> _Network:
    compiled: _Network = torch.compile(network, dynamic=False)
    try:
        with torch.inference_mode():
            compiled(like)
    except Exception as error:  # a missing compiler shows in many ways
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise DependencyError(
            f"torch.compile does not work here: {reason[0]}",
            "Install a C++ compiler, or choose --runtime eager.",
        ) from error
    return compiled
