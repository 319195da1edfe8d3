"""Work split between runs that do not communicate."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

from avloc.errors import UsageError


def parse_shard(text: str) -> Callable[[str], bool]:
    """Return a function that tells whether a video is in part ``i/n``; else `UsageError`.

    A part follows from a video's id alone, so machines that see different files agree.
    """
    numbers = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    index, count = map(int, numbers.groups()) if numbers else (0, 0)
    if not 1 <= index <= count:
        raise UsageError(f"{text!r} is not a shard", "Write the part and how many: 1/4.")

    def is_in_shard(video_id: str) -> bool:
        digest = hashlib.sha256(video_id.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % count == index - 1

    return is_in_shard
