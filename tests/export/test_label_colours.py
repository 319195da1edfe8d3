"""One colour a label, which is never the colour of nothing."""

import re
from importlib.resources import files
from itertools import combinations

import numpy as np
import pytest

from avloc.colours import HEARD, SEEN, SENSE_COLOURS, as_hex, ink_on, label_colour
from avloc.export.figures.figure_rows import PAPER
from avloc.export.heatmap import panel
from avloc.export.report.blocks import DAY, NIGHT
from avloc.export.report.page import write_report
from avloc.labels import LabelSet

N_DIFFERENT = 30  # AVE has 28 labels
LABELS = LabelSet(tuple(f"label {n}" for n in range(N_DIFFERENT)))
COLOURS = [label_colour(name, LABELS) for name in LABELS.names]

# Colour vision without the red, green or blue cones: Machado, Oliveira and Fernandes 2009.
VISIONS = {
    "all": np.eye(3),
    "no red": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "no green": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "no blue": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.072175],
        [0.0193339, 0.119192, 0.9503041],
    ]
)


def lab(colour, vision="all"):
    """Return CIELAB (D65) of an sRGB colour in bytes: lightness, and two axes of colour."""
    share = np.asarray(colour) / 255
    light = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.asarray(VISIONS[vision]) @ light, 0, 1)
    x, y, z = np.cbrt(XYZ @ seen / (0.95047, 1, 1.08883) + 1e-9)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def grounds():
    """Return every colour that means nothing: grounds and troughs of page, figure and video."""
    style = (files("avloc.export.report") / "templates" / "report.css").read_text("utf-8")
    found = re.findall(r"--(?:ground|card|trough|mark): #(\w{6})", style)
    assert len(found) == 8  # light and dark
    page = [tuple(bytes.fromhex(digits)) for digits in found]
    return [*page, tuple(bytes.fromhex(PAPER[1:])), (255, 255, 255), panel.TROUGH, panel.GROUND]


def test_a_dark_page_has_the_senses_colours_of_the_heat_map(tmp_path):
    page = write_report(tmp_path / "a.html", title="t", timelines=[]).read_text("utf-8")
    dark = page[page.index("prefers-color-scheme: dark") :]
    found = [re.search(rf"--{sense}: (#\w{{6}});", dark)[1] for sense in ("heard", "seen")]
    assert found == [as_hex(HEARD), as_hex(SEEN)]


def test_blocks_of_a_page_are_laid_over_its_time_lines_ground():
    style = (files("avloc.export.report") / "templates" / "report.css").read_text("utf-8")
    assert re.findall(r"--trough: (#\w{6});", style) == [as_hex(DAY), as_hex(NIGHT)]


@pytest.mark.parametrize("vision", VISIONS)
def test_senses_have_colours_that_differ_under_a_black_letter(vision):
    colours = list(SENSE_COLOURS.values())
    seen = [lab(colour, vision) for colour in colours]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 9
    assert {ink_on(colour) for colour in colours} == {(0, 0, 0)}


def test_no_label_is_grey():
    greys = [colour for colour in COLOURS if np.hypot(*lab(colour)[1:]) < 12]
    assert greys == []


def test_no_label_is_the_colour_of_a_ground():
    near = [
        (colour, ground)
        for colour in COLOURS
        for ground in grounds()
        if np.linalg.norm(lab(colour) - lab(ground)) < 12
    ]
    assert near == []


@pytest.mark.parametrize("vision", VISIONS)
def test_the_first_ten_differ_in_every_colour_vision(vision):
    seen = [lab(colour, vision) for colour in COLOURS[:10]]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 16


def test_as_many_labels_as_ave_has_differ():
    assert len(set(COLOURS)) == N_DIFFERENT
    seen = [lab(colour) for colour in COLOURS]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 9
