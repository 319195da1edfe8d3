"""Work split between runs that do not communicate."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from avloc.errors import UsageError


@dataclass(frozen=True)
class Shard:
    """Part ``index``, from 1 to ``count``, of any set of videos.

    A video's part follows from its id alone, so runs on machines that see different files
    never do a video twice, nor leave one out.
    """

    index: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``i/n``; UsageError if it is not of that form, or i is not one of 1 to n."""
        numbers = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        shard = cls(*map(int, numbers.groups())) if numbers else cls(0, 0)
        if not 1 <= shard.index <= shard.count:
            raise UsageError(
                f"{text!r} is not a shard", "Write the part and the number of parts: 1/4."
            )
        return shard

    def has(self, video_id: str) -> bool:
        """Tell whether a video is in this part."""
        digest = hashlib.sha256(video_id.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % self.count == self.index - 1
