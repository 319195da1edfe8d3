"""Answers as pure data on stdout, for pipes: ``--out -``."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from avloc.cli import console
from avloc.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from avloc.stages import Localization

_WITH_HEADER = ("csv", "tsv")
_JOINABLE = ("json", "jsonl", *_WITH_HEADER)  # several videos' texts, one after the other


class Pipe:
    """Writes each answer to stdout in one format.

    Args:
        formats: the one to write; JSON Lines if none was named.
        n_videos: how many there will be.

    Raises:
        UnknownNameError: no such format. UsageError: more than one, or one that is no text,
        or that holds one video only.
    """

    def __init__(self, formats: Sequence[str], n_videos: int) -> None:
        from avloc.export import formats as known

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
        self._has_header = False

    def __call__(self, answer: Localization) -> None:
        """Write one answer; nothing for one that failed."""
        from avloc.export import dumps

        if answer.timeline is None:
            return
        text = dumps(answer.timeline, self._format)
        if self._has_header and self._format in _WITH_HEADER:
            text = text.partition("\n")[2]
        self._has_header = True
        sys.stdout.write(text)
        sys.stdout.flush()
        if answer.note:
            console.say(f"{answer.video} has {answer.note}")
