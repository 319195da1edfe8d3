"""A small data set taken through the stages, for tests of what comes after them."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import avloc
from avloc.datasets import SynthesisConfig, synthesize


@dataclass(frozen=True)
class SmallWorkspace:
    """A small made data set, taken through extract and train: the real thing, only little."""

    data: Path
    artifacts: Path

    @property
    def clips(self) -> list[Path]:
        return sorted((self.data / "AVE").glob("*.mp4"))

    def with_artifacts_at(self, folder: Path) -> SmallWorkspace:
        """Return it with a copy of its artifacts, for one who adds to them."""
        shutil.copytree(self.artifacts, folder)
        return replace(self, artifacts=folder)


def make_small_workspace(root: Path) -> SmallWorkspace:
    """Make eighteen clips of three classes, their features, and a model of two epochs."""
    made = SmallWorkspace(root / "data", root / "artifacts")
    synthesize(made.data, SynthesisConfig(n_train=10, n_val=4, n_test=4, n_classes=3))
    avloc.extract(
        made.data,
        artifacts=made.artifacts,
        visual="efficientnet-lite0",
        audio="logmel",
        fps=1,
        offline=True,
    )
    avloc.train(artifacts=made.artifacts, epochs=2)
    return made
