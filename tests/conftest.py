"""What every test may use."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import settings
from sharing import made_once
from workspaces import SmallWorkspace, make_small_workspace
from xdist.scheduler import LoadScopeScheduling

import avloc
from avloc.localizer import Localizer, load
from avloc.tables.demonstration import Demo, run_demo

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
def tagger_weights() -> Path:
    """The folder of EfficientAT's weights that lies beside the checkout, or a skip that says so."""
    folder = REAL_DATA.parent / "weights" / "efficientat"
    if not folder.is_dir():
        pytest.skip(f"no weights at {folder} (AVLOC_REAL_DATA names the folder beside them)")
    return folder.resolve()


@pytest.fixture(scope="session")
def gpu() -> torch.device:
    """The GPU, or a skip; ``AVLOC_GPU=cpu`` tries these tests where there is none."""
    name = os.environ.get("AVLOC_GPU", "cuda")
    if name == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU on this machine")
    return torch.device(name)


@pytest.fixture(scope="session")
def real_annotations() -> Path:
    """The published annotation files that lie beside the checkout, or a skip that says so."""
    if not (REAL_DATA / "annotations").is_dir():
        pytest.skip(f"no real annotations at {REAL_DATA} (set AVLOC_REAL_DATA)")
    return (REAL_DATA / "annotations").resolve()


@pytest.fixture(scope="session")
def small_workspace(tmp_path_factory: pytest.TempPathFactory) -> SmallWorkspace:
    """Eighteen clips of three classes, their features, and a model of two epochs.

    Features and models are a copy for this process: its tests may train more.
    """
    _, made = made_once(tmp_path_factory, "small", make_small_workspace)
    return made.with_artifacts_at(tmp_path_factory.mktemp("small") / "artifacts")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """What ``avloc demo`` made, to be looked at only."""
    return made_once(tmp_path_factory, "demo", run_demo)[1]


@pytest.fixture
def runs_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``reproduce`` train in this process, where torch is loaded already.

    For tests of what it makes of its runs; that they share processes is another test's.
    """
    monkeypatch.setattr("avloc.tables.runs._pool", lambda n_jobs: nullcontext(_ThisProcess()))


class _ThisProcess:
    """Stands in for a pool of processes."""

    def schedule(self, run: Callable[..., None], args: tuple[Any, ...]) -> Future[None]:
        future: Future[None] = Future()
        try:
            future.set_result(run(*args))
        except Exception as error:
            future.set_exception(error)
        return future


@pytest.fixture
def models_load_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``localize`` keep what it loads of a model file, which takes seconds a call."""

    def load_once(path: Path, **options: Any) -> Localizer:
        key = (Path(path).resolve(), Path(path).stat().st_mtime_ns)
        if key not in _loaded:
            _loaded[key] = load(path, **options)
        return _loaded[key]

    _ = avloc.load  # which would keep the patch if it were first used under it
    monkeypatch.setattr("avloc.localizer.load", load_once)


_loaded: dict[tuple[Path, int], Localizer] = {}


# Files that take minutes, the longest first; of those marked True each test goes to the next
# free process: what its tests share, all processes share.
LONG = {
    "test_docs.py": True,
    "test_demonstration.py": False,
    "test_kill_safety.py": True,
    "test_reproduce.py": False,
    "test_memory.py": False,
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with slow tests first: side by side, nothing long is left for the end."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    places = list(LONG)

    def place(item: pytest.Item) -> tuple[bool, int]:
        name = item.path.name
        return item.path not in slow, places.index(name) if name in LONG else len(LONG)

    items.sort(key=place)


class ByFile(LoadScopeScheduling):
    """Gives a file's tests to one process, which makes what they share once."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return nodeid if LONG.get(Path(file).name) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """Share the tests out, in processes, by `ByFile`."""
    return ByFile(config, log)
