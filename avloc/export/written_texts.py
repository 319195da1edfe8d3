"""Which text files beside a video are as avloc wrote them: corrected ones are never replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xxhash import xxh3_64_hexdigest

from avloc.artifacts import write_text
from avloc.errors import OutputError
from avloc.export.marks import OWN

RECORD_SUFFIX = f"{OWN}.written"
_HINT = "Move it away to have a new one, or keep it with --overwrite never."


class WrittenTexts:
    """A digest of each text file that avloc wrote beside a video, in a file of its own.

    A file without a digest counts as avloc's by its name, as does any if the record is damaged.

    Args:
        record: the path of the record.
    """

    def __init__(self, record: Path) -> None:
        self._record = record

    def refuse_changed(self, path: Path, hint: str = _HINT) -> None:
        """Raise an OutputError rather than replace a file that was changed since."""
        digest = self._read().get(path.name)
        if digest is not None and path.is_file() and digest != _digest(path):
            raise OutputError(f"{path} was changed since avloc wrote it", hint)

    def refuse_unrecorded(self, path: Path) -> None:
        """Raise an OutputError rather than replace a file that is not exactly as recorded."""
        self.refuse_changed(path, "Give another name, or move it away.")
        if path.exists() and path.name not in self._read():
            raise OutputError(
                f"{path} exists and was not written by avloc", "Give another name, or move it away."
            )

    @contextmanager
    def writing(self, path: Path) -> Iterator[None]:
        """Record what is written within; a kill in between leaves the file without a digest."""
        known = self._read()
        if known.pop(path.name, None) is not None:
            self._write(known)
        yield
        self._write(known | {path.name: _digest(path)})

    def _read(self) -> dict[str, str]:
        try:
            known = json.loads(self._record.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def _write(self, known: dict[str, str]) -> None:
        write_text(self._record, json.dumps(known, indent=2, sort_keys=True) + "\n")


def _digest(path: Path) -> str:
    try:
        return xxh3_64_hexdigest(path.read_bytes())
    except OSError as error:
        reason = f"{path} cannot be read: {error.strerror}"
        raise OutputError(reason, "Check its permissions.") from error
