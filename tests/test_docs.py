"""What README and docs ask a reader to type works."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from documentation import (
    PAGES,
    ROOT,
    Block,
    blocks_of,
    commands_of,
    is_avloc,
    is_on_cluster,
    lines_of_its_own,
    run,
    write_small_recipes,
)
from made_media import make_media
from object_server import s3_bucket
from plugin_packages import install_project
from published_layout import publish
from sharing import made_once
from workspaces import SmallWorkspace

from avloc.errors import AvlocError

# what a line may begin with that no test runs, and why
NOT_RUN = {
    "docker": "there may be none",
    "source": "it changes the reader's shell",
    "ray": "it starts a cluster",
    "kubectl": "it needs a cluster",
    "helm": "it needs a cluster",
    "sbatch": "it needs Slurm",
    "make": "its target is looked up instead",
    "uv": "it installs; a test does the same for a package of models",
}
INSTALL = "uv pip install --no-deps ."
# files that a page says it leaves
LEFT = {
    "README.md": ("results/report.html", "results/yard/two.avloc.srt"),
    "first-steps.md": ("first/test00000.heatmap.mp4", "first/test00000.avloc.figure.png"),
    "addresses.md": ("results/dog.avloc.h5",),
    "any-words.md": (
        "artifacts/models/open.h5",
        "words/clip.avloc.h5",
        "seen/clip.heatmap.mp4",
    ),
    "your-videos.md": (
        "results/yard/two.avloc.srt",
        "results/report.html",
        "clip.heatmap.mp4",
        "magma/clip.heatmap.mp4",
        "events.pdf",
        "compared/clip.avloc.compare.png",
        "compared/clip.avloc.avel.h5",
    ),
    "your-labels.md": ("mine/models/again.h5", "mine/predictions/cman-test.h5"),
    "reproduce.md": (
        "artifacts/drawn/reproduce/table1-full.md",
        "artifacts/drawn/reproduce/inconsistency-full.pdf",
        "exported/visual_feature.h5",
    ),
    "models.md": ("artifacts/models/average.h5", "artifacts/models/parsing.h5"),
    "python.md": ("clip.srt", "answers/yard/two.avloc.json"),
}


def _prepare(place: Path) -> None:
    media = make_media(place)
    media["pictures"].rename(place / "photographs")
    media["sounds"].rename(place / "recordings")
    publish(place / "AVE_features")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Media and published features, which every page takes for granted; made once."""
    return made_once(tmp_path_factory, "prepared", _prepare)[0]


@pytest.fixture
def place(
    prepared: Path,
    small_workspace: SmallWorkspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    """The current folder, a reader's: videos, data sets, features and a trained model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AVLOC_ARTIFACTS", "")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.syspath_prepend(str(tmp_path))  # where Python looks that is started here
    monkeypatch.setattr("avloc.models.registry._registered", {})
    monkeypatch.setattr("avloc.stages.bench_extraction._NETWORK_SECONDS", 0.1)
    shutil.copytree(small_workspace.artifacts, "artifacts")
    Path("data").mkdir()
    for name in ("photographs", "recordings"):
        Path(name).symlink_to(prepared / name)
    Path("data/AVE_features").symlink_to(prepared / "AVE_features")
    Path("data/AVE").symlink_to(small_workspace.data)
    Path("boxes.json").symlink_to(small_workspace.data / "boxes.json")
    clips = ["clip.mp4", "clips/one.mp4", "clips/yard/two.mp4"]
    clips += [f"films/{name}.mp4" for name in ("kitchen", "yard", "garden", "empty", "street")]
    for name, clip in zip(clips, small_workspace.clips, strict=False):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(clip, name)
    write_small_recipes(tmp_path)
    return tmp_path


def is_to_be_done(page: Path) -> bool:
    lines = [line for line in commands_of(page) if not is_on_cluster(line)]
    return any(block.language == "python" for block in blocks_of(page)) or any(map(is_avloc, lines))


@pytest.fixture
def lab(request: pytest.FixtureRequest, place: Path) -> Iterator[None]:
    """A bucket with a data set, its features and some clips, for the page about addresses."""
    if request.node.callspec.params["page"].name != "addresses.md":
        yield
        return
    with s3_bucket("lab"):
        system = fsspec.filesystem("s3")
        system.put("data/AVE", "lab/AVE", recursive=True)
        system.put("artifacts/features", "lab/features", recursive=True)
        for name in ("dog", "bell"):
            system.put_file("clip.mp4", f"lab/clips/{name}.mp4")
        yield


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.usefixtures("models_load_once", "runs_in_this_process", "lab")
@pytest.mark.parametrize("page", list(filter(is_to_be_done, PAGES)), ids=lambda page: page.name)
def test_page_works(page: Path, place: Path) -> None:
    """Do what a page says, from its top to its end: files, commands, lines of Python.

    A line that an earlier page has is run again only if another line needs its files.
    """
    reader = Reader(page)
    for block in blocks_of(page):
        if block.title:
            Path(block.title).unlink(missing_ok=True)
            Path(block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "python":
            reader.execute(block)
        elif block.language in ("", "sh"):
            for line in block.lines:
                if line == INSTALL:
                    install_project(Path.cwd())
                elif is_avloc(line):
                    reader.type(line)
    for name in LEFT.get(page.name, ()):
        assert Path(name).stat().st_size > 0, name


class Reader:
    """Does what a page says, in the current folder."""

    def __init__(self, page: Path) -> None:
        self._page = page
        self._its_own = lines_of_its_own(page)
        self._skipped: list[str] = []
        self._names: dict[str, object] = {}

    def execute(self, block: Block) -> None:
        """Run a block of Python, which knows the names of those before it."""
        code = compile(block.text, self._page.name, "exec")
        try:
            exec(code, self._names)
        except AvlocError:
            if not self._catch_up():
                raise
            exec(code, self._names)

    def type(self, line: str) -> None:
        """Run a line, if it is this page's own."""
        if is_on_cluster(line):
            return
        if line not in self._its_own:
            self._skipped.append(line)
            return
        code, said = run(line)
        if code != 0 and self._catch_up():
            code, said = run(line)
        assert code == 0, f"{self._page.name}: {line}\n{said}"

    def _catch_up(self) -> bool:
        """Run the lines that were skipped; return whether there were any."""
        lines, self._skipped = self._skipped, []
        for line in lines:
            code, said = run(line)
            assert code == 0, f"{self._page.name}: {line}\n{said}"
        return bool(lines)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_line_is_run_or_listed_as_not_run(page: Path) -> None:
    for line in commands_of(page):
        assert is_avloc(line) or line.split()[0] in NOT_RUN, line


def test_the_pages_use_every_main_command_and_python() -> None:
    lines = [line for page in PAGES for line in commands_of(page)]
    used = {line.split()[1] for line in lines if line.startswith("avloc ")}
    assert len(lines) > 80
    assert used >= {"extract", "train", "eval", "localize", "reproduce", "synth", "inspect"}
    python = [block for page in PAGES for block in blocks_of(page) if block.language == "python"]
    assert len(python) > 8


def test_make_lines_name_targets_that_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    lines = [line for page in PAGES for line in commands_of(page) if line.startswith("make ")]
    assert lines
    assert {word for line in lines for word in line.split()[1:]} <= targets
