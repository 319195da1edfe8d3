"""A figure as a PNG, PDF or SVG file: the same bytes each time, its text as text."""

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
    "font.size": 6.5,
    "image.composite_image": False,
    "legend.borderaxespad": 0.78,  # the page's margin
    "legend.borderpad": 0,
    "legend.columnspacing": 1.2,
    "legend.frameon": False,
    "legend.handleheight": 0.8,
    "legend.handlelength": 0.8,
    "legend.handletextpad": 0.4,
    "patch.linewidth": 0,
    "pdf.fonttype": 42,  # journals refuse type 3
    "svg.fonttype": "none",  # text that can be searched and edited
    "svg.hashsalt": "avloc",
    "text.parse_math": False,  # a dollar in a label is a dollar
}


def figure_suffix(target: Path | str) -> str:
    """Return the suffix of a figure's file; another than .png, .pdf or .svg is refused."""
    path = Path(target)
    suffix = path.suffix.lower()
    if suffix not in _METADATA:
        raise UnknownNameError("kind of figure with the suffix", suffix or path.name, _METADATA)
    return suffix


@contextmanager
def plain_style() -> Iterator[None]:
    """Draw whatever the user's matplotlib is set to, one thread at a time, no font warnings."""
    with style.context(["default", _SETTINGS]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        yield


@plain_style()
def write_figure(figure: Figure, target: Path | str) -> Path:
    """Write a figure in the kind that its suffix names, whole or not at all."""
    suffix = figure_suffix(target)
    with atomic_path(target) as temporary:
        figure.savefig(
            temporary, format=suffix[1:], dpi=figure.dpi, metadata=dict(_METADATA[suffix])
        )
    return Path(target)
