"""How large the package is: ``python tools/size.py``, which ``make size`` runs."""

from __future__ import annotations

import ast
from pathlib import Path
from statistics import median

PACKAGE = Path(__file__).parents[1] / "avloc"
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def main() -> None:
    """Print lines, docstrings, and the median and largest module."""
    texts = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    lines = {path: len(text.splitlines()) for path, text in texts.items()}
    modules = {path: n for path, n in lines.items() if path.stem not in ("__init__", "__main__")}
    total, largest = sum(lines.values()), max(modules, key=modules.__getitem__)
    documented = sum(map(n_docstring_lines, texts.values()))
    print(f"{total} lines in {len(modules)} modules, {documented / total:.1%} docstrings")
    print(
        f"module: median {median(modules.values()):.0f} lines, "
        f"largest {modules[largest]} ({largest.relative_to(PACKAGE.parent)})"
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
