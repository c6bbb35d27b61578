"""Tables, as text and for the page."""

import inspect

import numpy as np
import pytest

from cvcourse.experiment import Claim, Finding, claim, interval, table, verdicts
from cvcourse.experiment.tables import Table


def test_a_table_is_aligned_and_formats_its_cells(capsys: pytest.CaptureFixture[str]) -> None:
    rows = {
        "one": [interval([0.5, 0.7]), 1234, None],
        "another": [np.float32(0.25), True, "as it is"],
    }
    table(["arm", "accuracy", "steps", "note"], rows, format=".1f")
    assert capsys.readouterr().out == (
        "arm              accuracy   steps       note\n"
        "one       0.6 [-0.7, 1.9]   1,234          –\n"
        "another               0.2    True   as it is\n"
    )


def test_a_table_for_the_page_names_rows_and_columns_and_escapes() -> None:
    bundle = Table(("", "a < b"), (("row & row", "<b>"),))._repr_mimebundle_()
    assert bundle["text/html"] == (
        '<table class="measured tex2jax_ignore mathjax_ignore">\n'
        '<thead><tr><td></td><th scope="col">a &lt; b</th></tr></thead>\n'
        '<tbody>\n<tr><th scope="row">row &amp; row</th><td>&lt;b&gt;</td></tr>\n'
        "</tbody>\n</table>"
    )
    assert bundle["text/plain"].splitlines()[1].startswith("row & row")


def test_a_row_that_does_not_fit_is_named() -> None:
    with pytest.raises(ValueError, match="row 'x' has 1 cells; expected 2, for columns a, b"):
        table(["", "a", "b"], {"x": [1]})


def test_the_table_of_verdicts_says_what_was_not_reproduced(
    capsys: pytest.CaptureFixture[str],
) -> None:
    good = claim("wet", "confirmed", {"it is": True}, effect={"e": "x"}, short="it is wet")
    bad = claim("dry", "corrected", {"it is": False}, effect={"e": "x"}, short="it is not")
    capsys.readouterr()
    verdicts(good, bad)
    _, *rows = capsys.readouterr().out.splitlines()
    assert [row.split("   ")[0].strip() for row in rows] == ["wet", "dry"]
    assert "confirmed" in rows[0]
    assert "not reproduced" in rows[1]


def test_a_table_prints_two_places_and_aligns_names_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table(["", "a"], {"x": [0.125], "longer": [object.__name__], "odd": [(1, 2)]})
    assert (
        capsys.readouterr().out
        == "              a\nx          0.12\nlonger   object\nodd      (1, 2)\n"
    )


def test_rows_and_cells_of_the_page_stand_side_by_side() -> None:
    html = Table(("", "a", "b"), (("x", "1", "2"), ("y", "3", "4")))._repr_mimebundle_()[
        "text/html"
    ]
    assert html.split("<tbody>")[1] == (
        '\n<tr><th scope="row">x</th><td>1</td><td>2</td></tr>\n'
        '<tr><th scope="row">y</th><td>3</td><td>4</td></tr>\n</tbody>\n</table>'
    )


def test_the_table_of_verdicts_is_of_its_own_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Table] = []
    monkeypatch.setitem(inspect.unwrap(verdicts).__globals__, "show", shown.append)
    bad = Claim("dry", "corrected", {"it is": Finding(False)}, short="it is not")
    verdicts(bad)
    columns = ("claim", "verdict", "in short")
    assert shown == [Table(columns, (("dry", "not reproduced", "it is not"),), "verdicts")]


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("-0.05 [-0.10, +0.00]", "−0.05 [−0.10, +0.00]"),
        ("(-1, 2)", "(−1, 2)"),
        ("1-2", "1-2"),  # a range, as it is
        ("1e-05", "1e-05"),
        ("two-column", "two-column"),
    ],
)
def test_a_negative_number_has_a_minus_sign_on_the_page(cell: str, shown: str) -> None:
    bundle = Table(("", "a"), (("x", cell),))._repr_mimebundle_()
    assert f"<td>{shown}</td>" in bundle["text/html"]
    assert cell in bundle["text/plain"]  # which others may read as numbers
