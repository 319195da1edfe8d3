"""A figure becomes a PNG, PDF or SVG file: the same bytes each time, its words still words."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from matplotlib import style
from matplotlib.figure import Figure

from avloc.artifacts import atomic_path
from avloc.errors import UnknownNameError

_MAKER = f"avloc {version('avloc')}"
# A file says that avloc made it, and not when.
_METADATA: dict[str, dict[str, str | None]] = {
    ".png": {"Software": _MAKER},
    ".pdf": {"Creator": _MAKER, "CreationDate": None},
    ".svg": {"Creator": _MAKER, "Date": None},
}
_SETTINGS = {
    "pdf.fonttype": 42,  # journals refuse type 3
    "svg.fonttype": "none",  # words that can be searched and edited
    "svg.hashsalt": "avloc",
    "image.composite_image": False,
}


def figure_suffix(target: Path | str) -> str:
    """Return the suffix that chooses a figure's kind: ``.png``, ``.pdf`` or ``.svg``.

    Raises:
        UnknownNameError: the target has another suffix.
    """
    path = Path(target)
    suffix = path.suffix.lower()
    if suffix not in _METADATA:
        raise UnknownNameError("kind of figure with the suffix", suffix or path.name, _METADATA)
    return suffix


@contextmanager
def plain_style() -> Iterator[None]:
    """Draw by matplotlib's own defaults, whatever style the user's session or file sets.

    Letters that no font here has become boxes in PNG and PDF, and stay letters in SVG: that
    is no reason to speak of each. The settings are matplotlib's one set, so that figures are
    drawn in one thread at a time.
    """
    with style.context(["default", _SETTINGS]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


def write_figure(figure: Figure, target: Path | str) -> Path:
    """Write a figure in the kind of its suffix, whole or not at all.

    Args:
        figure: drawn within `plain_style`.
        target: the file.

    Returns:
        ``target``.

    Raises:
        UnknownNameError: the suffix is not .png, .pdf or .svg.
        OutputError: the place cannot be written.
    """
    suffix = figure_suffix(target)
    with atomic_path(target) as temporary, plain_style():
        figure.savefig(
            temporary, format=suffix[1:], dpi=figure.dpi, metadata=dict(_METADATA[suffix])
        )
    return Path(target)
