from collections.abc import Callable
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from cvcourse import plot
from cvcourse.experiment import Claim, Record, claim, interval, more, repeat

BLACK = np.zeros((1, 4, 4), np.uint8)
ONE = interval([0.1, 0.2])  # of one value
pytestmark = pytest.mark.usefixtures("style")


def luminance(color: str) -> float:
    linear = [
        c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4
        for c in mpl.colors.to_rgb(color)
    ]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize(
    "color", [plot.INK, plot.GREY, plot.BLUE, plot.ORANGE, plot.PURPLE, plot.GREEN]
)
def test_lines_and_text_stand_out_from_the_paper(color: str) -> None:
    ratio = (luminance(plot.PAPER) + 0.05) / (luminance(color) + 0.05)
    assert ratio >= (4.5 if color in (plot.INK, plot.GREY) else 3)  # WCAG 2.2, 1.4.3 and 1.4.11


def test_a_band_is_the_interval() -> None:
    results = repeat(lambda seed: {"arm/x": [seed, 2.0 * seed, 3.0]}, 3)
    estimate = results.interval("arm/x")
    _, ax = plt.subplots()
    plot.band(ax, [1, 2, 3], estimate, "arm", arm=1)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), estimate.mean)
    corners = ax.collections[0].get_paths()[0].vertices
    np.testing.assert_allclose(corners[:, 1].min(), estimate.low.min())
    np.testing.assert_allclose(corners[:, 1].max(), estimate.high.max())


def test_what_is_along_the_axis_may_have_names() -> None:
    ax = plt.figure().subplots()
    plot.band(ax, ["shallow", "deep"], interval([[0.1, 0.2], [0.2, 0.3]]), "a")
    plot.whiskers(ax, ["deep", "deeper"], [interval([0.1, 0.2])] * 2)
    ax.figure.canvas.draw()
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["shallow", "deep", "deeper"]


def test_panels_draw_every_arm_and_chance() -> None:
    results = repeat(
        lambda seed: {f"{a}/{s}": [0.1, 0.5 + 0.1 * seed] for a in "ab" for s in "xy"}, 2
    )
    figure = plot.panels(results, {"x": [0, 1], "y": [5, 6]}, ["a", "b"], n_classes=4)
    for ax in figure.axes:
        assert len(ax.lines) == 3
        assert ax.lines[-1].get_ydata()[0] == 0.25
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["a", "b", "chance"]


def test_signed_pictures_are_white_at_zero() -> None:
    image = plot.signed(np.array([[-2.0, 0.0], [1.0, 2.0]]))
    assert image.shape == (3, 2, 2)
    assert (image[:, 0, 1] > 240).all()
    assert image[2, 0, 0] > image[0, 0, 0], "blue below zero"
    assert image[0, 1, 1] > image[2, 1, 1], "orange above"
    assert (plot.signed(np.zeros((2, 2))) > 240).all()


def test_a_grid_shows_every_picture() -> None:
    pictures = [np.full((1, 4, 4), v, np.uint8) for v in (0, 100, 200)]
    figure = plot.grid([pictures, pictures], titles=["a", "b", "c"], row_titles=["x", "y"])
    shown = [ax.images[0].get_array() for ax in figure.axes]
    assert [int(array[0, 0, 0]) for array in shown] == [0, 100, 200] * 2


def test_whiskers_end_where_the_interval_ends() -> None:
    estimate = repeat(lambda seed: {"arm": [seed, 2.0 * seed, 3.0]}, 3).interval("arm")
    for across in (False, True):
        _, ax = plt.subplots()
        plot.whiskers(ax, [5, 6, 7], estimate, "arm", arm=2, across=across)
        (container,) = ax.containers
        line, caps, _ = container
        values = line.get_xdata() if across else line.get_ydata()
        np.testing.assert_allclose(values, estimate.mean)
        ends = [cap.get_xdata() if across else cap.get_ydata() for cap in caps]
        np.testing.assert_allclose(ends, [estimate.low, estimate.high])
        assert line.get_marker() == plot.MARKERS[2]
        assert container.get_label() == "arm"


