"""What every test may use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

# a busy machine is no failure: no deadlines, and the same examples in every run
settings.register_profile("avloc", deadline=None, derandomize=True)
settings.load_profile("avloc")

REAL_DATA = Path(
    os.environ.get("AVLOC_REAL_DATA", Path(__file__).parents[1] / ".." / "shared" / "real")
)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real clips that lies beside the checkout, or a skip that says so."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real clips at {REAL_DATA} (set AVLOC_REAL_DATA)")
    return REAL_DATA.resolve()


@dataclass(frozen=True)
class SmallWorkspace:
    """A small made data set, taken through extract and train: the real thing, only little."""

    data: Path
    artifacts: Path

    @property
    def clips(self) -> list[Path]:
        return sorted((self.data / "AVE").glob("*.mp4"))


@pytest.fixture(scope="session")
def small_workspace(tmp_path_factory: pytest.TempPathFactory) -> SmallWorkspace:
    """Eighteen clips of three classes, their features, and a model of two epochs."""
    from avloc import stages
    from avloc.datasets import SynthesisConfig, synthesize
    from avloc.training import TrainingConfig

    root = tmp_path_factory.mktemp("small")
    made = SmallWorkspace(root / "data", root / "artifacts")
    synthesize(made.data, SynthesisConfig(n_train=10, n_val=4, n_test=4, n_classes=3))
    stages.extract(
        made.data,
        artifacts=made.artifacts,
        visual="efficientnet-lite0",
        audio="logmel",
        fps=1,
        offline=True,
    )
    stages.train(artifacts=made.artifacts, config=TrainingConfig(epochs=2))
    return made
