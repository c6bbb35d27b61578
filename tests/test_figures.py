"""A figure as a phone shows it, and in lines: what `figures.py` and `narrow.py` draw."""

from __future__ import annotations

import base64
import gzip
import re
import shutil
import sys
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_notebook

from cvcourse import plot
from cvcourse.experiment import interval

sys.path.insert(0, str(Path(__file__).parents[1] / "notebooks"))
import execute
import figures
import narrow

pytestmark = pytest.mark.usefixtures("style")


def two_panels() -> Figure:
    fig, axes = plt.subplots(1, 2, figsize=(7.2, 3), sharey=True)
    for ax, title in zip(axes, ("this run", "a record"), strict=True):
        for arm, name in enumerate(("labels only", "augmentation, three times as long")):
            plot.band(ax, [1, 2], interval([[0.5, 0.6 + arm / 9], [0.5, 0.7]]), name, arm=arm)
        ax.set(title=title, xlabel="a label that is rather long for so narrow a screen")
    axes[0].set_ylabel("test accuracy")
    axes[0].legend(loc="lower right")
    return fig


def box(ax: Axes) -> tuple[float, float, float, float]:
    """Left, bottom, right and top of a panel's frame, in pixels."""
    x0, y0, x1, y1 = ax.get_window_extent().extents
    return float(x0), float(y0), float(x1), float(y1)


def test_panels_stand_below_each_other_and_each_says_what_it_shows() -> None:
    fig = two_panels()
    assert narrow.narrow(fig)
    fig.draw_without_rendering()
    upper, lower = fig.axes
    assert fig.get_figwidth() == narrow.WIDTH
    assert box(upper)[0] == pytest.approx(box(lower)[0])
    assert box(upper)[1] > box(lower)[3]
    assert lower.get_title(loc="left") == "a record"
    assert lower.get_ylabel() == "test accuracy", "it had the first panel's"
    assert any(label.get_visible() for label in lower.get_yticklabels())
    assert max(map(len, lower.get_xlabel().split("\n"))) <= 26


def test_a_legend_hides_nothing_and_keeps_its_markers() -> None:
    fig = two_panels()
    narrow.narrow(fig)
    fig.draw_without_rendering()
    upper = fig.axes[0]
    legend = upper.get_legend()
    assert legend
    assert legend.get_title().get_text() == "this run"
    assert legend.get_window_extent().y0 >= box(upper)[3] - 1, "it stands above the panel"
    assert [line.get_marker() for line in legend.get_lines()] == list(plot.MARKERS[:2])


def test_the_legend_of_a_figure_goes_to_its_top() -> None:
    fig, axes = plt.subplots(1, 2, figsize=(7.2, 3))
    for ax in axes:
        plot.whiskers(ax, [0], interval([0.1, 0.2]), "CNN")
    handles, names = axes[0].get_legend_handles_labels()
    fig.legend(handles, names, loc="outside right upper")
    narrow.narrow(fig)
    fig.draw_without_rendering()
    (legend,) = fig.legends
    assert legend.get_window_extent().y0 >= max(box(ax)[3] for ax in fig.axes)
    assert [text.get_text() for text in legend.get_texts()] == ["CNN"]


def test_a_legend_keeps_its_own_title_and_colours() -> None:
    fig, axes = plt.subplots(1, 2, figsize=(7.2, 3))
    for ax, colour in zip(axes, (plot.ORANGE, plot.BLUE), strict=True):
        ax.plot([0, 1], color=colour, label="test")
        ax.legend(title="training pictures")
    narrow.narrow(fig)
    legends = [ax.get_legend() for ax in axes]
    assert [each.get_lines()[0].get_color() for each in legends] == [plot.ORANGE, plot.BLUE]
    assert {each.get_title().get_text() for each in legends} == {"training pictures"}


def test_formulas_stay_whole_and_no_word_is_smaller_than_the_rest() -> None:
    formula = r"$p(y \mid x) = \sum_k w_k\, p_k(y \mid x)$, averaged"
    fig, ax = plt.subplots(figsize=(7.2, 3))
    ax.set_xlabel(formula)
    tiny = ax.text(0, 0, "tiny", fontsize=5)
    narrow.narrow(fig)
    assert ax.get_xlabel() == formula
    assert tiny.get_fontsize() == narrow.SMALLEST


