"""Work split between runs that never talk to each other."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from avloc.errors import UsageError


@dataclass(frozen=True)
class Shard:
    """One of ``count`` parts of any set of videos.

    A video's part follows from its id alone, so runs on machines that see different files
    still never do one twice, nor leave one out.

    Attributes:
        index: which part, 1 to ``count``.
        count: how many there are.
    """

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``i/n``.

        Raises:
            UsageError: it is not of that form, or i is not one of 1 to n.
        """
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        shard = cls(*map(int, found.groups())) if found else cls(0, 0)
        if not 1 <= shard.index <= shard.count:
            raise UsageError(
                f"{text!r} is no shard", "Write which one of how many: 1/4, 2/4, 3/4, 4/4."
            )
        return shard

    def has(self, video_id: str) -> bool:
        """Tell whether a video is in this part."""
        digest = hashlib.sha256(video_id.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.index - 1
