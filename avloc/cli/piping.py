"""Answers as pure data on stdout, for pipes: ``--out -``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from avloc.cli import console
from avloc.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from avloc.stages.localize.run import LocalizedVideo

_WITH_HEADER = ("csv", "tsv")
_JOINABLE = ("json", "jsonl", *_WITH_HEADER)  # json as one list, the others line after line


class Pipe:
    """Writes each answer to stdout in one format, within a ``with``.

    Args:
        formats: the one to write; JSON Lines if none was named.
        n_videos: how many there will be.

    Raises:
        UnknownNameError: no such format. UsageError: more than one, or one that is no text,
        or that holds one video only.
    """

    def __init__(self, formats: Sequence[str], n_videos: int) -> None:
        from avloc.export.formats.saving import formats as known

        if len(formats) > 1:
            raise UsageError("stdout takes one format", "Name one: --format jsonl.")
        self._format = formats[0] if formats else "jsonl"
        if self._format not in known():
            raise UnknownNameError("format", self._format, known())
        if n_videos > 1 and self._format not in _JOINABLE:
            raise UsageError(
                f"{self._format} holds one video, and there are {n_videos}",
                f"On stdout choose one of {', '.join(_JOINABLE)}.",
            )
        self._is_list = self._format == "json" and n_videos > 1
        self._n_written = 0

    def __enter__(self) -> Self:
        """Begin the data."""
        if self._is_list:
            self._write("[")
        return self

    def __exit__(self, *_: object) -> None:
        """End the data, so that what a run left until then can be read."""
        if self._is_list:
            self._write("\n]\n")

    def __call__(self, answer: LocalizedVideo) -> None:
        """Write one answer; nothing for one that failed."""
        from avloc.export.formats.saving import dumps

        if answer.timeline is None:
            return
        text = dumps(answer.timeline, self._format)
        if self._is_list:
            text = ("," if self._n_written else "") + "\n" + text.rstrip("\n")
        elif self._n_written and self._format in _WITH_HEADER:
            text = text.partition("\n")[2]
        self._n_written += 1
        self._write(text)
        if answer.note:
            console.say(f"{answer.video} has {answer.note}")

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()
