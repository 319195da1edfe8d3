"""What runs an encoder's network: PyTorch as it is, `torch.compile`, or ONNX Runtime.

All give the same features up to a float's rounding, so none is part of a spec. On a CPU ONNX
Runtime (the extra ``fast``) was the fastest by far (BENCHMARKS.md), so ``auto`` takes it where
it is installed; on CUDA ``auto`` is PyTorch as it is.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import torch
from torch import Tensor, nn

from avloc.errors import DependencyError, OutputError, UnknownNameError, UsageError

RUNTIMES = ("auto", "compile", "eager", "onnx")
_INPUT, _WEIGHTS_FILE = "input", "weights"
_PACKAGES = ("onnx", "onnxruntime")
_Network = Callable[[Tensor], Tensor]


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


def with_runtime(network: nn.Module, runtime: str, like: Tensor) -> _Network:
    """Return what runs a network.

    Args:
        network: in evaluation, on its device; given away, for its weights may be dropped.
        runtime: what `choose_runtime` returned.
        like: an input as every later one is: shape, type, memory, device.

    Raises:
        DependencyError: ``torch.compile`` lacks its compiler.
        OutputError: there is no room for a network in the temporary folder.
    """
    if runtime == "onnx":
        return _OnnxNetwork(network, like)
    return _compiled(network, like) if runtime == "compile" else network


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


class _OnnxNetwork:
    """A network of one input shape, run by ONNX Runtime on as many threads as PyTorch has."""

    def __init__(self, network: nn.Module, like: Tensor) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        # Threads that spin while they wait take the cores from the decoding processes.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        with _temporary_folder() as folder:
            path = _exported(network, like, folder)
            network.to("meta")  # ONNX Runtime has weights of its own: these would be twice there
            self._session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )

    def __call__(self, x: Tensor) -> Tensor:
        outputs = self._session.run(None, {_INPUT: x.contiguous().numpy()})
        return torch.from_numpy(outputs[0])


@contextmanager
def _temporary_folder() -> Iterator[Path]:
    try:
        with TemporaryDirectory(prefix="avloc-") as folder:
            yield Path(folder)
    except OSError as error:
        raise OutputError(
            f"a network cannot be written to the temporary folder {gettempdir()}: {error}",
            "Free some space there, set TMPDIR, or choose --runtime eager.",
        ) from error


def _exported(network: nn.Module, like: Tensor, folder: Path) -> Path:
    """Write a network as ONNX, its weights in a file beside it, and return the former.

    By tracing: these networks have no control flow, and the newer exporter needs packages that
    would be there for nothing else. The graph is traced without its weights, of which the
    exporter would make three copies in memory.
    """
    path = folder / "network.onnx"
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (like.contiguous(),),
            path,
            dynamo=False,
            export_params=False,
            input_names=[_INPUT],
        )
    _add_weights(path, network.state_dict())
    return path


def _add_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Turn the inputs of a graph that are weights into constants kept in a file beside it."""
    import onnx

    model = onnx.load(path)
    inputs = [one for one in model.graph.input if one.name != _INPUT]
    with (path.parent / _WEIGHTS_FILE).open("wb", buffering=0) as file:
        for one in inputs:
            tensor = weights[one.name].contiguous()
            constant = model.graph.initializer.add(name=one.name, dims=tensor.shape)
            constant.data_type = one.type.tensor_type.elem_type
            constant.data_location = onnx.TensorProto.EXTERNAL
            n_bytes = tensor.numel() * tensor.element_size()
            place = {"location": _WEIGHTS_FILE, "offset": file.tell(), "length": n_bytes}
            for key, value in place.items():
                constant.external_data.add(key=key, value=str(value))
            tensor.numpy().tofile(file)
            model.graph.input.remove(one)
    onnx.save(model, path)
