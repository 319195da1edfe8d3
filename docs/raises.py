"""Errors in docstrings, each on its own line, as Google's style has them.

The package's docstrings run on: ``MediaError: there is no video. DatasetError: ...``. That reads
well in an editor, and the reader of docstrings would take it for one error.
"""

from __future__ import annotations

import re

import griffe

_SECTION = re.compile(r"^Raises:\n(?P<body>(?:[ ]+\S.*(?:\n|\Z))+)", re.MULTILINE)
_NEXT = re.compile(r"(?<=\.)\s+(?=[A-Z]\w*Error: )")


class OneErrorALine(griffe.Extension):
    """Takes the errors of a ``Raises`` section apart."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        """Rewrite the docstring of a module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = one_error_a_line(obj.docstring.value)


def one_error_a_line(docstring: str) -> str:
    """Return a docstring with a line an error."""
    return _SECTION.sub(_apart, docstring)


def _apart(section: re.Match[str]) -> str:
    body = " ".join(section["body"].split())
    return "Raises:\n" + "".join(f"    {error}\n" for error in _NEXT.split(body))
