"""What would be wrong with the book as an EPUB, found without a reader of electronic books.

`faults(path)` lists it: the archive, its list of files, each page's XML, links, pictures, formulas,
and whatever would run or ask for something. It is not the whole standard; EPUBCheck is.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element, ParseError, fromstring
from zipfile import ZIP_STORED, ZipFile

TYPE = "application/epub+zip"
PACKAGE = "content.opf"
#: Of every archive, and in no list.
APART = {"mimetype", "META-INF/container.xml", PACKAGE}
HTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
MATH = "{http://www.w3.org/1998/Math/MathML}math"
OPF = "{http://www.idpf.org/2007/opf}"
XLINK = "{http://www.w3.org/1999/xlink}href"
SHEET_URL = re.compile(r"""(?:url\(|@import)\s*["']?([^"')\s;]+)""")
DEAD = {HTML + tag for tag in ("button", "embed", "form", "iframe", "input", "object", "script")}
KINDS = {"mathml": MATH, "svg": SVG + "svg"}


def faults(path: Path) -> list[str]:
    """What is wrong, a line each, with the file where it is; nothing if all is well."""
    with ZipFile(path) as archive:
        first = archive.infolist()[0]
        files = {name: archive.read(name) for name in archive.namelist()}
    found = []
    if first.filename != "mimetype" or first.compress_type != ZIP_STORED:
        found.append(f"the archive begins with {first.filename}; expected mimetype, not compressed")
    if files.get("mimetype", b"").strip() != TYPE.encode():
        found.append(f"mimetype does not say {TYPE}")
    pages: dict[str, Element] = {}
    for name in (name for name in files if name.endswith((".xhtml", ".opf", ".ncx", ".xml"))):
        try:
            pages[name] = fromstring(files[name])
        except ParseError as error:
            found.append(f"{name}: is no XML: {error}")
    if PACKAGE not in pages:
        return [*found, f"{PACKAGE} cannot be read"]
    found += _package(pages, set(files))
    anchors = {name: {element.get("id") for element in page.iter()} for name, page in pages.items()}
    for name, page in pages.items():
        if name.endswith(".xhtml"):
            found += (f"{name}: {fault}" for fault in _page(page))
            found += _links(name, _addresses(page), set(files), anchors)
    for name in (name for name in files if name.endswith(".css")):
        urls = [(url, True) for url in SHEET_URL.findall(files[name].decode())]
        found += _links(name, urls, set(files), anchors)
    return found


def _package(pages: dict[str, Element], files: set[str]) -> Iterator[str]:
    """The list of files, what it says of them, and the reading order."""
    package = pages[PACKAGE]
    items = {unquote(item.get("href", "")): item for item in package.iter(f"{OPF}item")}
    for name in sorted(files - APART - items.keys()):
        yield f"{PACKAGE} does not list {name}"
    for name in sorted(items.keys() - files):
        yield f"{PACKAGE} lists {name}, which is not there"
    read = {item.get("idref") for item in package.iter(f"{OPF}itemref")}
    for name, item in items.items():
        if name.endswith(".xhtml") and name in pages:
            if item.get("id") not in read and item.get("properties") != "nav":
                yield f"{name} is not in the reading order"
            told = set(item.get("properties", "").split()) & KINDS.keys()
            holds = {
                kind for kind, tag in KINDS.items() if next(pages[name].iter(tag), None) is not None
            }
            if told != holds:
                yield f"{PACKAGE} says that {name} holds {sorted(told)}; it holds {sorted(holds)}"


def _page(page: Element) -> Iterator[str]:
    """Pictures without words, formulas that are not drawn, and what does not work in a book."""
    for element in page.iter():
        if element.tag in DEAD:
            yield f"holds a {element.tag.removeprefix(HTML)}"
        if element.tag == f"{HTML}img" and not element.get("alt", "").strip():
            yield f"the picture {element.get('src')} has no text"
        if element.tag == f"{SVG}svg" and element.get("aria-hidden") != "true":
            words = element.get("aria-label") or element.findtext(f"{SVG}title") or ""
            if not words.strip():
                yield "a drawing has no text"
        if "math" in element.get("class", "").split() and element.find(f".//{MATH}") is None:
            yield f"a formula is raw: {''.join(element.itertext()).strip()[:60]}"


def _addresses(page: Element) -> Iterator[tuple[str, bool]]:
    """What a page leads to, and whether it is loaded with the page."""
    for element in page.iter():
        loaded = element.tag not in (f"{HTML}a", f"{SVG}a")
        for key in ("href", "src", "srcset", "data", "poster", XLINK):
            if address := element.get(key):
                yield address, loaded


def _links(
    name: str,
    addresses: Iterator[tuple[str, bool]] | list[tuple[str, bool]],
    files: set[str],
    anchors: dict[str, set[str | None]],
) -> Iterator[str]:
    """Links that lead nowhere, and what would be fetched from elsewhere."""
    for address, loaded in addresses:
        url = urlsplit(address)
        if url.scheme or url.netloc:
            if loaded and url.scheme != "data":
                yield f"{name}: loads {address}"
            continue
        folder = posixpath.dirname(name)
        target = posixpath.normpath(posixpath.join(folder, unquote(url.path))) if url.path else name
        fragment = unquote(url.fragment)
        if target not in files or (fragment and fragment not in anchors.get(target, set())):
            yield f"{name}: {address} leads nowhere"
