"""How large the package is: ``python tools/size.py``, which ``make size`` runs."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path
from statistics import median

PACKAGE = Path(__file__).parents[1] / "avloc"
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Size:
    """The size of the package, in lines."""

    total: int
    docstrings: int
    modules: dict[Path, int]  # without __init__ and __main__

    @property
    def median(self) -> float:
        """The lines of the median module."""
        return median(self.modules.values())

    @property
    def largest(self) -> Path:
        """The module with the most lines."""
        return max(self.modules, key=self.modules.__getitem__)


def measure() -> Size:
    """Count the package's lines."""
    texts = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    lines = {path: len(text.splitlines()) for path, text in texts.items()}
    modules = {path: n for path, n in lines.items() if path.stem not in ("__init__", "__main__")}
    return Size(sum(lines.values()), sum(map(n_docstring_lines, texts.values())), modules)


def main() -> None:
    """Print lines, docstrings, and the median and largest module."""
    size = measure()
    share = size.docstrings / size.total
    print(f"{size.total} lines in {len(size.modules)} modules, {share:.1%} docstrings")
    print(
        f"module: median {size.median:.0f} lines, largest {size.modules[size.largest]} "
        f"({size.largest.relative_to(PACKAGE.parent)})"
    )


def n_docstring_lines(source: str) -> int:
    """Count the lines of a module's docstrings."""
    total = 0
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node) is not None:
            total += node.body[0].end_lineno - node.body[0].lineno + 1  # type: ignore[operator]
    return total


if __name__ == "__main__":
    main()
