"""What every test may use."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from workspaces import SmallWorkspace, make_small_workspace

from avloc.localization import Localizer, load

# a busy machine is no failure: no deadlines, and the same examples in every run
settings.register_profile("avloc", deadline=None, derandomize=True)
settings.load_profile("avloc")

# A shell that starts the tests in the background has them ignore Ctrl-C, and with them every
# program that they start and interrupt.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REAL_DATA = Path(
    os.environ.get("AVLOC_REAL_DATA", Path(__file__).parents[1] / ".." / "shared" / "real")
)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real clips that lies beside the checkout, or a skip that says so."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"no real clips at {REAL_DATA} (set AVLOC_REAL_DATA)")
    return REAL_DATA.resolve()


@pytest.fixture(scope="session")
def small_workspace(tmp_path_factory: pytest.TempPathFactory) -> SmallWorkspace:
    """Eighteen clips of three classes, their features, and a model of two epochs."""
    return make_small_workspace(tmp_path_factory.mktemp("small"))


@pytest.fixture
def models_load_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``localize`` keep what it loads of a model file, which takes seconds a call."""

    def load_once(path: Path, **options: Any) -> Localizer:
        key = (Path(path).resolve(), Path(path).stat().st_mtime_ns)
        if key not in _loaded:
            _loaded[key] = load(path, **options)
        return _loaded[key]

    monkeypatch.setattr("avloc.localization.load", load_once)


_loaded: dict[tuple[Path, int], Localizer] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put slow tests first: side by side, nothing long is left for the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)
