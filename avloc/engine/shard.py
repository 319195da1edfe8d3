"""Work split between runs that do not communicate."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Mapping

from avloc.errors import UsageError

AUTO = "auto"
_ARRAY = ("ID", "COUNT", "MIN", "MAX", "STEP")


def shard_of(video_id: str, count: int) -> int:
    """Return the number of a video's part, from 1 to ``count``.

    It follows from the video's id alone, so machines that see different files agree.
    """
    digest = hashlib.sha256(video_id.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") % count + 1


def parse_shard(text: str) -> Callable[[str], bool]:
    """Return a function that tells whether a video is in part ``i/n``; else `UsageError`.

    ``auto`` is the part of this task of a Slurm job array; see `named_shard`.
    """
    numbers = re.fullmatch(r"(\d{1,6})/(\d{1,6})", named_shard(text))
    index, count = map(int, numbers.groups()) if numbers else (0, 0)
    if not 1 <= index <= count:
        raise UsageError(f"{text!r} is not a shard", "Write the part and how many: 1/4.")
    return lambda video_id: shard_of(video_id, count) == index


def named_shard(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the shard ``i/n`` for ``auto``: task i of the n of a Slurm job array; else the text.

    `UsageError` if this is not a task of an array, or the array's numbers are not evenly spaced.
    """
    if text != AUTO:
        return text
    values = {name: environment.get(f"SLURM_ARRAY_TASK_{name}", "") for name in _ARRAY}
    if not values["ID"]:
        raise UsageError(
            "--shard auto needs a task of a Slurm job array, and SLURM_ARRAY_TASK_ID is not set",
            "Submit the job with sbatch --array=1-4, or write the part and how many: --shard 1/4.",
        )
    try:
        task, count, least = (int(values[name]) for name in ("ID", "COUNT", "MIN"))
        step = int(values["STEP"] or 1)
        most = int(values["MAX"] or least + step * (count - 1))
    except ValueError:
        given = ", ".join(f"SLURM_ARRAY_TASK_{n}={v}" for n, v in values.items() if v)
        raise UsageError(
            f"--shard auto cannot read the job array from {given}",
            "Write the part and how many: --shard 1/4.",
        ) from None
    is_even = step > 0 and most - least == step * (count - 1) and (task - least) % step == 0
    if not is_even or not least <= task <= most:
        raise UsageError(
            f"--shard auto cannot tell the part of task {task}: the {count} tasks of the array,"
            f" {least} to {most}, are not evenly spaced",
            "Submit the whole array again, as --array=1-4: what is done is skipped. Or write the"
            " part and how many: --shard 1/4.",
        )
    return f"{(task - least) // step + 1}/{count}"
