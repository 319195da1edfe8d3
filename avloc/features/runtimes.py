"""What runs an encoder's network: PyTorch as it is, `torch.compile`, or ONNX Runtime.

All give the same features up to a float's rounding, so none is part of a spec. On a CPU ONNX
Runtime (the extra ``fast``) was the fastest by far (BENCHMARKS.md), so ``auto`` takes it where
it is installed; on CUDA ``auto`` is PyTorch as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from threading import Lock

import torch
from torch import Tensor, nn

from avloc.errors import DependencyError, UnknownNameError, UsageError
from avloc.features.onnx_network import OnnxNetwork

RUNTIMES = ("auto", "compile", "eager", "onnx")
_PACKAGES = ("onnx", "onnxruntime")
_Network = Callable[[Tensor], Tensor]
_one_at_a_time = Lock()  # PyTorch's exporter keeps its state in globals


def choose_runtime(name: str, device: torch.device) -> str:
    """Return the runtime; ``auto`` is the fastest exact one that is installed.

    Raises:
        UnknownNameError: there is no such runtime.
        UsageError: ONNX Runtime was asked for on CUDA.
        DependencyError: it is not installed.
    """
    if name not in RUNTIMES:
        raise UnknownNameError("runtime", name, RUNTIMES)
    missing = [package for package in _PACKAGES if find_spec(package) is None]
    is_cpu = device.type == "cpu"
    if name == "auto":
        return "onnx" if is_cpu and not missing else "eager"
    if name == "onnx" and not is_cpu:
        raise UsageError(f"the runtime onnx is for CPUs, not for {device}", "Leave it to auto.")
    if name == "onnx" and missing:
        raise DependencyError(
            f"the runtime onnx needs the package {missing[0]}",
            "Install it from avloc's source folder: pip install -e '.[fast]'.",
        )
    return name


def with_runtime(
    build: Callable[[], nn.Module], runtime: str, like: Tensor, key: str = ""
) -> _Network:
    """Return what runs a network; several threads may call it.

    Args:
        build: makes the network, in evaluation, on its device. It is called only if it must
            be, and its network is given away, for its weights may be dropped.
        runtime: what `choose_runtime` returned.
        like: an input as every later one is: shape, type, memory, device.
        key: names the network and its weights; with it an exported network is kept in the
            cache folder for the next time. Empty: nothing is kept.

    Raises:
        DependencyError: ``torch.compile`` lacks its compiler.
        OutputError: there is no room for a network in the temporary folder.
    """
    with _one_at_a_time:
        if runtime == "onnx":
            return OnnxNetwork(build, like, key)
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
