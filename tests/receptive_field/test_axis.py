"""Windows, spans and axes by themselves, in numbers that can be checked by hand."""

import numpy as np
import pytest

from cvcourse.receptive_field.axis import FAR, Axis, Span, Window
from cvcourse.receptive_field.windows import convolution


@pytest.mark.parametrize(
    ("border", "read"),
    [
        ("reflect", [2, 1, 0, 1, 2, 3, 2, 1]),
        ("circular", [2, 3, 0, 1, 2, 3, 0, 1]),
        ("replicate", [0, 0, 0, 1, 2, 3, 3, 3]),
    ],
)
def test_what_stands_outside_is_copied_from_inside(border: str, read: list[int]) -> None:
    taps, used = convolution(1, padding=2, border=border).within(np.arange(8), 4)
    assert taps[:, 0].tolist() == read
    assert used.all()


def test_zeros_outside_do_not_count() -> None:
    taps, used = convolution(1, padding=2).within(np.arange(8), 4)
    assert used[:, 0].tolist() == [False] * 2 + [True] * 4 + [False] * 2
    assert taps.min() == 0
    assert taps.max() == 3


def test_branches_in_step_are_joined_over_their_common_period() -> None:
    even = Span(np.array([0, 1]), np.array([1, 2]), 2)
    single = Span(np.array([-1]), np.array([0]), 1)
    for joined in (even.union(single), single.union(even)):
        assert joined is not None
        assert (joined.low.tolist(), joined.high.tolist()) == ([-1, 0], [1, 2])
        assert (joined.step, joined.jump, joined.size) == (2, 1, 3)


def test_an_image_is_counted_in_integers() -> None:
    axis = Axis.of_image(2, 5)
    assert axis.span is not None
    kinds = {x.dtype for x in (axis.low, axis.high, axis.span.low, axis.span.high)}
    assert kinds == {np.dtype(np.int64)}
    assert (axis.span.low.tolist(), axis.span.high.tolist(), axis.span.step) == ([0], [0], 1)


def test_a_joined_axis_lives_in_the_branch_that_has_a_dimension() -> None:
    axis = Axis.of_image(2, 5)
    for joined in (axis.union(axis.collapsed()), axis.collapsed().union(axis)):
        assert joined.dim == 2
        assert joined.span is None
        assert (joined.low.tolist(), joined.high.tolist()) == ([0] * 5, [4] * 5)
    assert axis.collapsed().union(axis.collapsed()).dim is None
    other = axis.moved(3)
    assert axis.union(other).dim == 2, "the first one's"


def test_a_unit_that_reads_nothing_sees_nothing() -> None:
    nothing = Window(np.array([[0]]), 1, used=np.array([[False]]))
    axis = Axis.of_image(2, 3).through(nothing, 3)
    assert axis.low.tolist() == [FAR] * 3
    assert axis.high.tolist() == [-FAR] * 3


def test_the_first_unit_may_see_nothing() -> None:
    assert Span(np.array([-1, 3]), np.array([2, 4]), 2).first == (-1, 2)
    nothing = Span(np.array([FAR, 0]), np.array([-FAR, 2]), 2)
    assert (nothing.first, nothing.size) == (None, 3)
    assert Span(np.array([FAR]), np.array([-FAR]), 1).size == 0
