"""CMAN and its modules against a NumPy transcription of the equations, in double precision."""

from __future__ import annotations

import copy
from dataclasses import fields

import cman_in_numpy as plain
import numpy as np
import pytest
import torch
from compare_networks import in_steps

from avloc.models import ModelOutput, build
from avloc.models.attention import GlobalContextSelfAttention, SpatialAttention
from avloc.models.cman import CMAN
from avloc.models.co_attention import SentinelCoAttention, StreamStates
from avloc.models.scaling import Scaling
from avloc.models.sentinel import SentinelLSTM

SIZES = {"visual_channels": 9, "audio_channels": 5, "n_classes": 4, "width": 6, "head_width": 7}
TOLERANCE = 1e-10


def made(**options) -> CMAN:
    """A double-precision model in evaluation mode, with biases and gains away from zero."""
    torch.manual_seed(3)
    model = build("cman", **SIZES, **options).double().eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.6) if parameter.dim() else None
    return model


def features(n_segments: int, batch: int = 2, grid: tuple[int, int] = (2, 3)):
    draw = np.random.default_rng(n_segments)
    visual = draw.normal(size=(batch, n_segments, *grid, SIZES["visual_channels"]))
    return visual, draw.normal(size=(batch, n_segments, SIZES["audio_channels"]))


def arrays(module: torch.nn.Module, prefix: str = "") -> plain.Weights:
    return {prefix + name: w.detach().numpy() for name, w in module.state_dict().items()}


def assert_as_transcribed(model: CMAN, visual: np.ndarray, audio: np.ndarray) -> ModelOutput:
    output = model(torch.from_numpy(visual), torch.from_numpy(audio))
    for b in range(len(visual)):
        truth = plain.cman(arrays(model), model.config, visual[b], audio[b])
        for entry in fields(ModelOutput):
            value = getattr(output, entry.name)
            assert (value is None) == (entry.name not in truth), entry.name
            if value is not None:
                got = value[b].detach().numpy()
                np.testing.assert_allclose(got, truth[entry.name], atol=TOLERANCE)
    return output


@pytest.mark.parametrize("n_segments", [1, 2, 7, 10, 60])
def test_the_whole_model_follows_the_equations_at_any_length(n_segments):
    assert_as_transcribed(made(), *features(n_segments))


@pytest.mark.parametrize(
    "options",
    [
        {"modalities": "audio", "where": False, "when": False, "which": False},
        {"modalities": "visual", "where": False, "when": False, "which": False},
        {"modalities": "audio", "where": False, "which": False},
        {"where": False, "when": False, "which": False},
        {"when": False, "which": False},
        {"where": False, "which": False},
        {"where": False, "when": False},
        {"which": False},
        {"where": False},
        {"when": False},
        {"global_context": False},
        {"sentinel": False},
        {"bidirectional": False},
        {"memory": "lstm"},
        {"memory": "raw"},
        {"gate": "raw"},
        {"residual": False},
        {"input_map": False, "residual": False},
        {"temperature": 1.0, "temperature_learnable": False},
        {"similarity": "cosine"},
        {"similarity": "cosine", "rectified": False},
        {"rectified": False},
    ],
    ids=lambda options: ",".join(f"{name}={value}" for name, value in options.items()),
)
def test_every_row_and_choice_follows_the_equations(options):
    assert_as_transcribed(made(**options), *features(5))


@pytest.mark.parametrize("grid", [(1, 1), (7, 7), (2, 5)])
def test_any_picture_grid(grid):
    output = assert_as_transcribed(made(), *features(3, grid=grid))
    assert output.attention.shape == (2, 3, *grid)


def test_scaled_inputs_are_what_a_scaled_transcription_sees():
    model = made()
    visual, audio = features(4)
    shift, spread = np.arange(9.0) - 3, np.linspace(0.5, 4, 9)
    model.scale_visual.fit(torch.from_numpy(shift), torch.from_numpy(spread))
    raw = torch.from_numpy(visual * spread + shift)
    output = model(raw, torch.from_numpy(audio))
    truth = plain.cman(arrays(model), model.config, visual[1], audio[1])
    np.testing.assert_allclose(output.logits[1].detach(), truth["logits"], atol=TOLERANCE)