def test_a_title_comes_from_above_and_not_from_below() -> None:
    fig, axes = plt.subplots(2, 2, figsize=(7.2, 6))
    axes[0, 0].set_title("ten labels")
    axes[1, 1].set_title("a side")
    narrow.narrow(fig)
    titles = [ax.get_title(loc="left") for ax in fig.axes]
    assert titles == ["ten labels", "", "ten labels", "a side"]


def test_long_names_of_rows_are_broken_and_do_not_touch() -> None:
    names = [f"{name}, with a long name" for name in "abcdefgh"]
    fig, ax = plt.subplots(figsize=(7.2, 2.2))
    plot.whiskers(ax, range(8), [interval([0.1, 0.2])] * 8, across=True)
    ax.set_yticks(range(8), names)
    narrow.narrow(fig)
    fig.draw_without_rendering()
    labels = [label for label in ax.get_yticklabels() if label.get_text()]
    assert all("\n" in label.get_text() for label in labels)
    extents = [label.get_window_extent() for label in labels]
    assert all(below.y1 <= above.y0 for below, above in pairwise(extents))
    assert box(ax)[2] - box(ax)[0] > 0.4 * fig.bbox.width, "room for the marks is left"


@pytest.mark.parametrize(("marks", "tilted"), [([1, 10, 100], False), ([100, 110, 120, 130], True)])
def test_marks_that_would_touch_are_tilted(marks: list[int], tilted: bool) -> None:
    fig, ax = plt.subplots()
    ax.plot([1, 1000], [0, 1])
    plot.log_ticks(ax, marks)
    narrow.narrow(fig)
    fig.draw_without_rendering()
    assert {label.get_rotation() > 0 for label in ax.get_xticklabels()} == {tilted}


def test_a_tilted_name_ends_under_its_mark_and_is_one_line() -> None:
    fig, ax = plt.subplots()
    ax.plot(range(8))
    ax.set_xticks(range(8), ["left arrow of ten"] * 8)
    narrow.narrow(fig)
    fig.draw_without_rendering()
    labels = ax.get_xticklabels()
    assert {label.get_text() for label in labels} == {"left arrow of ten"}
    for place, label in enumerate(labels):
        at, _ = ax.transData.transform((place, 0))
        assert label.get_window_extent().x1 == pytest.approx(at, abs=12)


def test_a_chart_may_have_no_marks_at_its_side() -> None:
    fig, ax = plt.subplots(figsize=(7.2, 3))
    ax.plot([0, 1])
    ax.set_yticks([])
    assert narrow.narrow(fig)


def test_names_of_rows_that_stand_in_groups_do_not_touch() -> None:
    fig, ax = plt.subplots(figsize=(7.2, 2.2))
    places = [0, 1, 2, 6, 7, 8]
    plot.whiskers(ax, places, [interval([0.1, 0.2])] * 6, across=True)
    ax.set_yticks(places, ["new classes: a CNN of other classes"] * 6)
    narrow.narrow(fig)
    fig.draw_without_rendering()
    extents = sorted((t.get_window_extent() for t in ax.get_yticklabels()), key=lambda b: b.y0)
    assert all(below.y1 <= above.y0 for below, above in pairwise(extents))


def test_a_long_row_of_pictures_is_cut_into_rows_as_long_as_each_other() -> None:
    black = np.zeros((1, 8, 8), np.uint8)
    fig = plot.grid([[black] * 8] * 2, row_titles=["before", "after"], titles=list("abcdefgh"))
    narrow.narrow(fig)
    fig.draw_without_rendering()
    boxes = np.array([box(ax) for ax in fig.axes])  # (16, 4)
    sides = (boxes[:, 2:] - boxes[:, :2]).round()
    assert len({*sides.ravel()}) == 1, "with a title above them or not"
    places = boxes[:, :2].round()
    assert len({*places[:, 1]}) == 4
    heights = places.reshape(2, 2, 4, 2)[..., 0, 1]  # before and after, their halves
    assert heights[0, 0] > heights[1, 0] > heights[0, 1] > heights[1, 1], "columns stay together"
    names = [[text.get_text() for text in fig.axes[i].texts] for i in (0, 4, 8, 12)]
    assert names == [["before"], ["before"], ["after"], ["after"]]


