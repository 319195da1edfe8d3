"""What is installed, and whether it fits together."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version

_TORCH_FAMILY = ("torch", "torchvision", "torchaudio")
_OTHERS = ("av", "librosa", "h5py", "numpy")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        what: the thing.
        said: what was found, in words, with what to do where it is not sound.
        is_sound: whether avloc can work with it.
    """

    what: str
    said: str
    is_sound: bool = True


def examine() -> list[Finding]:
    """Look at Python, the packages that must fit, the device and the encoders.

    Returns:
        A finding each; never raises for what it finds.
    """
    findings = [Finding("python", platform.python_version())]
    findings += [_package(name) for name in (*_TORCH_FAMILY, *_OTHERS)]
    if all(finding.is_sound for finding in findings):
        findings += [_looked_at("device", _device), _looked_at("encoders", _encoders)]
    return findings


def _package(name: str) -> Finding:
    try:
        import_module(name)
    except Exception as error:
        return Finding(name, _trouble(name, error), is_sound=False)
    return Finding(name, version(name))


def _trouble(name: str, error: Exception) -> str:
    """Say in words why a package does not load.

    torch, torchvision and torchaudio must come from one build: a CPU torch beside CUDA
    versions of the other two, or a torch newer than torchaudio knows, fails in the loader
    with a message about symbols that helps nobody.
    """
    try:
        installed = {part: version(part) for part in _TORCH_FAMILY}
    except PackageNotFoundError as missing:
        return (
            f"{missing.name} is not installed; run `make demo` or `uv pip sync requirements.lock`"
        )
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    if name not in _TORCH_FAMILY:
        return f"does not load: {reason}"
    family = ", ".join(f"{part} {number}" for part, number in installed.items())
    return (
        f"does not load beside the others ({family}): they must come from one build; "
        f"`uv pip sync requirements.lock` installs three that fit. ({reason})"
    )


def _looked_at(what: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(what, look())
    except Exception as error:
        return Finding(what, str(error), is_sound=False)


def _device() -> str:
    import torch

    if torch.cuda.is_available():
        return ", ".join(
            torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())
        )
    return f"no CUDA device; {os.cpu_count()} CPU cores"


def _encoders() -> str:
    from avloc.features import list_audio_encoders, list_visual_encoders

    return f"{', '.join(list_visual_encoders())}; {', '.join(list_audio_encoders())}"