def test_spatial_attention_alone():
    torch.manual_seed(0)
    module = SpatialAttention(9, 5, 6, 10.0, True, True, "cosine").double()
    visual, audio = features(3)
    regions = visual.reshape(2, 3, 6, 9)
    weights = module(torch.from_numpy(regions), torch.from_numpy(audio), Scaling(9).double())
    truth = plain.where(arrays(module, "where."), regions[1], audio[1])
    np.testing.assert_allclose(weights[1].detach(), truth[1], atol=TOLERANCE)


def test_a_fixed_temperature_of_one_bounds_the_weights_by_e():
    module = SpatialAttention(9, 5, 6, 1.0, False, True, "cosine").double()
    torch.manual_seed(1)
    regions, audio = torch.randn(4, 10, 49, 9).double() * 50, torch.randn(4, 10, 5).double()
    weights = module(regions, audio, Scaling(9).double())
    assert (weights.amax(-1) / weights.amin(-1)).max() <= np.e
    assert not module.log_temperature.requires_grad


def test_silence_points_nowhere():
    module = SpatialAttention(9, 5, 6, 10.0, True, True, "cosine")
    torch.nn.init.zeros_(module.audio.bias)
    weights = module(torch.randn(1, 2, 4, 9), torch.zeros(1, 2, 5), Scaling(9))
    torch.testing.assert_close(weights, torch.full((1, 2, 4), 0.25))
    weights[0, 0, 0].backward()
    assert all(torch.isfinite(p.grad).all() for p in module.parameters())


def test_self_attention_without_context_is_torchs_own():
    torch.manual_seed(0)
    module = GlobalContextSelfAttention(
        6, 6, has_context=False, is_residual=False, dropout=0.5
    ).eval()
    x = torch.randn(3, 8, 6)
    truth = torch.nn.functional.scaled_dot_product_attention(
        module.query(x), module.key(x), module.value(x)
    )
    torch.testing.assert_close(module(x)[0], truth)


@pytest.mark.parametrize("is_bidirectional", [True, False])
def test_sentinels_and_their_gradients_are_those_of_a_loop_of_steps(is_bidirectional):
    """In single precision too, with output gates from wide open to all but shut."""
    torch.manual_seed(0)
    module = SentinelLSTM(5, 8, is_bidirectional=is_bidirectional, has_sentinel=True)
    with torch.no_grad():
        for suffix in ("", "_reverse")[: 1 + is_bidirectional]:
            size = module.lstm.hidden_size
            getattr(module.lstm, f"bias_ih_l0{suffix}")[3 * size :] = torch.linspace(-12, 12, size)
    x = torch.randn(4, 11, 5)
    states, sentinels = module(x)
    (sentinels.square().sum() + states.sum()).backward()
    gradients = {name: p.grad.clone() for name, p in module.named_parameters()}
    double = copy.deepcopy(module).double()
    double.zero_grad()
    stepped = in_steps(double, x.double())
    (stepped.square().sum() + double(x.double())[0].sum()).backward()
    torch.testing.assert_close(sentinels.double(), stepped, atol=1e-6, rtol=1e-5)
    for name, p in double.named_parameters():
        torch.testing.assert_close(gradients[name].double(), p.grad, atol=1e-4, rtol=1e-4)


