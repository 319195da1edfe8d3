"""A JSON file of annotations, with the line of whatever in it is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from avloc.datasets.fields import read_text
from avloc.errors import AvlocError, DatasetError, message_of

_NEXT = re.compile(r"[\s,]*")  # between two elements of a list


class JsonFile:
    """A parsed file. ``content`` is what it holds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._text = read_text(path, longest_line=None)
        try:
            self.content = json.loads(self._text, object_pairs_hook=_object)
        except json.JSONDecodeError as error:
            raise DatasetError(f"is not JSON: {error.msg}", path, error.lineno) from error
        except _RepeatedNameError as error:
            line = self._line_of(error.name, last=True)
            raise DatasetError(f"names {error.name!r:.60} twice", path, line) from error
        except (ValueError, RecursionError) as error:  # a number too long, or nested too deeply
            raise DatasetError(f"is not JSON: {error}", path) from error

    def elements(self) -> Iterator[tuple[int, Any]]:
        """Yield a list's elements with the lines they begin on; other content is one element."""
        if not isinstance(self.content, list):
            yield 1, self.content
            return
        decoder = json.JSONDecoder()
        line, before, at = 1, 0, self._text.index("[") + 1
        for _ in self.content:
            at = _NEXT.match(self._text, at).end()  # type: ignore[union-attr]  # it always matches
            line += self._text.count("\n", before, at)
            before = at
            element, at = decoder.raw_decode(self._text, at)
            yield line, element

    def error(
        self, reason: str | Exception, name: str = "", hint: str = "", line: int = 0
    ) -> DatasetError:
        """Return an error of the entry with a name; its line is that of the name."""
        message = reason if isinstance(reason, str) else message_of(reason)
        hint = reason.hint if isinstance(reason, AvlocError) else hint
        where = f"{name!r:.60}: " if name else ""
        return DatasetError(where + message, self.path, line or self._line_of(name), hint)

    def _line_of(self, name: str, last: bool = False) -> int:
        """Return the line of a name in the text, 0 if it is written in another way."""
        if not name:
            return 0
        written = {json.dumps(name), json.dumps(name, ensure_ascii=False)}
        pattern = "|".join(map(re.escape, written))
        places = [match.start() for match in re.finditer(rf"(?:{pattern})\s*:", self._text)]
        return self._text.count("\n", 0, places[-1 if last else 0]) + 1 if places else 0


class _RepeatedNameError(ValueError):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; a name that it has twice would lose an entry."""
    named = dict(pairs)
    if len(named) < len(pairs):
        names = [name for name, _ in pairs]
        raise _RepeatedNameError(next(name for name in names if names.count(name) > 1))
    return named
