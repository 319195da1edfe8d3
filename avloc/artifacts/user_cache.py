"""Where this user keeps what avloc can get or make again."""

from __future__ import annotations

import os
from pathlib import Path

import pooch


def user_cache() -> Path:
    """Return ``$AVLOC_CACHE``, or avloc's folder in the user's cache."""
    return Path(os.environ.get("AVLOC_CACHE") or pooch.os_cache("avloc"))
