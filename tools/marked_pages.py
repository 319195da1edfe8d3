"""Text between two marked lines of a page, which a tool writes anew."""

from __future__ import annotations

from pathlib import Path

from avloc.errors import AvlocError


def put_between(path: Path, text: str, marks: tuple[str, str]) -> None:
    """Replace what is between two marked lines of a file."""
    page = path.read_text(encoding="utf-8")
    before, found, rest = page.partition(f"{marks[0]}\n")
    _, end, after = rest.partition(f"{marks[1]}\n")
    if not found or not end:
        raise AvlocError(f"{path} has no lines {marks[0]} and {marks[1]}")
    path.write_text(f"{before}{found}{text}{end}{after}", encoding="utf-8")
