"""What is installed, and whether it fits together."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from avloc.errors import UsageError

_TORCH_FAMILY = ("torch", "torchvision", "torchaudio")
_PACKAGES = (*_TORCH_FAMILY, "av", "librosa", "h5py", "numpy")


@dataclass(frozen=True)
class Finding:
    """What was checked, its state in words, and whether avloc can work with it."""

    what: str
    state: str
    is_sound: bool = True


def examine() -> list[Finding]:
    """Check Python, packages that must fit each other, device, encoders and added models."""
    findings = [Finding("python", platform.python_version())]
    findings += [_check_package(name) for name in _PACKAGES]
    if all(finding.is_sound for finding in findings):
        findings += [_check("device", _device), _check("encoders", _encoders)]
        findings += _plugins()
    return findings


def _check_package(name: str) -> Finding:
    try:
        import_module(name)
    except Exception as error:
        return Finding(name, _load_error(name, error), is_sound=False)
    return Finding(name, version(name))


def _load_error(name: str, error: Exception) -> str:
    """Say why a package does not load.

    torch, torchvision and torchaudio must come from one build. Otherwise the loader fails with a
    message about symbols that does not help.
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


def _check(what: str, state: Callable[[], str]) -> Finding:
    try:
        return Finding(what, state())
    except Exception as error:
        return Finding(what, str(error), is_sound=False)


def _device() -> str:
    import torch

    if not torch.cuda.is_available():
        return f"no CUDA device; {os.cpu_count()} CPU cores"
    return ", ".join(map(torch.cuda.get_device_name, range(torch.cuda.device_count())))


def _encoders() -> str:
    from avloc.features import list_audio_encoders, list_visual_encoders

    has_hub = all(find_spec(package) is not None for package in ("transformers", "timm"))
    of_hub = "hf:ORG/NAME, timm:NAME" if has_hub else "none of a hub without the extra hub"
    return f"{', '.join(list_visual_encoders())}; {', '.join(list_audio_encoders())}; {of_hub}"


def _plugins() -> list[Finding]:
    """Check the models that other packages offer."""
    from avloc.models import plugins
    from avloc.models.registry import MODELS

    def state(name: str) -> str:
        package = plugins.plugin_package(name)
        if name in MODELS:
            raise UsageError(
                f"the package {package} offers it, but {name!r} is avloc's own model",
                f"It is not used. Rename it there, or uninstall {package}.",
            )
        plugins.load_plugin(name)
        return f"of the package {package}"

    return [_check(f"model {name}", partial(state, name)) for name in plugins.plugin_names()]