def test_whiskers_show_the_value_of_each_seed_beside_its_interval() -> None:
    results = repeat(lambda seed: {"arm": [seed, 2.0 * seed]}, 3)
    for across in (False, True):
        _, ax = plt.subplots()
        plot.whiskers(ax, [5, 6], results.interval("arm"), across=across, values=results["arm"])
        dots = [line for line in ax.lines if line.get_marker() == "."]
        assert len(dots) == 2
        for place, line, values in zip((5, 6), dots, results["arm"].T, strict=True):
            along, beside = line.get_xdata(), line.get_ydata()
            if not across:
                along, beside = beside, along
            np.testing.assert_allclose(along, values)
            assert 0 < np.abs(beside - place).max() < 0.3


def test_whiskers_take_single_intervals_too() -> None:
    estimate = repeat(lambda seed: {"arm": [seed, 2.0 * seed]}, 3).interval("arm")
    _, ax = plt.subplots()
    plot.whiskers(ax, [0, 1], [estimate[0], estimate[1]], hollow=True)
    plot.whiskers(ax, 2, estimate[0])
    lines = [container[0] for container in ax.containers]
    np.testing.assert_allclose(lines[0].get_ydata(), estimate.mean)
    np.testing.assert_allclose(lines[1].get_ydata(), estimate.mean[:1])
    assert lines[0].get_markerfacecolor() == plot.PAPER
    assert ax.get_legend_handles_labels() == ([], [])


def test_a_logarithmic_axis_is_marked_at_the_values_and_nowhere_else() -> None:
    figure, ax = plt.subplots()
    plot.log_ticks(ax, [1, 10, 2500])
    ax.plot([1, 2500], [0, 1])
    figure.canvas.draw()
    assert ax.get_xscale() == "log"
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1", "10", "2,500"]
    assert not ax.get_xticks(minor=True).size


def texts(figure: Figure) -> list[str]:
    """What stands in a figure, as it is drawn; none of it is a formula."""
    figure.canvas.draw()
    shown = [text for text in figure.findobj(Text) if text.get_text() and text.get_visible()]
    drawn = [text._preprocess_math(text.get_text()) for text in shown]
    assert not any(is_formula for _, is_formula in drawn)
    return [text for text, _ in drawn]


