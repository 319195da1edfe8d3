"""Packages that offer models, as an installer leaves them: modules, and metadata beside them."""

from __future__ import annotations

import tomllib
from pathlib import Path

AVERAGE = """
from dataclasses import dataclass

import torch

from avloc.models import Model, ModelOptions, ModelOutput


@dataclass(frozen=True)
class AverageOptions(ModelOptions):
    pass


class Average(Model):
    Config = AverageOptions

    def __init__(self, options):
        super().__init__(options)
        self.head = torch.nn.Linear(
            options.visual_channels + options.audio_channels, options.n_classes
        )

    def forward(self, visual, audio):
        picture, _ = self.pool_regions(None, visual, audio)
        return ModelOutput(logits=self.head(torch.cat([picture, self.scale_audio(audio)], dim=-1)))
"""


def install(
    folder: Path, package: str, models: dict[str, str], version: str = "1.0", **modules: str
) -> None:
    """Install a package into a folder of Python's path.

    Args:
        models: by name what stands for the model, for example ``my_models:Average``.
        modules: the text of each module by its name.
    """
    for module, text in modules.items():
        (folder / f"{module}.py").write_text(text, encoding="utf-8")
    metadata = folder / f"{package.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
    )
    lines = [f"{name} = {value}" for name, value in models.items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[avloc.models]", *lines, ""]))


def install_project(folder: Path) -> None:
    """Install the project in a folder of Python's path, as its pyproject.toml describes it."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    models = project["entry-points"]["avloc.models"]
    install(folder, project["name"], models, project["version"])
