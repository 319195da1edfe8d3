"""Names of encoders from a hub: ``hf:ORG/NAME@REVISION``, ``timm:NAME``, ``hf:./FOLDER``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from avloc.errors import DependencyError, UsageError

SENSES: Mapping[str, tuple[str, ...]] = {"hf": ("visual", "audio"), "timm": ("visual",)}
"""The libraries that an encoder's name may begin with, and what their models take."""
_EXAMPLES = {"hf": "hf:openai/clip-vit-base-patch16", "timm": "timm:resnet50.a1_in1k"}
_PACKAGES = {"hf": ("transformers", "huggingface_hub"), "timm": ("timm", "huggingface_hub")}
_REPOSITORY = {"hf": r"[\w.-]+/[\w.-]+", "timm": r"[\w.-]+"}


@dataclass(frozen=True)
class HubName:
    """A hub encoder's name in its parts.

    Attributes:
        library: ``hf`` or ``timm``.
        model: ``ORG/NAME``, timm's name of a model, or a folder.
        revision: a branch, a tag or a commit; empty for the newest.
    """

    library: str
    model: str
    revision: str = ""

    def __str__(self) -> str:
        return f"{self.library}:{self.model}"

    @property
    def folder(self) -> Path | None:
        """The folder that it names; None if it names a model on the hub."""
        return Path(self.model).expanduser() if _is_path(self.model) else None

    def without_revision(self) -> HubName:
        """Return the name of the newest revision."""
        return replace(self, revision="")


def is_hub_name(name: str) -> bool:
    """Tell whether a name begins as a hub encoder's does."""
    return name.partition(":")[0] in SENSES and ":" in name


def parse_hub_name(name: str) -> HubName:
    """Read a hub encoder's name; `UsageError` if it does not name a model."""
    library, _, rest = name.partition(":")
    if _is_path(rest):
        return HubName(library, rest)
    model, _, revision = rest.partition("@")
    if not re.fullmatch(_REPOSITORY[library], model) or rest.endswith("@"):
        form = "hf:ORG/NAME or hf:./FOLDER" if library == "hf" else "timm:NAME or timm:./FOLDER"
        raise UsageError(
            f"{name!r} does not name a model", f"Write {form}, for example {_EXAMPLES[library]}."
        )
    return HubName(library, model, revision)


def is_commit(revision: str) -> bool:
    """Tell whether a revision is a commit, which always names the same files."""
    return re.fullmatch("[0-9a-f]{40}", revision) is not None


def at_revision(name: str, revision: str) -> str:
    """Return the name of an encoder of a spec, with its commit if it has one."""
    return (
        f"{name}@{revision}"
        if is_commit(revision) and not _is_path(name.partition(":")[2])
        else name
    )


def require_packages(name: HubName) -> None:
    """Raise a `DependencyError` if a package that reads the model is not installed."""
    for package in _PACKAGES[name.library]:
        if find_spec(package) is None:
            raise DependencyError(
                f"the encoder {name} needs the package {package}",
                "Install it from avloc's source folder: pip install -e '.[hub]'.",
            )


def _is_path(text: str) -> bool:
    return text.startswith((".", "/", "~")) or Path(text).is_absolute()
