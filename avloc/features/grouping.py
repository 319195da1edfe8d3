"""Batches of one fixed size, so that an item's features do not depend on its neighbours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def in_groups(encode: Callable[[NDArray[Any]], Tensor], items: NDArray[Any], group: int) -> Tensor:
    """Encode items in groups of exactly ``group``, the last filled up with zeros.

    A convolution library may choose another algorithm for another batch size, and so round
    differently; with one size it cannot.

    Args:
        encode: takes (group, ...) and returns (group, ...).
        items: (n, ...), n >= 1.
        group: how many at a time.

    Returns:
        (n, ...) in order.
    """
    parts = []
    for start in range(0, len(items), group):
        block = items[start : start + group]
        n_missing = group - len(block)
        if n_missing:
            block = np.concatenate([block, np.zeros((n_missing, *block.shape[1:]), block.dtype)])
        parts.append(encode(block)[: group - n_missing])
    return torch.cat(parts)
