"""Figures of curves: what is drawn is what was given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from avloc.errors import UsageError
from avloc.export.figures.curves_figure import Curve, Panel, curves_figure
from avloc.export.figures.figure_file import write_figure

X = [0.0, 50.0, 100.0]


def curve(name: str, *values: float, bar: float = 2.0) -> Curve:
    means = np.array(values)
    return Curve(name, means, means - bar, means + 2 * bar)


PANELS = [
    [Panel("all", "percent", [curve("A", 90, 70, 60), curve("B", 80, np.nan, 65)])],
    [Panel("above A", "points", [curve("B", -10, np.nan, 5)], has_zero=True)],
]


def line_of(axes: Axes, n: int):
    return axes.containers[n].lines[0]


def test_points_and_bars_are_where_they_belong():
    figure = curves_figure(X, PANELS, x_label="share")
    above, below = figure.axes
    a, b = above.containers
    np.testing.assert_allclose(a.lines[0].get_ydata(), [90, 70, 60])
    np.testing.assert_allclose(b.lines[0].get_ydata(), [80, 65])  # nothing where there is none
    np.testing.assert_allclose(b.lines[0].get_xdata(), [0, 100], atol=2)
    (bars,) = a.lines[2]
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    np.testing.assert_allclose(ends, [[88, 94], [68, 74], [58, 64]])
    assert [line.get_ydata()[0] for line in below.lines if len(set(line.get_ydata())) == 1] == [0]
    assert (above.get_ylabel(), below.get_ylabel()) == ("percent", "points")
    assert below.get_xlabel() == "share"


def test_a_name_looks_the_same_in_every_panel_and_unlike_the_others():
    above, below = curves_figure(X, PANELS, x_label="share").axes

    def look(line):
        return to_hex(line.get_color()), line.get_marker(), line.get_linestyle()

    a, b = look(line_of(above, 0)), look(line_of(above, 1))
    assert all(one != other for one, other in zip(a, b, strict=True))  # not by colour alone
    assert look(line_of(below, 0)) == b


def test_the_legend_names_each_curve_once(tmp_path: Path):
    figure = curves_figure(X, PANELS, x_label="share", note="95 % of the bootstrap")
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["A", "B"]
    for kind in ("pdf", "png", "svg"):
        path = write_figure(figure, tmp_path / f"curves.{kind}")
        assert write_figure(figure, tmp_path / f"again.{kind}").read_bytes() == path.read_bytes()
    assert "95 % of the bootstrap" in (tmp_path / "curves.svg").read_text()


@pytest.mark.parametrize("values", [(1.0, 2.0, 3.0), (np.nan,) * 3])
def test_one_value_and_none_are_drawn_too(values: tuple[float, ...]):
    curves_figure([5.0], [[Panel("t", "y", [curve("A", values[0])])]], x_label="x")


def test_a_figure_without_curves_is_refused():
    with pytest.raises(UsageError, match="needs a curve"):
        curves_figure(X, [[Panel("t", "y", [])]], x_label="x")