def test_mixed_precision_leaves_states_and_sentinels_in_single():
    """``s_t * o_t = h_t * g_t`` of the states as they came out, worked out again in double."""
    torch.manual_seed(0)
    module = SentinelLSTM(32, 64, is_bidirectional=False, has_sentinel=True)
    x = torch.randn(64, 10, 32)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        states, sentinels = module(x)
    assert (states.dtype, sentinels.dtype) == (torch.float32, torch.float32)
    w = {name: parameter.detach().double() for name, parameter in module.named_parameters()}
    h, x = states.double(), x.double()
    before = torch.cat([torch.zeros_like(h[:, :1]), h[:, :-1]], dim=1)
    shut = slice(3 * 64, None)
    o = torch.sigmoid(
        x @ w["lstm.weight_ih_l0"][shut].T
        + before @ w["lstm.weight_hh_l0"][shut].T
        + w["lstm.bias_ih_l0"][shut]
        + w["lstm.bias_hh_l0"][shut]
    )
    g = torch.sigmoid(
        x @ w["gate_input.0.weight"].T
        + w["gate_input.0.bias"]
        + before @ w["gate_state.0.weight"].T
    )
    torch.testing.assert_close(sentinels.double() * o, h * g, atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize("is_bidirectional", [True, False])
def test_mixed_precision_keeps_gradients_through_nearly_shut_gates(is_bidirectional):
    """The output gates are about ``e^-30`` to ``e^-80``, so ``1 / o_t`` is as large."""
    module = nearly_shut(is_bidirectional)
    x = torch.randn(16, 10, 32).bfloat16()  # mixed precision's input, which single has exactly

    def run(is_mixed):
        module.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=is_mixed):
            states, sentinels = module(x if is_mixed else x.float())
        (sentinels.square().sum() + states.float().sum()).backward()
        return sentinels, {name: p.grad.clone() for name, p in module.named_parameters()}

    (mixed, gradients), (single, expected) = run(is_mixed=True), run(is_mixed=False)
    assert (mixed - single).norm() < 0.01 * single.norm()
    for name, gradient in gradients.items():
        assert torch.isfinite(gradient).all(), name
        assert (gradient - expected[name]).norm() <= 0.01 * expected[name].norm(), name
    assert expected["lstm.weight_ih_l0"].norm() > 0.1


def test_states_rounded_otherwise_than_their_gates_leave_numbers():
    """Some devices compute a sigmoid to an absolute error only, which ``1 / o_t`` multiplies."""
    module = nearly_shut(is_bidirectional=False)
    error = 1e-4 * torch.randn(16, 10, 64)
    module.lstm.register_forward_hook(lambda _, __, output: (output[0] + error, output[1]))
    _, sentinels = module(torch.randn(16, 10, 32))
    sentinels.square().sum().backward()
    assert sentinels.abs().max() <= 1  # as g_t * tanh(m_t)
    for name, p in module.named_parameters():
        assert torch.isfinite(p.grad).all(), name
        assert p.grad.abs().max() < 1e6, name


def nearly_shut(is_bidirectional: bool) -> SentinelLSTM:
    torch.manual_seed(0)
    width = 64 * (1 + is_bidirectional)
    module = SentinelLSTM(32, width, is_bidirectional=is_bidirectional, has_sentinel=True)
    with torch.no_grad():
        for suffix in ("", "_reverse")[: 1 + is_bidirectional]:
            bias = getattr(module.lstm, f"bias_ih_l0{suffix}")
            bias[3 * 64 :] = torch.linspace(-80, -30, 64)
    return module


def test_a_shut_output_gate_leaves_numbers():
    module = SentinelLSTM(5, 8, is_bidirectional=False, has_sentinel=True)
    with torch.no_grad():
        module.lstm.bias_ih_l0[24:] = -1000
    states, sentinels = module(torch.randn(2, 4, 5))
    sentinels.sum().backward()
    assert torch.isfinite(sentinels).all()
    assert not states.any()
    assert all(torch.isfinite(p.grad).all() for p in module.parameters())


def test_co_attention_alone_shares_its_scorer_between_memory_and_sentinel():
    torch.manual_seed(0)
    module = SentinelCoAttention(6, has_sentinel=True, is_gate_normalized=False).double()
    h, s, memory = (torch.randn(2, 4, 6).double() for _ in range(3))
    seen, _ = module(StreamStates(h, s, memory), StreamStates(h, s, memory))
    alpha, context, gate = plain.scores(
        arrays(module, "which."), "which.visual", h[0].numpy(), s[0].numpy(), memory[0].numpy()
    )
    expected = gate[:, None] * s[0].numpy() + (1 - gate[:, None]) * context + h[0].numpy()
    np.testing.assert_allclose(seen.weights[0].detach(), alpha, atol=TOLERANCE)
    np.testing.assert_allclose(seen.gate[0].detach(), gate, atol=TOLERANCE)
    np.testing.assert_allclose(seen.states[0].detach(), expected, atol=TOLERANCE)
