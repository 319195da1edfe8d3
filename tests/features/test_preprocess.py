import av
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.nn.functional import interpolate
from torchvision.models import ResNet18_Weights
from torchvision.transforms.v2.functional import resize

from avloc.decoding.squash import squash
from avloc.features.preprocess import efficientnet_lite, imagenet


def bilinear(picture, height, width):
    """Bilinear interpolation at half-pixel centres, edges repeated, in float64."""

    def along(n_in, n_out):
        place = np.clip((np.arange(n_out) + 0.5) * n_in / n_out - 0.5, 0, n_in - 1)
        low = np.floor(place).astype(int)
        return low, np.minimum(low + 1, n_in - 1), place - low

    top, bottom, down = along(picture.shape[0], height)
    left, right, across = along(picture.shape[1], width)
    p = picture.astype(np.float64)
    rows = p[top] * (1 - down)[:, None, None] + p[bottom] * down[:, None, None]
    return rows[:, left] * (1 - across)[:, None] + rows[:, right] * across[:, None]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 2**32 - 1))
def test_squash_is_bilinear_without_antialias(height, width, seed):
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    squashed = squash(picture, (224, 224))
    assert squashed.dtype == np.uint8
    assert np.abs(squashed - np.rint(bilinear(picture, 224, 224))).max() <= 1


@pytest.mark.parametrize("shape", [(360, 640), (64, 48), (1, 1), (224, 300)])
def test_squash_is_torchvisions_resize(shape):
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    theirs = resize(torch.from_numpy(picture).permute(2, 0, 1), [224, 224], antialias=False)
    np.testing.assert_array_equal(squash(picture, (224, 224)), theirs.permute(1, 2, 0).numpy())


@settings(max_examples=25, deadline=None)
@given(
    st.tuples(st.integers(1, 500), st.integers(1, 500)),
    st.tuples(st.integers(1, 300), st.integers(1, 300)),
    st.sampled_from(["bilinear", "bicubic"]),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
def test_every_rule_has_pytorchs_bits(shape, size, mode, is_sharp, seed):
    picture = np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)
    if is_sharp:  # black and white: sums with negative weights are largest
        picture = np.where(picture > 127, 255, 0).astype(np.uint8)
    theirs = interpolate(
        torch.from_numpy(picture).permute(2, 0, 1)[None],
        size,
        mode=mode,
        align_corners=False,
        antialias=True,
    )
    theirs = theirs[0].permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(squash(picture, size, f"squash-{mode}-antialias"), theirs)
    turned = np.ascontiguousarray(np.rot90(picture)).swapaxes(0, 1)[:, ::-1]
    plain = squash(picture, size)
    np.testing.assert_array_equal(squash(turned, size), plain)  # however it lies in memory


def as_opencv(picture, height, width):
    """`cv2.resize`'s rule for bytes: weights of 1/2048, sums cut to 4 bits, then rounded.

    Transcribed from its description; no OpenCV is installed here.
    """

    def along(n_in, n_out):
        place = (np.arange(n_out) + 0.5) * n_in / n_out - 0.5
        low = np.floor(place).astype(int)
        share = np.where((low < 0) | (low >= n_in - 1), 0.0, place - low)
        low = np.clip(low, 0, n_in - 1)
        late = np.rint(share * 2048).astype(np.int64)
        return low, np.minimum(low + 1, n_in - 1), 2048 - late, late

    top, bottom, above, below = along(picture.shape[0], height)
    left, right, before, after = along(picture.shape[1], width)
    p = picture.astype(np.int64)
    rows = p[:, left] * before[:, None] + p[:, right] * after[:, None]
    upper = ((rows[top] >> 4) * above[:, None, None]) >> 16
    lower = ((rows[bottom] >> 4) * below[:, None, None]) >> 16
    return (upper + lower + 2) >> 2


SIZES = [(360, 640), (720, 1280), (480, 360), (144, 192), (32, 48), (1, 1), (225, 223)]


def texture(height, width):
    """A picture with a photograph's share of fine detail: amplitude falls as 1 / frequency^1.3."""
    draw = np.random.default_rng(0)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    frequency[0, 0] = 1.0
    planes = [
        np.fft.irfft2(np.fft.rfft2(draw.normal(size=(height, width))) / frequency**1.3)
        for _ in range(3)
    ]
    picture = np.stack([128 + 50 * (plane - plane.mean()) / plane.std() for plane in planes], -1)
    return picture.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("rule", [bilinear, as_opencv])
@pytest.mark.parametrize("shape", SIZES)
def test_squash_is_within_a_grey_level_of_the_reference(shape, rule):
    picture = np.random.default_rng(1).integers(0, 256, (*shape, 3), dtype=np.uint8)
    squashed = squash(picture, (224, 224)).astype(np.float64)
    assert np.abs(squashed - np.rint(rule(picture, 224, 224))).max() <= 1


OTHER_RULES = {
    "pil": lambda picture: np.asarray(
        Image.fromarray(picture).resize((224, 224), Image.Resampling.BILINEAR)
    ),
    "swscale": lambda picture: (
        av.VideoFrame.from_ndarray(picture, format="rgb24")
        .reformat(width=224, height=224, interpolation="BILINEAR")
        .to_ndarray()
    ),
    "antialias": lambda picture: (
        resize(torch.from_numpy(picture).permute(2, 0, 1), [224, 224], antialias=True)
        .permute(1, 2, 0)
        .numpy()
    ),
}


@pytest.mark.parametrize("rule", OTHER_RULES)
def test_other_ways_to_resize_make_other_features(rule):
    """They differ by two to four grey levels on average, so a faster one cannot replace it."""
    picture = texture(360, 640)
    ours = squash(picture, (224, 224)).astype(int)
    assert 2 < np.abs(OTHER_RULES[rule](picture).astype(int) - ours).mean() < 5


def test_squash_keeps_a_picture_of_the_right_size():
    picture = np.random.default_rng(0).integers(0, 256, (224, 224, 3), dtype=np.uint8)
    np.testing.assert_array_equal(squash(picture, (224, 224)), picture)


def test_imagenet_normalisation_is_torchvisions_own():
    own = ResNet18_Weights.IMAGENET1K_V1.transforms()
    frames = torch.randint(0, 256, (2, 224, 224, 3), dtype=torch.uint8)
    expected = (frames.permute(0, 3, 1, 2) / 255 - torch.tensor(own.mean)[:, None, None]) / (
        torch.tensor(own.std)[:, None, None]
    )
    torch.testing.assert_close(imagenet(frames), expected)


def test_normalisation_in_place_has_the_bits_of_the_formula():
    levels = torch.arange(256, dtype=torch.uint8).reshape(1, 16, 16, 1).expand(-1, -1, -1, 3)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    for frames in (levels, levels.contiguous(), levels.contiguous()[:, ::2, 3:]):
        before = frames.clone()
        expected = ((frames.float() / 255 - mean) / std).permute(0, 3, 1, 2)
        assert torch.equal(imagenet(frames), expected)
        planar = imagenet(frames, is_planar=True)
        assert torch.equal(planar, expected)
        assert planar.is_contiguous()
        assert torch.equal(frames, before)


@pytest.mark.parametrize(("level", "expected"), [(127, 0.0), (255, 1.0), (0, -127 / 128)])
def test_efficientnet_lite_normalisation(level, expected):
    frames = torch.full((1, 2, 2, 3), level, dtype=torch.uint8)
    assert efficientnet_lite(frames).unique().tolist() == [expected]
