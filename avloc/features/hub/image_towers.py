"""The image half of an image-text model as a map of the picture, in the space of its texts.

Plain patches of such transformers are poor for maps. NACLIP (Hajimiri, Ben Ayed and Dolz, "Pay
Attention to Your Neighbours", WACV 2025) changes only the last block: each patch attends to
patches with similar keys and to its neighbours, and there is neither residual nor MLP.

The cells are then shifted together, so that their mean is the model's embedding of the whole
picture: the mean of the cells' similarities to a text is what the model itself answers, and a
map keeps its contrasts.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear, normalize

LAYER = "naclip, mean at the picture's embedding"
_REACH = 5.0  # standard deviation of the neighbourhood, in patches


class ImageTower(nn.Module):
    """An image transformer; ``kind`` is ``clip``, ``siglip`` or ``siglip2``."""

    def __init__(self, model: Any, kind: str) -> None:
        super().__init__()
        vision = model.vision_model
        self.kind = kind
        self.vision = vision
        self.projection = model.visual_projection if kind == "clip" else nn.Identity()
        self.grid = grid_of(vision.config, kind)
        self.n_heads = vision.config.num_attention_heads
        self.register_buffer("closeness", closeness(*self.grid, n_before=int(kind == "clip")))

    def forward(self, pictures: Float[Tensor, "B 3 h w"]) -> Float[Tensor, "B D H W"]:
        """Embed pictures of the model's size."""
        tokens = self._embed(pictures)
        *blocks, last = self.vision.encoder.layers
        for block in blocks:
            tokens = block(tokens, None)
        n_cells = self.grid[0] * self.grid[1]
        cells = self._project(self._neighbour_attention(last, tokens)[:, -n_cells:])
        cells = normalize(cells, dim=-1)
        whole = normalize(self._pool(last(tokens, None)), dim=-1)
        cells = cells + (whole - cells.mean(1))[:, None]
        return cells.transpose(1, 2).reshape(len(cells), -1, *self.grid)

    def _embed(self, pictures: Tensor) -> Tensor:
        if self.kind == "siglip2":
            shapes = torch.tensor([self.grid], device=pictures.device).expand(len(pictures), 2)
            patches = cut_into_patches(pictures, self.vision.config.patch_size)
            return _tensor(self.vision.embeddings(patches, shapes))
        tokens = _tensor(self.vision.embeddings(pictures))
        return _tensor(self.vision.pre_layrnorm(tokens)) if self.kind == "clip" else tokens

    def _neighbour_attention(self, block: Any, tokens: Tensor) -> Tensor:
        attention, normed = block.self_attn, block.layer_norm1(tokens)
        keys, values = (
            layer(normed).reshape(*normed.shape[:2], self.n_heads, -1).transpose(1, 2)
            for layer in (attention.k_proj, attention.v_proj)
        )
        similar = keys @ keys.transpose(-1, -2) * keys.shape[-1] ** -0.5
        weights = (similar + self.closeness).softmax(-1)
        return _tensor(attention.out_proj((weights @ values).transpose(1, 2).flatten(2)))

    def _project(self, tokens: Tensor) -> Tensor:
        """Bring tokens into the texts' space, each as if the picture had no other."""
        tokens = self.vision.post_layernorm(tokens)
        if self.kind == "clip":
            return _tensor(self.projection(tokens))
        head = self.vision.head
        pooling = head.attention  # of one token: its value
        start = 2 * pooling.embed_dim
        values = linear(tokens, pooling.in_proj_weight[start:], pooling.in_proj_bias[start:])
        tokens = pooling.out_proj(values)
        return _tensor(tokens + head.mlp(head.layernorm(tokens)))

    def _pool(self, tokens: Tensor) -> Tensor:
        if self.kind == "clip":
            return self._project(tokens[:, 0])
        return _tensor(self.vision.head(self.vision.post_layernorm(tokens)))


def grid_of(config: Any, kind: str) -> tuple[int, int]:
    """Return how many patches a vision configuration's picture has: (height, width)."""
    if kind == "siglip2":
        side = round(config.num_patches**0.5)
        return side, side
    return config.image_size // config.patch_size, config.image_size // config.patch_size


def size_of(config: Any, kind: str) -> tuple[int, int]:
    """Return the (height, width) of a vision configuration's picture, in pixels."""
    height, width = grid_of(config, kind)
    if kind == "siglip2":
        return height * config.patch_size, width * config.patch_size
    return config.image_size, config.image_size


def closeness(height: int, width: int, n_before: int) -> Float[Tensor, "n n"]:
    """Return a Gaussian of the distance between patches; 0 for ``n_before`` tokens before them."""
    rows, columns = torch.cartesian_prod(torch.arange(height), torch.arange(width)).float().T
    squared = (rows[:, None] - rows) ** 2 + (columns[:, None] - columns) ** 2
    gaussian = torch.exp(-squared / (2 * _REACH**2))
    return nn.functional.pad(gaussian, (n_before, 0, n_before, 0))


def cut_into_patches(pictures: Float[Tensor, "B 3 h w"], side: int) -> Float[Tensor, "B n d"]:
    """Return patches row by row, flattened in the order height, width, channel."""
    patches = pictures.unfold(2, side, side).unfold(3, side, side)  # (B, 3, H, W, side, side)
    return patches.permute(0, 2, 3, 4, 5, 1).flatten(3).flatten(1, 2)


def _tensor(value: Any) -> Tensor:
    assert isinstance(value, Tensor)
    return value
