"""A published table of named columns, with its header line or without."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from avloc.datasets.fields import read_text
from avloc.errors import DatasetError, UnknownNameError


def read_columns(
    path: Path, names: Sequence[str], first_cell: str = ".*"
) -> Iterator[tuple[int, list[str]]]:
    """Yield the line number and the cells of each row, in the order of ``names``.

    Tabs separate the cells if the first line has one, else commas. A header line may be absent; it
    may have more columns, and another order. ``first_cell`` is a pattern of the first column: a
    first line that does not fit it is a header with wrong names.
    """
    text = read_text(path)
    delimiter = "\t" if "\t" in text.lstrip().partition("\n")[0] else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    hint = f"Its columns are {', '.join(names)}."
    order: list[int] | None = None
    n_cells = 0
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if order is None:
                n_cells = len(cells)
                order = _order(cells, names, first_cell, path, reader.line_num)
                if order:
                    continue
            expected = n_cells if order else len(names)
            if len(cells) != expected:
                message = f"has {len(cells)} columns, not {expected}"
                raise DatasetError(message, path, reader.line_num, hint)
            yield reader.line_num, [cells[n] for n in order] if order else cells
    except csv.Error as error:
        raise DatasetError(f"is not a table: {error}", path, reader.line_num) from error


def _order(
    cells: list[str], names: Sequence[str], first_cell: str, path: Path, line: int
) -> list[int]:
    """Return the index of each name in a header; an empty list if the line is not a header."""
    found = [name for name in names if name in cells]
    if len(found) == len(names):
        return [cells.index(name) for name in names]
    if found or (len(cells) == len(names) and not re.fullmatch(first_cell, cells[0])):
        missing = next(name for name in names if name not in found)
        others = [cell for cell in cells if cell not in names]
        error = UnknownNameError("column", missing, others)
        message = f"{error.message}; the columns are {', '.join(names)}"
        raise DatasetError(message, path, line, error.hint)
    return []
