"""The one base of all explorables: live with a kernel, alive in the page without."""

from __future__ import annotations

import json
import uuid
from html import escape
from pathlib import Path
from typing import Any

import anywidget

from cvcourse.checks import checked
from cvcourse.experiment.tables import NO_MATH

_FOLDER = Path(__file__).parent
STYLE = (_FOLDER / "explore.css").read_text("utf-8")
_KIT = (_FOLDER / "kit.js").read_text("utf-8")
_SHIM = (_FOLDER / "shim.js").read_text("utf-8")
_NAMESPACE = uuid.UUID("5b1f3f8e-6d0c-5d0e-9a36-0c1f7a1d2b11")
_EXPORT = "export default {"


@checked
def module(name: str, *parts: str) -> str:
    """The ES module of a piece, with the few tools that all pieces share in front.

    Args:
        name: of the piece.
        parts: what it needs beside them, to stand before it.

    Raises:
        FileNotFoundError: there is no such piece.
    """
    return _KIT + "".join((_FOLDER / f"{name}.js").read_text("utf-8") for name in (*parts, name))


@checked
def style(name: str, *parts: str) -> str:
    """The style of a piece, with what all pieces share in front.

    Args:
        name: of the piece.
        parts: whose styles it needs beside them, to stand before it.

    Raises:
        FileNotFoundError: there is no such style.
    """
    return STYLE + "".join((_FOLDER / f"{one}.css").read_text("utf-8") for one in (*parts, name))


class Explorable(anywidget.AnyWidget):
    """An interactive figure from one source: a widget, and a page that needs nobody.

    With a kernel (JupyterLab, VS Code, Colab) it is an ipywidgets widget: Python reads and sets its
    traits. Where there is none, the same ES module runs from the cell's HTML, with the state that
    it had when the cell ran. Where no scripts run either, the HTML shows a still picture.

    A piece sets `title` and `_esm`, tags its traits with `sync=True`, and draws `still`.
    """

    _css = STYLE
    # By this method ipywidgets 7, which Colab has, would display: an output without the HTML.
    _ipython_display_ = None
    title = ""

    def state(self) -> dict[str, Any]:
        """What the figure shows, by the names of its traits; fit for JSON."""
        common = anywidget.AnyWidget.class_trait_names()
        names = sorted(set(self.trait_names(sync=True)) - set(common))
        return {name: getattr(self, name) for name in names if not name.startswith("_")}

    def still(self) -> str:
        """The picture for pages without scripts: inline SVG of this very state."""
        raise NotImplementedError

    def caption(self) -> str:
        """The still picture in words; it stays where even pictures are taken out."""
        raise NotImplementedError

    def html(self) -> str:
        """The figure for a page: style, still picture, module and state. The same each time."""
        state = json.dumps(self.state(), allow_nan=False, separators=(",", ":"), ensure_ascii=False)
        state = state.replace("<", "\\u003c")
        code = self._esm.replace(_EXPORT, "const explorable = {")
        name = uuid.uuid5(_NAMESPACE, code + state).hex[:12]
        script = f'{code}\nconst id = "{name}";\nconst initial = {state};\n{_SHIM}'
        script = script.replace("</script", "<\\/script").replace("<!--", "<\\!--")
        return (
            f"<style>\n{self._css}</style>\n"
            f'<div class="{NO_MATH}" data-explorable="{name}"><figure class="cvx cvx-still">'
            f'<p class="cvx-title">{escape(self.title)}</p>{self.still()}'
            f'<figcaption class="cvx-summary">{escape(self.caption())}</figcaption>'
            "</figure></div>\n"
            f'<script type="module">\n{script}</script>\n'
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.caption()}"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        return {**data, "text/html": self.html()}, metadata
