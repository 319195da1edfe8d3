"""HAN written a second time, in NumPy, one example, segment, sense and label at a time.

Transcribed from the equations, not from the package; weights come by the names of its state
dict. Slow and plain on purpose: it is what the tests believe.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from cman_in_numpy import Weights, sigmoid, softmax

SENSES = ("audio", "visual")


def linear(w: Weights, name: str, x: np.ndarray) -> np.ndarray:
    return w[f"{name}.weight"] @ x + w[f"{name}.bias"]


def norm(w: Weights, name: str, x: np.ndarray) -> np.ndarray:
    centred = x - x.mean()
    scaled = centred / np.sqrt((centred**2).mean() + 1e-5)
    return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]


def attention(
    w: Weights, name: str, heads: int, q: np.ndarray, memory: np.ndarray, present: list[int]
) -> tuple[np.ndarray, np.ndarray]:
    """g(q, F): one segment's sum over the segments that are present, and its weights (T,)."""
    width = len(q)
    maps, biases = np.split(w[f"{name}.in_proj_weight"], 3), np.split(w[f"{name}.in_proj_bias"], 3)
    query = maps[0] @ q + biases[0]
    keys = np.array([maps[1] @ m + biases[1] for m in memory])
    values = np.array([maps[2] @ m + biases[2] for m in memory])
    joined, weights = [], np.zeros(len(memory))
    for part in np.split(np.arange(width), heads):
        scores = [query[part] @ keys[t, part] / np.sqrt(width / heads) for t in present]
        share = softmax(np.array(scores))
        joined.append(sum(s * values[t, part] for s, t in zip(share, present, strict=True)))
        weights[present] += share / heads
    return linear(w, f"{name}.out_proj", np.concatenate(joined)), weights


def hybrid(
    w: Weights, heads: int, t: int, x: np.ndarray, other: np.ndarray, here: Any, there: Any
) -> tuple[np.ndarray, Any, Any]:
    """Return f^ of segment t, and its weights within and across; None where nothing is present."""
    name, total = "hybrid", x[t].copy()
    weights = []
    for attends, memory, present in (("within", x, here), ("across", other, there)):
        added, share = None, None
        if present:
            added, share = attention(w, f"{name}.{attends}", heads, x[t], memory, present)
            total += added
        weights.append(share)
    f = norm(w, f"{name}.norm_attended", total)
    hidden = np.maximum(0, linear(w, f"{name}.feed_forward.0", f))
    f = norm(w, f"{name}.norm", f + linear(w, f"{name}.feed_forward.3", hidden))
    return f, *weights


def han(w: Weights, config: dict[str, Any], visual: np.ndarray, audio: np.ndarray) -> Any:
    """(T, H, W, Dv), (T, Da) -> logits (T, K) and everything by the names of ModelOutput."""
    length = len(audio)
    picture = visual.reshape(length, -1, visual.shape[-1]).mean(axis=1)
    present = {
        "audio": [t for t in range(length) if audio[t].any()],
        "visual": [t for t in range(length) if visual[t].any()],
    }
    x = {
        "audio": np.array([linear(w, "audio", a) for a in audio]),
        "visual": np.array([linear(w, "visual", v) for v in picture]),
    }
    f, out = {}, {}
    for sense, other in zip(SENSES, SENSES[::-1], strict=True):
        rows = [
            hybrid(w, config["heads"], t, x[sense], x[other], present[sense], present[other])
            for t in range(length)
        ]
        f[sense] = np.array([row[0] for row in rows])
        out[f"self_attention_{sense}"] = [row[1] for row in rows]
        out[f"co_attention_{sense}"] = [row[2] for row in rows]
    n_labels = len(w["label.bias"])
    logit = {
        s: np.array(
            [
                linear(w, "label", f[s][t]) if t in present[s] else np.full(n_labels, -30.0)
                for t in range(length)
            ]
        )
        for s in SENSES
    }
    prob = {s: sigmoid(logit[s]) for s in SENSES}
    both = 1 - (1 - prob["audio"]) * (1 - prob["visual"])  # an event is what either has
    out["scores"] = {"heard": prob["audio"], "seen": prob["visual"], "logits": both}
    for name, senses in (("", SENSES), ("_heard", SENSES[:1]), ("_seen", SENSES[1:])):
        values = [pooled(w, f, prob, present, c, senses) for c in range(n_labels)]
        out[f"pooled{name}"] = np.array(values)
    return out


def pooled(w: Weights, f: Any, prob: Any, present: Any, c: int, used: Any) -> float:
    """The probability of label c in the window, by both senses or by what one of them has."""
    total = 0.0
    score = {
        name: {s: [linear(w, f"pooling.{name}", row)[c] for row in f[s]] for s in SENSES}
        for name in ("time", "sense")
    }
    for s in used:
        for t in present[s]:
            over_time = np.exp(score["time"][s][t])
            over_time /= sum(np.exp(score["time"][s][u]) for u in present[s])
            senses = [m for m in used if t in present[m]]
            over_senses = np.exp(score["sense"][s][t])
            over_senses /= sum(np.exp(score["sense"][m][t]) for m in senses)
            total += over_time * over_senses * prob[s][t, c]
    return min(total, 1.0)


def exclusive(p: np.ndarray) -> np.ndarray:
    """Probabilities of independent labels (C,) given that at most one of them occurs."""
    alone = np.array([p[c] * np.prod(np.delete(1 - p, c)) for c in range(len(p))])
    return alone / (alone.sum() + np.prod(1 - p))
