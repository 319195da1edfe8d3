"""Rules of the repository: names, sizes, locks, and the map that CONTRIBUTING.md draws."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from size import measure

ROOT = Path(__file__).parents[1]
MODULES = [path for path in (ROOT / "avloc").rglob("*.py") if path.name != "__init__.py"]


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def layers() -> list[str]:
    contracts = project()["tool"]["importlinter"]["contracts"]
    return next(entry["layers"] for entry in contracts if entry["type"] == "layers")


def test_the_map_in_contributing_is_the_import_contract() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    drawn = text.partition("```mermaid\n")[2].partition("```")[0]
    titles = dict(re.findall(r'(\w+)\["([^"]+)"\]', drawn))
    arrows = [line.split("-->") for line in drawn.splitlines() if "-->" in line]
    names = [re.sub(r"\[.*", "", name).strip() for line in arrows for name in line]
    order = list(dict.fromkeys(names))
    assert [titles.get(name, name) for name in order] == layers()


def test_contributing_says_what_each_package_of_the_contract_does() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    names = [name for layer in layers() for name in layer.split(" | ")]
    packages = [name for name in names if (ROOT / "avloc" / name).is_dir()]
    assert len(packages) >= 10
    for name in packages:
        assert f"| `{name}/` |" in text, name


def test_no_two_modules_share_a_file_name_but_a_command_and_its_stage() -> None:
    counted = Counter(path.name for path in MODULES)
    for name in (name for name, n in counted.items() if n > 1):
        homes = {path.parent.name for path in MODULES if path.name == name}
        assert homes == {"cli", "stages"}, name


@pytest.mark.parametrize("word", ["utils", "helpers", "common", "base", "misc"])
def test_no_module_has_a_name_that_says_nothing(word: str) -> None:
    assert not [path for path in MODULES if word in path.stem.split("_")]


def test_modules_and_docstrings_are_short() -> None:
    size = measure()
    assert not {path.name: n for path, n in size.modules.items() if n > 250}
    assert size.median <= 110
    assert size.docstrings <= 0.15 * size.total


def versions(lock: str) -> dict[str, str]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))


def test_the_two_locks_agree_and_users_get_no_tools() -> None:
    runtime, development = versions("requirements.lock"), versions("requirements-dev.lock")
    assert runtime.items() <= development.items()
    assert {"torch", "torchvision", "torchaudio", "av", "onnxruntime", "timm"} <= runtime.keys()
    assert not {"pytest", "mypy", "ruff", "mkdocs", "playwright", "hypothesis"} & runtime.keys()
    assert {"pytest", "mypy", "ruff", "mkdocs", "playwright", "hypothesis"} <= development.keys()


def test_the_badges_say_what_pyproject_says() -> None:
    text, metadata = (ROOT / "README.md").read_text("utf-8"), project()["project"]
    assert metadata["requires-python"] == ">=3.11,<3.14"
    assert "Python 3.11 | 3.12 | 3.13" in text
    assert f"Licence: {metadata['license']}" in text
    assert len(text.splitlines()) <= 90
    assert "install avloc" not in text


def test_modules_whose_shapes_are_checked_exist() -> None:
    options = project()["tool"]["pytest"]["ini_options"]["addopts"]
    (listed,) = [text for text in options if text.startswith("--jaxtyping-packages=")]
    *checked, checker = listed.partition("=")[2].split(",")
    assert checker.startswith("beartype.")
    assert len(checked) >= 10
    for name in checked:
        assert (ROOT / f"{name.replace('.', '/')}.py").is_file(), name
