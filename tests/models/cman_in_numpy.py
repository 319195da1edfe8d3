"""CMAN written a second time, in NumPy, one example and one segment at a time.

Transcribed from the equations, not from the package; weights come by the names of its state
dict. Slow and plain on purpose: it is what the tests believe.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Weights = dict[str, np.ndarray]


def softmax(x: np.ndarray) -> np.ndarray:
    e = np.exp(x - x.max())
    return e / e.sum()


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def where(
    w: Weights,
    visual: np.ndarray,
    audio: np.ndarray,
    rectified: bool = True,
    similarity: str = "cosine",
) -> tuple[np.ndarray, np.ndarray]:
    """(T, N, Dv), (T, Da) -> the attended picture (T, Dv) and weights (T, N)."""
    tau = np.exp(w["where.log_temperature"])
    pictures, weights = [], []
    for t in range(len(audio)):
        least = 0 if rectified else -np.inf
        sound = np.maximum(least, w["where.audio.weight"] @ audio[t] + w["where.audio.bias"])
        cosines = []
        for region in visual[t]:
            v = np.maximum(least, w["where.visual.weight"] @ region + w["where.visual.bias"])
            other = np.sqrt(v @ v) if similarity == "cosine" else np.sqrt(len(v))
            lengths = other * np.sqrt(sound @ sound)
            cosines.append(v @ sound / lengths if lengths else 0.0)  # nothing points nowhere
        share = softmax(tau * np.array(cosines))
        pictures.append(sum(share[i] * visual[t, i] for i in range(len(share))))
        weights.append(share)
    return np.array(pictures), np.array(weights)


def when(w: Weights, name: str, x: np.ndarray, context: bool, residual: bool) -> Any:
    """(T, D) -> attended (T, D) and weights (T, T), eq. 1-3."""
    query = x @ w[f"{name}.query.weight"].T
    key = x @ w[f"{name}.key.weight"].T
    value = x @ w[f"{name}.value.weight"].T
    c = x.sum(axis=0) / len(x)
    if context:
        query = mixed(w, f"{name}.query_context", query, c)
        key = mixed(w, f"{name}.key_context", key, c)
    rows = np.array([softmax(q @ key.T / np.sqrt(key.shape[1])) for q in query])
    return rows @ value + (x if residual else 0), rows


def mixed(w: Weights, name: str, q: np.ndarray, c: np.ndarray) -> np.ndarray:
    cu = c @ w[f"{name}.context.weight"].T
    p, r = w[f"{name}.from_segment.weight"][0], w[f"{name}.from_context.weight"][0]
    lam = sigmoid(q @ p + cu @ r)
    return np.array([(1 - lam[t]) * q[t] + lam[t] * cu for t in range(len(q))])


def lstm(w: Weights, name: str, x: np.ndarray, directions: int, sentinel: bool) -> Any:
    """(T, D) -> states and sentinels (T, D), eq. 4, each direction alone."""
    states, sentinels = [], []
    for d in range(directions):
        h_all, s_all = one_way(w, name, d, x[::-1] if d else x, sentinel)
        states.append(h_all[::-1] if d else h_all)
        sentinels.append(s_all[::-1] if d else s_all)
    return np.concatenate(states, 1), np.concatenate(sentinels, 1) if sentinel else None


def one_way(w: Weights, name: str, d: int, x: np.ndarray, sentinel: bool) -> Any:
    suffix = f"_l0{'_reverse' if d else ''}"
    w_x, w_h = w[f"{name}.lstm.weight_ih{suffix}"], w[f"{name}.lstm.weight_hh{suffix}"]
    bias, size = w[f"{name}.lstm.bias_ih{suffix}"] + w[f"{name}.lstm.bias_hh{suffix}"], w_h.shape[1]
    h, m = np.zeros(size), np.zeros(size)
    states, sentinels = [], []
    for t in range(len(x)):
        before = {}
        for k, gate in enumerate(("i", "f", "c", "o")):
            rows = slice(k * size, (k + 1) * size)
            before[gate] = w_x[rows] @ x[t] + w_h[rows] @ h + bias[rows]
        if sentinel:
            g = w[f"{name}.gate_input.{d}.weight"] @ x[t] + w[f"{name}.gate_input.{d}.bias"]
            g = sigmoid(g + w[f"{name}.gate_state.{d}.weight"] @ h)
        m = sigmoid(before["f"]) * m + sigmoid(before["i"]) * np.tanh(before["c"])
        h = sigmoid(before["o"]) * np.tanh(m)
        states.append(h)
        sentinels.append(g * np.tanh(m) if sentinel else h)
    return np.array(states), np.array(sentinels)


def scores(w: Weights, name: str, h: np.ndarray, s: Any, memory: np.ndarray) -> Any:
    """Return alpha (T, T), context (T, D) and the raw gate (T,), eq. 6-8."""
    w_a, w_g = w[f"{name}.memory.weight"], w[f"{name}.state.weight"]
    w_h = w[f"{name}.score.weight"][0]
    alpha, context, gate = [], [], []
    for t in range(len(h)):
        z = np.array([w_h @ np.tanh(w_a @ a + w_g @ h[t]) for a in memory])
        alpha.append(softmax(z))
        context.append(sum(alpha[-1][i] * memory[i] for i in range(len(memory))))
        if s is not None:
            extra = w_h @ np.tanh(w[f"{name}.sentinel.weight"] @ s[t] + w_g @ h[t])
            gate.append(softmax(np.append(z, extra))[-1])
    return np.array(alpha), np.array(context), np.array(gate) if s is not None else None


def cman(w: Weights, config: dict[str, Any], visual: np.ndarray, audio: np.ndarray) -> Any:
    """(T, H, W, Dv), (T, Da) -> logits (T, C) and everything by the names of ModelOutput."""
    out: dict[str, Any] = {}
    regions = visual.reshape(len(visual), -1, visual.shape[-1])
    picture = regions.mean(axis=1)
    if config["where"]:
        picture, out["attention"] = where(
            w, regions, audio, config["rectified"], config["similarity"]
        )
        out["attention"] = out["attention"].reshape(visual.shape[:3])
    used = {"both": ("visual", "audio")}.get(config["modalities"], (config["modalities"],))
    h, s, memory = {}, {}, {}
    for name in used:
        raw = x = {"visual": picture, "audio": audio}[name]
        if config["input_map"]:
            raw = x = x @ w[f"{name}.map.weight"].T + w[f"{name}.map.bias"]
        if config["when"]:
            x, out[f"self_attention_{name}"] = when(
                w, f"{name}.when", x, config["global_context"], config["residual"]
            )
        sentinel = config["which"] and config["sentinel"]
        h[name], s[name] = lstm(w, f"{name}.lstm", x, 1 + config["bidirectional"], sentinel)
        memory[name] = {"attended": x, "lstm": h[name], "raw": raw}[config["memory"]]
    if config["which"]:
        h = which(w, config, h, s, memory, out)
    joined = np.concatenate([h[name] for name in used], axis=1)
    hidden = np.maximum(0, joined @ w["head.0.weight"].T + w["head.0.bias"])
    out["logits"] = hidden @ w["head.2.weight"].T + w["head.2.bias"]
    return out


def which(w: Weights, config: Any, h: Any, s: Any, memory: Any, out: Any) -> Any:
    other = {"visual": "audio", "audio": "visual"}
    alpha, context, gate = {}, {}, {}
    for n in other:
        alpha[n], context[n], gate[n] = scores(w, f"which.{n}", h[n], s[n], memory[other[n]])
        out[f"co_attention_{n}"] = alpha[n]
    if config["sentinel"] and config["gate"] == "softmax":
        pairs = [
            softmax(np.array(pair)) for pair in zip(gate["visual"], gate["audio"], strict=True)
        ]
        gate["visual"], gate["audio"] = np.array(pairs).T
    result = {}
    for n in other:
        c_hat = context[n]
        if config["sentinel"]:
            out[f"gate_{n}"] = gate[n]
            beta = gate[n][:, None]
            c_hat = beta * s[n] + (1 - beta) * c_hat  # eq. 5
        result[n] = c_hat + h[n]
    return result
