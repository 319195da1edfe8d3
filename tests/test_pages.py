"""The pages are well-formed: they build, fetch nothing, and say what the code says."""

from __future__ import annotations

import html.parser
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from documentation import PAGES, ROOT, run

from avloc.export.formats.saving import formats

TEXTS = [*PAGES, *(ROOT / name for name in ("CONTRIBUTING.md", "CHANGELOG.md", "data/README.md"))]


def run_module(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a Python module as a program, from the top of the repository."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_format_is_in_the_table() -> None:
    page = (ROOT / "docs" / "your-videos.md").read_text(encoding="utf-8")
    for name, suffix in formats().items():
        assert f"| `{name}` | `NAME.avloc{suffix}` |" in page


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built pages; a link that leads nowhere is a warning, and an error with --strict.

    Not with --quiet: then mkdocs counts no warnings, and --strict does nothing.
    """
    folder = tmp_path_factory.mktemp("site")
    built = run_module("mkdocs", "build", "--strict", "--site-dir", folder)
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


def test_generated_parts_of_the_pages_are_as_the_code_has_them() -> None:
    pages = [page for page in PAGES if "[[[cog" in page.read_text(encoding="utf-8")]
    assert len(pages) >= 4
    checked = run_module(
        "cogapp", "--check", "--diff", "-I", "docs", "-p", "import generated", *pages
    )
    assert checked.returncode == 0, f"run `make pages`\n{checked.stdout}{checked.stderr}"


def test_the_costs_page_takes_its_rates_from_the_benchmarks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    costs = importlib.import_module("costs")
    measured = (ROOT / "BENCHMARKS.md").read_text(encoding="utf-8")
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    assert len(costs.RATES) == 4
    for rate in costs.RATES:
        assert rate.quoted in measured, f"measured again? {rate}"
        assert f"{rate.value:g}" in page
    ave, *_ = costs.WORKS
    assert ave.feature_bytes == 4097 * 10 * (7 * 7 * 2048 * 2 + 512)
    two_cores = 4097 * 160 / 10.0 / 3600  # hours
    assert ave.hours / costs.MACHINES[0].speed[0] == pytest.approx(two_cores)


def test_every_command_and_option_is_on_the_commands_page() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    sections = dict(
        re.findall(r"^## avloc ([\w-]+)\n(.*?)(?=^## )", page, re.DOTALL | re.MULTILINE)
    )
    _, text = run("avloc --help")
    commands = re.findall(r"^  ([a-z][\w-]*)  +\S", text.partition("Commands:")[2], re.MULTILINE)
    assert len(commands) >= 12
    assert list(sections) == commands
    for command in commands:
        _, text = run(f"avloc {command} --help")
        options = set(re.findall(r"^  (?:-\w, )?(--[\w-]+)", text, re.MULTILINE))
        assert "--help" in options
        options.remove("--help")
        missing = {name for name in options if f"`{name}" not in sections[command]}
        assert not missing, f"{command}: {missing}"


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_links_lead_somewhere_on_a_code_host(page: Path) -> None:
    """A link names a file of the repository, and a heading that the file has."""
    for target in re.findall(r"\]\(([^)\s]+)\)", _prose(page)):
        if re.match(r"\w+:", target):
            continue
        name, _, heading = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        assert file.is_relative_to(ROOT), target
        if heading:
            titles = re.findall(r"^#+ (.+)$", _prose(file), re.MULTILINE)
            assert heading in {_anchor(title) for title in titles}, target


def _prose(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)


def _anchor(title: str) -> str:
    """Return a heading's anchor as code hosts make it."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


class _Fetched(html.parser.HTMLParser):
    """Gathers what a browser fetches for a page by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "a":
            self.addresses += [v or "" for k, v in attrs if k in ("src", "href", "srcset", "data")]


def test_pages_fetch_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) >= 12
    for page in pages:
        fetched = _Fetched()
        fetched.feed(page.read_text(encoding="utf-8"))
        assert len(fetched.addresses) > 3
        assert not [a for a in fetched.addresses if re.match(r"(\w+:)?//", a)], page.name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(url\(|@import)\s*['\"]?(https?:)?//", sheet.read_text("utf-8"))
