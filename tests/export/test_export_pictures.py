import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_timelines import timeline_of, unhurried
from PIL import Image

from avloc.errors import UnknownNameError, UsageError
from avloc.export.heat_style import HeatStyle
from avloc.export.links import jpeg
from avloc.export.pictures import lay_heat, report_thumbnails, strength

NOISE = np.random.default_rng(7).integers(0, 256, (140, 210, 3), dtype=np.uint8)


def change(frame, attention, **options):
    painted = np.asarray(lay_heat(frame, attention, **options))
    return np.abs(painted.astype(int) - frame).max(axis=2)


@pytest.mark.parametrize("cell", [(0, 0), (3, 2), (6, 6), (1, 5)])
def test_one_cell_of_attention_changes_its_own_place_and_nothing_far(cell):
    frame = np.full((140, 210, 3), 128, np.uint8)
    attention = np.zeros((7, 7))
    attention[cell] = 1
    moved = change(frame, attention)
    height, width = 140 // 7, 210 // 7
    y, x = np.unravel_index(moved.argmax(), moved.shape)
    assert (y // height, x // width) == cell
    rows, columns = np.arange(140) // height, np.arange(210) // width
    near = (abs(rows - cell[0]) <= 1)[:, None] & (abs(columns - cell[1]) <= 1)[None]
    assert moved[~near].max() == 0
    means = moved.reshape(7, height, 7, width).mean(axis=(1, 3))
    inside = means[cell]
    means[cell] = 0
    assert inside > 1.3 * means.max()


@pytest.mark.parametrize("shape", [(7, 7), (1, 1), (4, 6), (1, 5)])
def test_even_attention_leaves_the_picture_as_it_is(shape):
    even = np.full(shape, 1 / np.prod(shape), np.float32)
    assert change(NOISE, even).max() == 0


def test_attention_barely_uneven_hardly_shows():
    weights = np.ones((7, 7))
    weights[3, 3] = 1.05
    assert change(NOISE, weights / weights.sum()).max() <= 12
    weights[3, 3] = 8
    assert change(NOISE, weights / weights.sum()).max() > 100


def test_strength_is_the_logarithm_of_times_uniform():
    # 16 cells: uniform is 1/16; 1/8 is twice it, a third of the way to eight times.
    weights = np.zeros(16)
    weights[:4] = 1 / 8, 1 / 4, 1 / 2, 1 / 16
    got = strength(weights.reshape(4, 4)).ravel()
    np.testing.assert_allclose(got[:4], [1 / 3, 2 / 3, 1, 0], atol=1e-6)
    assert (got[4:] == 0).all()


def test_weights_that_are_not_numbers_show_nothing():
    assert change(NOISE, np.full((7, 7), np.nan)).max() == 0


@unhurried
@given(st.floats(0, 1), st.floats(0, 1))
def test_no_pixel_moves_further_than_its_opacity(alpha, presence):
    attention = np.zeros((3, 3))
    attention[1, 1] = 1
    assert (
        change(NOISE, attention, style=HeatStyle(alpha=alpha), presence=presence).max()
        <= 255 * alpha * presence + 1
    )


def test_no_attention_is_the_picture_itself():
    assert (np.asarray(lay_heat(NOISE, None)) == NOISE).all()


def test_wrong_styles_and_opacities_are_refused_by_name():
    with pytest.raises(UnknownNameError, match="heat-map style is called 'turb'") as caught:
        HeatStyle("turb")
    assert "'turbo'" in caught.value.hint
    with pytest.raises(UsageError, match=r"1\.5"):
        HeatStyle(alpha=1.5)


def test_thumbnails_show_heat_only_where_an_event_was_found():
    maps = np.zeros((3, 7, 7))
    maps[:, 3, 3] = 1
    timeline = timeline_of([0, 2, 1], maps=maps)
    pictures = report_thumbnails(timeline, {0: NOISE, 1: NOISE})
    assert list(pictures) == [0, 1]
    assert pictures[1] == jpeg(Image.fromarray(NOISE))
    assert pictures[0] != pictures[1]
