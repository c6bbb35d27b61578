"""A chapter as slides: one HTML file that opens from disk, asks nobody for anything, and prints.

    python book/slides.py [03_one_layer …]    # writes dist/slides/03_one_layer.html

Nothing is marked in a notebook. What a lecture needs has its form there already: a section's
heading and opening, its *Predict*, figures with their captions, interactive figures, short open
code, and claims as data. `slides.css` and `slides.js` go into each file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from math import ceil
from pathlib import Path
from typing import Any

import nbformat
from chapter import ROOT, Chapter, chapters, read
from nbformat import NotebookNode
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from slide_text import (
    Block,
    blocks,
    formulas,
    introduction,
    line_to_html,
    predictions,
    sentences,
)

from ledger_data import MARKS, MIME, css_class  # isort: skip - slide_text says where

HERE = Path(__file__).parent
CODE_LINES = 15  #: longer code teaches nobody from a screen
LINES = 19  #: of code and of what it prints
ROWS = 7  #: of findings, or of verdicts, on one slide
TOGETHER = 700  #: characters of an opening and a prediction that share a slide
FOLDED = {"setup", "parameters", "hide-input", "remove-input", "hide-cell", "remove-cell"}
#: Sections that are no part of a lecture; what a chapter has in place of them comes at its end.
LEFT_OUT = ("Verdict", "Practice", "Projects", "Papers", "How this was measured")
BORROWED = re.compile(r"<!-- output of (\S+) (\S+) -->")
COLOURED = HtmlFormatter(cssclass="source", style="a11y-light")
VIEW_BOX = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')


@dataclass(frozen=True)
class Slide:
    """One screen: what kind it is (a class of `slides.css`), its heading and its HTML."""

    kind: str
    title: str
    body: str


def slides(chapter: Chapter) -> Iterator[Slide]:
    """All slides of a chapter, in order."""
    first, title, before = [*blocks(chapter.cells[0].source)], "", ""
    yield Slide("opening", chapter.title, chapter.html(chapter.question))
    for goals in (block for block in first if block.kind == "bullet_list"):
        yield Slide("text", "In this chapter you will", chapter.html(goals.text))
    exercises: list[str] = []
    section = ""
    for cell in chapter.cells[1:]:
        if cell.cell_type == "markdown":
            for heading, text in sections(cell.source):
                section = heading[3:] if heading.startswith("## ") else section
                title = heading.lstrip("# ") or title
                if section.startswith(LEFT_OUT):
                    exercises += [title] * (section == "Practice" and heading.startswith("###"))
                else:
                    yield from told(chapter, title, text, begins=bool(heading))
            before = cell.source
            if borrowed := BORROWED.search(before):
                yield Slide("live", title, stored(chapter.path.parents[1], *borrowed.groups()))
        elif not section.startswith(LEFT_OUT):
            yield from shown(chapter, title, cell, before)
            before = ""
    for some in portions(chapter.verdicts):
        rows = "".join(map(verdict_row, some))
        yield Slide("verdicts", "Verdicts", f"<table>{rows}</table>")
    yield Slide("text", "What came out", chapter.html(chapter.answer))
    if exercises:
        items = "".join(f"<li>{line_to_html(name)}</li>" for name in exercises)
        yield Slide("text", "Now you", f"<ol>{items}</ol>")


def sections(source: str) -> Iterator[tuple[str, list[Block]]]:
    """The parts of a text: each heading, empty for what goes on from before, and what follows."""
    heading, text = "", list[Block]()
    for block in blocks(source):
        if block.kind == "heading":
            yield heading, text
            heading, text = block.text, []
        else:
            text.append(block)
    yield heading, text


def told(chapter: Chapter, title: str, text: list[Block], *, begins: bool) -> Iterator[Slide]:
    """What is said: where a section begins, and wherever there is a formula or a prediction."""
    asked = [f'<div class="predict">{chapter.html(one)}</div>' for one in predictions(text)]
    said, rest = introduction(text) if begins else ("", text)
    if said and asked and len(said) + len(asked[0]) < TOGETHER:
        said = chapter.html(said) + asked.pop(0)
    else:
        said = chapter.html(said)
    if said:
        yield Slide("text", title, said)
    yield from (Slide("text", title, chapter.html(one)) for one in formulas(rest))
    yield from (Slide("ask", title, one) for one in asked)


def shown(chapter: Chapter, title: str, cell: NotebookNode, before: str) -> Iterator[Slide]:
    """What a cell shows: its code, if it is open and short, figures and claims."""
    lines = cell.source.count("\n") + 1
    live = any("data-explorable" in html_of(output) for output in cell.outputs)
    if not FOLDED & {*cell.metadata.get("tags", ())} and lines <= CODE_LINES and not live:
        yield Slide("code", title, lead(chapter, before) + code(cell))
    settings = cell.metadata.get("mystnb", {})
    caption = ""
    if figure := settings.get("figure"):
        name = chapter.names[f"#{figure['name']}"]
        caption = chapter.html(f"**{name}.** {figure['caption']}")
    for output in cell.outputs:
        data = output.get("data", {})
        if MIME in data:
            chapter.verdicts.append(data[MIME])
            yield from claim(chapter, data[MIME])
        elif "image/png" in data:
            alt = escape(settings.get("image", {}).get("alt", ""))
            source = data["image/png"].replace("\n", "")
            picture = f'<img alt="{alt}" src="data:image/png;base64,{source}">'
            yield Slide("figure", title, f"<figure>{picture}</figure>{caption}")
        elif live:
            yield Slide("live", title, html_of(output) + caption)
        elif box := VIEW_BOX.search(html_of(output)):
            kind = "figure tall" if float(box[2]) > float(box[1]) else "figure"
            yield Slide(kind, title, html_of(output) + caption)


def html_of(output: NotebookNode) -> str:
    """The HTML that a cell has shown; empty if it is something else."""
    return str(output.get("data", {}).get("text/html", ""))


def stored(root: Path, name: str, id: str) -> str:
    """The HTML that a cell of another notebook has shown."""
    cells = nbformat.read(root / name, as_version=4).cells
    return "".join(html_of(output) for cell in cells if cell.id == id for output in cell.outputs)


def lead(chapter: Chapter, before: str) -> str:
    """The sentence that leads to a cell, if the text before it ends in a colon."""
    last = sentences(before)[-1].split("\n")[-1]
    return chapter.html(last) if last.endswith(":") else ""


def code(cell: NotebookNode) -> str:
    """A cell as it stands, with what it prints, if that is short."""
    text = re.sub(r"\n{3,}", "\n\n", cell.source)
    parts, room = [highlight(text, PythonLexer(), COLOURED)], LINES - text.count("\n")
    for output in cell.outputs:
        printed, html = output.get("text", "").rstrip(), html_of(output)
        room -= printed.count("\n") + 2 + 2 * html.count("<tr>")
        if room < 0:
            break
        parts.append(f'<pre class="printed">{escape(printed)}</pre>' if printed else html)
    return "".join(parts)


def portions(rows: list[Any]) -> list[list[Any]]:
    """Rows in as few parts as slides need, all about as long."""
    size = ceil(len(rows) / ceil(len(rows) / ROWS)) if rows else 1
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def badge(verdict: str) -> str:
    """A verdict as the ledger shows it."""
    return f'<span class="verdict-badge {css_class(verdict)}">{verdict}</span>'


def claim(chapter: Chapter, data: dict[str, Any]) -> Iterator[Slide]:
    """What the notes say, what is to be said of it, and what that rests on."""
    quote = escape(chapter.statements[data["id"]])
    said = f"<p>{badge(data['verdict'])} {escape(data['short'])}</p>"
    for findings in portions(data["findings"]):
        items = "".join(
            f"<li><b>{MARKS[finding['holds']]}</b> {escape(finding['what'])}</li>"
            for finding in findings
        )
        yield Slide("claim", "A claim", f"<blockquote>{quote}</blockquote>{said}<ul>{items}</ul>")


def verdict_row(data: dict[str, Any]) -> str:
    """A claim in the table of verdicts."""
    return (
        f'<tr><th scope="row">{data["id"]}</th><td>{badge(data["verdict"])}</td>'
        f"<td>{escape(data['short'])}</td></tr>"
    )


def page(chapter: Chapter) -> str:
    """The whole file."""
    deck = [*slides(chapter)]
    head = f"{chapter.number} · {chapter.title}"
    style = (HERE / "slides.css").read_text("utf-8")
    colours = COLOURED.get_style_defs(".source")
    script = (HERE / "slides.js").read_text("utf-8")
    parts = [
        f'<section class="{slide.kind}" id="{number}" aria-label="slide {number}">'
        f"<h{1 + (number > 1)}>{line_to_html(slide.title)}</h{1 + (number > 1)}>"
        f'<div class="body">{slide.body}</div>'
        f"<footer><span>{escape(head)}</span><span>{number} / {len(deck)}</span></footer></section>"
        for number, slide in enumerate(deck, 1)
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(head)} (slides)</title>\n<style>\n{colours}\n{style}</style>\n"
        f"<main>\n{chr(10).join(parts)}\n</main>\n<script>\n{script}</script>\n</html>\n"
    )


def main(names: list[str]) -> None:
    """Write the slides of these chapters; of all, if none is named."""
    folder = ROOT / "dist" / "slides"
    folder.mkdir(parents=True, exist_ok=True)
    for name in names or chapters(ROOT):
        text = page(read(ROOT, name))
        path = folder / f"{name}.html"
        path.write_text(text, "utf-8")
        print(f"{text.count('<section')} slides in {path}")


if __name__ == "__main__":
    main(sys.argv[1:])
