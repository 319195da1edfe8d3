"""Every error that avloc raises on purpose, as one tree.

::

    AvlocError                 exit 1   nothing was done
    ├── UsageError             exit 2   invalid arguments
    │   └── UnknownNameError            no such encoder, model, ...: offers the nearest
    ├── MediaError                      a video or sound file that cannot be opened or decoded
    ├── DatasetError                    annotations, splits, a manifest or published features: wrong
    ├── ArtifactError                   an avloc file that is damaged, or not an avloc file
    │   ├── WrongKindError              a sound avloc file of another kind than was asked for
    │   ├── NewerSchemaError            written by a newer avloc
    │   └── FingerprintError            features a model was not trained on
    ├── WeightsError                    an encoder's weights cannot be read or downloaded
    ├── OutputError                     a path that cannot be written
    │   └── NameRefusedError            a name that the file system cannot hold
    ├── ClusterError                    a cluster that cannot be reached, or not be worked on
    ├── AddressError                    an address that cannot be reached, or with nothing there
    ├── DependencyError                 an optional package is missing, or two are incompatible
    └── PartialFailureError    exit 3   some inputs were done and some failed

An error's text says what happened, where, and what to do next: its ``message``, then its
``hint``. Only ``avloc.cli`` turns errors into a line and an exit code.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class AvlocError(Exception):
    """The root of every error avloc raises on purpose.

    ``str(error)`` is the message followed by the hint, so that a traceback shows both.

    Args:
        message: what happened, and where (a path, a line, a name).
        hint: what to do next, one sentence; empty when the message says it all.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message.rstrip('.')}. {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[object, ...]:
        # A worker process pickles it; the hint must come along.
        return (_rebuild, (type(self), self.message, self.hint))


def _rebuild(kind: type[AvlocError], message: str, hint: str) -> AvlocError:
    error = kind.__new__(kind)
    AvlocError.__init__(error, message, hint)
    return error


def message_of(error: BaseException) -> str:
    """Return an error's text without a hint, to make it part of another message."""
    return error.message if isinstance(error, AvlocError) else str(error)


class UsageError(AvlocError):
    """Invalid arguments of a command or call."""

    exit_code = 2


class UnknownNameError(UsageError):
    """A name that is not in a list of names; offers the nearest one."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        super().__init__(f"no {what} is called {name!r}", f"{hint}There are: {', '.join(names)}.")


class MediaError(AvlocError):
    """A video or sound file that cannot be opened or decoded."""


class DatasetError(AvlocError):
    """An annotation file, split file, manifest or published features file that is wrong.

    Lines count from 1; line 0 is the whole file.
    """

    def __init__(self, message: str, path: object, line: int = 0, hint: str = "") -> None:
        super().__init__(f"{path}{f', line {line}' if line else ''}: {message}", hint)


class ArtifactError(AvlocError):
    """A file that is damaged, or not an avloc file."""


class WrongKindError(ArtifactError):
    """A sound avloc file of another kind than was asked for."""


class NewerSchemaError(ArtifactError):
    """An artifact written by a newer avloc than this one."""


class FingerprintError(ArtifactError):
    """Features that a model was not trained on, or of different specs."""


class WeightsError(AvlocError):
    """An encoder's weights cannot be read or downloaded."""


class OutputError(AvlocError):
    """A path that cannot be written."""


class NameRefusedError(OutputError):
    """A file name that the file system cannot hold: it costs one video, not the run."""


class ClusterError(AvlocError):
    """A cluster that cannot be reached, or whose workers cannot begin."""


class AddressError(AvlocError):
    """An address, such as ``s3://bucket/clip.mp4``, that cannot be reached or has nothing there."""


class DependencyError(AvlocError):
    """An optional package is missing, or two packages are incompatible."""


class PartialFailureError(AvlocError):
    """Some inputs were done and some failed."""

    exit_code = 3