@pytest.mark.parametrize("name", ["$x$", "US$ & C$", "$\\frac$", "a\\$b$", "5$", "$a_$ $"])
def test_dollars_in_names_are_text_in_every_figure(name: str) -> None:
    black = np.zeros((1, 4, 4), np.uint8)
    estimate = repeat(lambda seed: {"arm": [seed, 2.0 * seed]}, 3).interval("arm")
    figure, axes = plt.subplots(1, 3)
    plot.picture(axes[0], black, name)
    plot.band(axes[1], [0, 1], estimate, name)
    plot.whiskers(axes[2], [0, 1], estimate, name)
    axes[2].set_xticks([0, 1], [plot.literal(name)] * 2)
    for ax in axes[1:]:
        ax.legend()
    assert texts(figure).count(name) == 5
    grid = plot.grid([[black, black]], titles=[name, name], row_titles=[name])
    assert texts(grid).count(name) == 3
    results = repeat(lambda seed: {f"{name}/{name}": [0.1, 0.5 + 0.1 * seed]}, 2)
    panels = plot.panels(results, {name: [0, 1]}, [name], n_classes=4)
    assert texts(panels).count(name) == 2


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda ax: plot.picture(ax, np.full((3, 2, 2), np.nan)), "image holds NaN"),
        (lambda ax: plot.picture(ax, np.zeros((2, 2, 3))), r"image is \(2, 2, 3\)"),
        (lambda ax: plot.picture(ax, [[0.0]]), "image is .*; expected Tensor"),
        (lambda ax: plot.signed([[np.inf]]), "values holds NaN or inf"),
        (lambda ax: plot.band(ax, [0, 1], interval([0.1, 0.2]), "a", arm=-1), "arm is -1"),
        (lambda ax: plot.band(ax, [0, 1], interval([[1, 2, 3], [2, 3, 4]]), "a"), r"x are \(2,\)"),
        (lambda ax: plot.whiskers(ax, [0, 1], interval([0.1, 0.2])), r"places are \(2,\)"),
        (lambda ax: plot.whiskers(ax, [0], []), "estimates are none"),
        (lambda ax: plot.whiskers(ax, 0, ONE, values=[[1, 2]]), r"values are \(1, 2\); .*, 1\)"),
        (lambda ax: plot.whiskers(ax, 0, ONE, values=[1, np.nan]), "values holds NaN"),
        (lambda ax: plot.whiskers(ax, ["a"], ONE, values=[1, 2]), "places beside .* numbers"),
        (lambda ax: plot.grid([[BLACK], [BLACK, BLACK]]), r"rows have \[1, 2\] images"),
        (lambda ax: plot.grid([[BLACK]], titles=["a", "b"]), "titles are 2; expected 1"),
        (lambda ax: plot.log_ticks(ax, [0, 1]), r"values\[0\] is 0"),
        (lambda ax: plot.chance(ax, np.nan), "n_classes is nan"),
        (lambda ax: plot.literal(None), "text is None"),
    ],
)
def test_what_cannot_be_drawn_is_named(draw: Callable[[Axes], Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        draw(plt.figure().subplots())


def test_what_has_a_gradient_can_be_drawn() -> None:
    weights = torch.ones(2, 2, requires_grad=True)
    assert np.array_equal(plot.signed(weights), plot.signed(weights.detach()))


def test_effects_are_drawn_against_the_length_of_training() -> None:
    def made(estimate: float) -> tuple[Claim, dict[str, Any]]:
        gain = interval([estimate - 0.01, estimate, estimate + 0.01])
        effect = {"gain": gain, "weights": (7, ",d"), "in points": (gain, ".1f")}
        claimed = claim("gain", "confirmed", {"it is": more(gain)}, effect=effect, short="yes")
        return claimed, claimed.as_data()

    records = [
        Record("n", "p", "2026-01-02", "a kettle", {}, {}, {}, (made(e)[1],), budget=budget)
        for e, budget in ((0.5, 4), (0.7, 16), (0.9, 1))  # the last is no longer than the chapter
    ]
    fig = plot.by_budget({"What it costs": made(0.3)[0]}, records)
    (ax,) = fig.axes
    line = ax.get_lines()[0]
    assert line.get_xdata().tolist() == [1, 4, 16]
    assert line.get_ydata() == pytest.approx([0.3, 0.5, 0.7])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["×1", "×4", "×16"]
    assert ax.get_title(loc="left") == "What it costs"
    assert ax.get_legend_handles_labels()[1] == ["gain"]
    near = [Record("n", "p", "", "", {}, {}, {}, (made(0.5)[1],), budget=b) for b in (3.5, 4)]
    (close,) = plot.by_budget({"What it costs": made(0.3)[0]}, near).axes
    marked = [label.get_text() for label in close.get_xticklabels()]
    assert marked == ["×1", "×4"], "×3.5 would run into it"
    (alone,) = plot.by_budget({"What it costs": made(0.3)[0]}, records[:0]).axes
    ((low, high),) = [bar.get_segments()[0][:, 1] for bar in alone.containers[0].lines[2]]
    assert (low, high) == pytest.approx((0.3 - 0.0248, 0.3 + 0.0248), abs=1e-3)
    counted = claim("c", "confirmed", {"it is": True}, effect={"weights": (7, ",d")}, short="yes")
    with pytest.raises(ValueError, match="no claim has an effect with an interval"):
        plot.by_budget({"Counted": counted}, records)


def test_effects_say_once_how_they_all_begin_and_keep_their_colour_from_panel_to_panel() -> None:
    def made(*names: str) -> Claim:
        effect = {name: interval([0.1, 0.2]) for name in names}
        return claim("kept", "confirmed", {"it is": True}, effect=effect, short="yes")

    first = made("lead kept: MLP, shifted by 1/8", "lead kept: MLP, hidden")
    second = made("CNN, cropped", "CNN, hidden", "CNN, shifted by 1/8")
    third = made("a gain", "another, larger one")
    fig = plot.by_budget({"One": first, "Two": second, "Three": third}, [])
    assert [ax.get_ylabel() for ax in fig.axes] == ["lead kept: MLP", "CNN", ""]
    colours = [
        {label: bars[0].get_color() for label, bars in zip(labels, ax.containers, strict=True)}
        for ax in fig.axes
        for labels in [ax.get_legend_handles_labels()[1]]
    ]
    assert list(colours[0]) == ["shifted by 1/8", "hidden"]
    assert list(colours[2]) == ["a gain", "another, larger one"]
    assert all(colours[1][name] == colour for name, colour in colours[0].items())
    assert [len({*panel.values()}) for panel in colours] == [2, 3, 2], "no two alike"
