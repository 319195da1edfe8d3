"""How the commands print: data on stdout, all else on stderr, bars only on a terminal."""

from __future__ import annotations

import codecs
import io
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from avloc.errors import AvlocError, MediaError

if TYPE_CHECKING:
    from avloc.progress import Progress


def accept_any_name() -> None:
    """Let file names that are not UTF-8 pass through stdin and stdout, byte for byte.

    Python reads such a name with lone surrogates in it, which stdout would refuse.
    """
    codecs.register_error("avloc-any-name", _byte_or_escape)
    for stream, errors in ((sys.stdin, "surrogateescape"), (sys.stdout, "avloc-any-name")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def _byte_or_escape(error: UnicodeError) -> tuple[str | bytes, int]:
    """Write a byte of a file name as it is; escape what the stream's encoding lacks."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    try:
        return error.object[error.start : error.end].encode("ascii", "surrogateescape"), error.end
    except UnicodeEncodeError:
        return codecs.backslashreplace_errors(error)


def paths_or_stdin(paths: list[str]) -> list[str]:
    """Return the paths as they were typed; a single ``-`` stands for one path per line of stdin."""
    if paths != ["-"]:
        return paths
    listed = [line for line in sys.stdin.read().splitlines() if line]
    if not listed:
        raise MediaError(
            "the list on stdin is empty", "Write one path a line; check the command before the |."
        )
    return listed


def say(line: str) -> None:
    """Write a line to stderr."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def data(text: str) -> None:
    """Write lines of data to stdout."""
    write(text if text.endswith("\n") else text + "\n")


def write(text: str) -> None:
    """Write text to stdout at once, so that a pipe's reader gets it."""
    sys.stdout.write(text)
    sys.stdout.flush()


def one_line(error: AvlocError) -> str:
    """Return an error and its hint as one line."""
    line = " ".join(str(error).split())
    return line if error.hint else line.rstrip(".")


def show_table(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table to stdout; long cells fold instead of being cut."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if title:
        data(title)  # not the table's own, which would fold it to the table's width
    table = Table(header_style="bold")
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def show_facts(facts: Sequence[tuple[str, str]]) -> None:
    """Write names and values to stdout, one a line, values aligned."""
    width = max(len(name) for name, _ in facts)
    for name, value in facts:
        data(f"{name:<{width}}  {value}")


@contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """Yield a progress callback that draws a bar if stderr is a terminal, and nothing if not."""
    from avloc.progress import silent

    if not sys.stderr.isatty():
        yield silent
        return
    from rich import progress
    from rich.console import Console

    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
        progress.TextColumn("{task.fields[at]}", markup=False),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, at="")
        yield lambda done, total, at: bar.update(task, completed=done, total=total, at=at)
