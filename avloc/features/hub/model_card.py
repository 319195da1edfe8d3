"""A model's licence, as the metadata of its model card states it."""

from __future__ import annotations

import re
from pathlib import Path

UNKNOWN = "unknown"
_FRONT_MATTER = re.compile(r"\A\ufeff?---\s*\n(.*?)\n---", re.S)
_NON_COMMERCIAL = re.compile(r"(^|[-_ ])nc([-_ ]|$)|non-?_?commercial|research", re.I)


def licence_of(folder: Path) -> str:
    """Return the licence that ``README.md`` states in its front matter, or ``unknown``.

    A licence called ``other`` is followed by its name: ``other (apple-amlr)``.
    """
    try:
        text = (folder / "README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return UNKNOWN
    front_matter = _FRONT_MATTER.match(text)
    metadata = _metadata(front_matter[1]) if front_matter else {}
    licence = metadata.get("license", UNKNOWN)
    name = metadata.get("license_name", "")
    return f"{licence} ({name})" if name and licence in ("other", UNKNOWN) else licence


def is_non_commercial(licence: str) -> bool:
    """Tell whether a licence's name says that it forbids commercial use."""
    return _NON_COMMERCIAL.search(licence) is not None


def _metadata(front_matter: str) -> dict[str, str]:
    """Return the licence's entries of YAML, which may be a text or a list of one."""
    import yaml  # with the hub's packages

    try:
        entries = yaml.safe_load(front_matter)
    except yaml.YAMLError:
        return {}
    found: dict[str, str] = {}
    for key, value in entries.items() if isinstance(entries, dict) else ():
        values = value if isinstance(value, list) else [value]
        if key in ("license", "license_name") and value:
            found[key] = " ".join(", ".join(map(str, values)).lower().split())
    return found