def test_the_words_above_pictures_have_room() -> None:
    black = np.zeros((1, 8, 8), np.uint8)
    fig = plot.grid([[black] * 5], titles=["0.64 right arrow\n0.36 left arrow"] * 5)
    narrow.narrow(fig)
    fig.draw_without_rendering()
    titles = [ax.title.get_window_extent() for ax in fig.axes]
    rows = [(a, b) for a, b in pairwise(titles) if abs(a.y0 - b.y0) < 5]
    assert rows
    assert all(left.x1 <= right.x0 for left, right in rows)


def test_rows_with_titles_of_their_own_are_cut_one_by_one() -> None:
    """Else the second half of all stood under the title of the last."""
    fig, axes = plt.subplots(2, 10, figsize=(7.2, 2))
    for row, name in zip(axes, ("weak", "strong"), strict=True):
        for ax in row:
            plot.picture(ax, np.zeros((1, 8, 8), np.uint8))
        row[0].set_title(name, loc="left")
    narrow.narrow(fig)
    fig.draw_without_rendering()
    weak, strong = (np.array([box(ax)[1] for ax in row]) for row in axes)
    assert weak.min() > strong.max()


def test_short_rows_are_as_wide_as_long_ones() -> None:
    fig, axes = plt.subplots(2, 6, figsize=(7.2, 3))
    for row, title in zip(axes, ("a", "0.64 right arrow\n0.36 star"), strict=True):
        for ax in row:
            plot.picture(ax, np.zeros((1, 8, 8), np.uint8), title)
    narrow.narrow(fig)
    fig.draw_without_rendering()
    long, short = axes
    assert box(short[1])[2] == pytest.approx(box(long[-1])[2], abs=12)
    titles = [ax.title.get_window_extent() for ax in short[:2]]
    assert titles[0].x1 < titles[1].x0


def test_a_figure_goes_on_as_it_was() -> None:
    fig = two_panels()
    shell = figures.Versions()
    told = shell(fig)
    assert told
    assert set(told[1]) == {"wide.svg", "narrow.svg"}
    assert fig.get_size_inches().tolist() == [7.2, 3]
    assert len(plt.get_fignums()) == 1


def test_what_is_narrow_or_has_parts_of_its_own_stays() -> None:
    small, _ = plt.subplots(figsize=(3.2, 3))
    parts = plt.figure(figsize=(7.2, 3))
    for part in parts.subfigures(1, 2):
        part.subplots()
    free = plt.figure(figsize=(7.2, 3))
    free.add_axes((0.1, 0.1, 0.8, 0.8))
    for fig in (small, parts, free, plt.figure(figsize=(7.2, 3))):
        before = fig.get_size_inches().tolist()
        assert not narrow.narrow(fig)
        assert fig.get_size_inches().tolist() == before


def opened(packed: str) -> str:
    return gzip.decompress(base64.b64decode(packed)).decode()


def test_lines_are_the_same_at_every_run_and_as_large_as_the_png() -> None:
    first, second = (figures.as_svg(two_panels()) for _ in range(2))
    assert first == second
    text = opened(first)
    width = re.search(r'<svg[^>]* width="(\d+)"', text, re.DOTALL)
    assert width
    assert int(width[1]) == pytest.approx(7.2 * figures.DPI, abs=20)
    assert "scale(0.015625)" in text, "letters keep their proportions"
    assert len(first) < 20_000


def test_a_kernel_tells_the_versions_where_the_book_is_executed(tmp_path: Path) -> None:
    code = "import matplotlib.pyplot as plt\nplt.subplots(figsize=(7.2, 3))\nplt.show()"
    path = tmp_path / "one.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(code)]), path)
    for module in (figures, narrow, execute):  # as beside every notebook of the book
        assert module.__file__
        shutil.copy(module.__file__, tmp_path)
    (output,) = execute.run(path).cells[0].outputs
    versions = output.metadata[execute.FIGURE]
    assert set(versions) == {"wide.svg", "narrow.svg"}
    assert "image/png" in output.data
    found = [re.search(r' width="(\d+)"', opened(versions[name])) for name in sorted(versions)]
    small, large = (int(width[1]) for width in found if width)
    assert small < 400 < 600 < large
