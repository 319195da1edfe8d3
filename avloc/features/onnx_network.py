"""Networks run by ONNX Runtime, exported from PyTorch once and kept in the cache folder."""

from __future__ import annotations

import logging
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any

import torch
from torch import Tensor, nn
from xxhash import xxh3_128

from avloc.artifacts import atomic_path, write_text
from avloc.errors import OutputError
from avloc.features.weights import cache_folder

_INPUT, _GRAPH_FILE, _WEIGHTS_FILE, _DIGEST_FILE = "input", "network.onnx", "weights", "digest"
_MADE_WITH = ("torch", "torchvision", "timm", "onnx", "onnxruntime")
_BLOCK = 1 << 22


class OnnxNetwork:
    """A network of one input shape, run by ONNX Runtime on as many threads as PyTorch has.

    Args:
        build: makes the network; not called if an export of it is in the cache folder.
        like: an input as every later one is.
        key: names the network and its weights; empty if its export is not to be kept.

    Raises:
        OutputError: there is no room for a network in the temporary folder.
    """

    def __init__(self, build: Callable[[], nn.Module], like: Tensor, key: str) -> None:
        kept = _kept(key, like) if key else None
        if kept is not None and _is_whole(kept):
            with suppress(Exception):  # removed meanwhile, or refused: ONNX Runtime has ten kinds
                self._session = _session(kept / _GRAPH_FILE)
                return
        network = build()
        with _temporary_folder() as folder:
            _export(network, like, folder)
            network.to("meta")  # ONNX Runtime has weights of its own: these would be twice there
            self._session = _session(folder / _GRAPH_FILE)
            if kept is not None:
                _keep(folder, kept)

    def __call__(self, x: Tensor) -> Tensor:
        """Run the network."""
        outputs = self._session.run(None, {_INPUT: x.contiguous().numpy()})
        return torch.from_numpy(outputs[0])


def _session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    # Threads that spin while they wait take the cores from the decoding processes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def _kept(key: str, like: Tensor) -> Path:
    """Return the folder of an export; another one for whatever may make another graph."""
    digest = xxh3_128(repr((key, tuple(like.shape), like.dtype, like.stride())).encode())
    for package in _MADE_WITH:
        with suppress(PackageNotFoundError):
            digest.update(f"{package} {version(package)}".encode())
    for module in sorted(Path(__file__).parent.glob("*.py")):  # the networks' own code
        digest.update(module.read_bytes())
    return cache_folder().parent / "networks" / digest.hexdigest()


def _is_whole(folder: Path) -> bool:
    """Tell whether an export is there, to the byte as it was written."""
    try:
        return (folder / _DIGEST_FILE).read_text(encoding="utf-8") == _digest_of(folder)
    except (OSError, ValueError):
        return False


def _digest_of(folder: Path) -> str:
    digest = xxh3_128()
    for name in (_GRAPH_FILE, _WEIGHTS_FILE):
        with (folder / name).open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()


def _keep(folder: Path, kept: Path) -> None:
    """Copy an export into the cache folder, its digest last; without one it is no export."""
    with suppress(OutputError):  # a cache that cannot be written only costs time
        for name in (_WEIGHTS_FILE, _GRAPH_FILE):
            with atomic_path(kept / name) as path:
                shutil.copyfile(folder / name, path)
        write_text(kept / _DIGEST_FILE, _digest_of(folder))


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


def _export(network: nn.Module, like: Tensor, folder: Path) -> None:
    """Write a network as ONNX, its weights in a file beside it.

    By tracing: these networks have no control flow, and the newer exporter needs packages that
    would be there for nothing else. The graph is traced without its weights, of which the
    exporter would make three copies in memory.
    """
    path = folder / _GRAPH_FILE
    with warnings.catch_warnings(), _quiet(logging.getLogger("torch.onnx")):
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


@contextmanager
def _quiet(logger: logging.Logger) -> Iterator[None]:
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


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
