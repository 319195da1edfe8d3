"""Networks run by ONNX Runtime, exported from PyTorch once and cached."""

from __future__ import annotations

import logging
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

import torch
from torch import Tensor, nn
from xxhash import xxh3_128

from avloc.artifacts import atomic_path, write_text
from avloc.artifacts.user_cache import user_cache
from avloc.errors import OutputError

_INPUT, _GRAPH_FILE, _WEIGHTS_FILE, _DIGEST_FILE = "input", "network.onnx", "weights", "digest"
_MADE_WITH = ("torch", "torchvision", "timm", "transformers", "onnx", "onnxruntime")
_BLOCK = 1 << 22


def onnx_network(
    build: Callable[[], nn.Module], like: Tensor, key: str
) -> Callable[[Tensor], Tensor]:
    """Return what runs a network on as many threads as PyTorch has; see `with_runtime`."""
    cached = _cached(key, like) if key else None
    if cached is not None and _is_whole(cached):
        with suppress(Exception):  # removed meanwhile, or refused: ONNX Runtime has ten kinds
            return _load(cached / _GRAPH_FILE)
    network = build()
    with _temporary_folder() as folder:
        _export(network, like, folder)
        network.to("meta")  # ONNX Runtime has weights of its own: these would be twice in memory
        run = _load(folder / _GRAPH_FILE)
        if cached is not None:
            _copy(folder, cached)
    return run


def _load(path: Path) -> Callable[[Tensor], Tensor]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    # Threads that spin while they wait take the cores from the decoding processes.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(x: Tensor) -> Tensor:
        return torch.from_numpy(session.run(None, {_INPUT: x.contiguous().numpy()})[0])

    return run


def _cached(key: str, like: Tensor) -> Path:
    # The name depends on all that may change the graph.
    digest = xxh3_128(repr((key, tuple(like.shape), like.dtype, like.stride())).encode())
    for package in _MADE_WITH:
        with suppress(PackageNotFoundError):
            digest.update(f"{package} {version(package)}".encode())
    for module in sorted(Path(__file__).parent.rglob("*.py")):  # the networks' own code
        digest.update(module.read_bytes())
    return user_cache() / "networks" / digest.hexdigest()


def _is_whole(folder: Path) -> bool:
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


def _copy(folder: Path, cached: Path) -> None:
    with suppress(OutputError):  # a cache that cannot be written only costs time
        for name in (_WEIGHTS_FILE, _GRAPH_FILE):
            with atomic_path(cached / name) as path:
                shutil.copyfile(folder / name, path)
        # Last: without a digest an export is not used.
        write_text(cached / _DIGEST_FILE, _digest_of(folder))


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
    """Write a network as ONNX, its weights in a file beside it."""
    # These networks have no control flow: they are traced, as the newer exporter needs more
    # packages. The exporter gets no weights, of which it would make three copies in memory.
    path = folder / _GRAPH_FILE
    with warnings.catch_warnings(), _quiet(logging.getLogger("torch.onnx")):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            (like.contiguous(),),
            path,
            dynamo=False,
            do_constant_folding=False,
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
    """Turn graph inputs that are weights into constants in a file beside it."""
    import onnx

    model = onnx.load(path)
    inputs = [value for value in model.graph.input if value.name != _INPUT]
    with (path.parent / _WEIGHTS_FILE).open("wb", buffering=0) as file:
        for value in inputs:
            tensor = weights[value.name].contiguous()
            constant = model.graph.initializer.add(name=value.name, dims=tensor.shape)
            constant.data_type = value.type.tensor_type.elem_type
            constant.data_location = onnx.TensorProto.EXTERNAL
            part = {"location": _WEIGHTS_FILE, "offset": file.tell(), "length": tensor.nbytes}
            for key, text in part.items():
                constant.external_data.add(key=key, value=str(text))
            tensor.numpy().tofile(file)
            model.graph.input.remove(value)
    onnx.save(model, path)
