"""All that a release is made of, in one folder, each part looked at.

    python book/release.py    # builds the site and the EPUB, prints the PDF, fills dist/

The wheel, the site as a zip that opens from disk, the EPUB, the PDF where there is Chromium, the
claims as data, and how to cite it; and SHA256SUMS of them. Nothing is built while the places that
name the version do not agree.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path, PurePosixPath
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit
from zipfile import ZIP_DEFLATED, ZipFile

import yaml
from epub_check import faults
from pdf import BROWSERS
from pypdf import PdfReader

ROOT = Path(__file__).parents[1]
TAG = re.compile(r"@v([\w.]+)")
#: What a page of the site leads to, and what it loads with itself.
LINK = re.compile(r"""<a\s[^>]*?href=["']([^"']*)["']""")
LOADED = re.compile(r"""<(?:link|script|img|source)\s[^>]*?(?:href|src)=["']([^"']*)["']""")


def versions(root: Path) -> dict[str, str]:
    """Each place that names the version → the version that it names."""
    citation = yaml.safe_load((root / "CITATION.cff").read_text("utf-8"))
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    found = {"CITATION.cff": str(citation["version"]), "pyproject.toml": project["version"]}
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            if "setup" in cell["metadata"].get("tags", ()):
                tag = TAG.search("".join(cell["source"]))
                found[f"notebooks/{path.name}"] = tag[1] if tag else "none"
    return found


def agreed(root: Path) -> str:
    """The version that all of them name.

    Raises:
        SystemExit: they do not name the same.
    """
    found = versions(root)
    if len(set(found.values())) > 1:
        lines = (f"  {place}: {version}" for place, version in found.items())
        remedy = "set it in CITATION.cff and pyproject.toml, and run python notebooks/setup_cell.py"
        raise SystemExit("\n".join(["the version is not the same everywhere:", *lines, remedy]))
    return found["CITATION.cff"]


def zip_site(site: Path, path: Path) -> None:
    """Put the built site into one file, in a folder of the file's name."""
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        for file in sorted(site.rglob("*")):
            if file.is_file() and file.name != ".buildinfo":
                archive.write(file, PurePosixPath(path.stem, file.relative_to(site).as_posix()))


def site_faults(path: Path) -> Iterator[str]:
    """What would not work where the zip is unpacked and a page opened from disk."""
    with ZipFile(path) as archive:
        names = set(archive.namelist())
        # The theme leaves templates of its own in _static.
        found = (name for name in names if name.endswith(".html") and "/_static/" not in name)
        pages = {name: archive.read(name).decode() for name in sorted(found)}
    if f"{path.stem}/index.html" not in names:
        yield "the site has no index.html"
    for name, text in pages.items():
        if re.search(r"""<script[^>]*type=["']module["'][^>]*\ssrc=""", text):
            yield f"{name} loads a module, which a browser forbids on file://"
        loaded = LOADED.findall(text)
        for address in [*LINK.findall(text), *loaded]:
            url = urlsplit(address)
            if url.scheme or url.netloc:
                if address in loaded and url.scheme != "data":
                    yield f"{name} loads {address}"
            elif url.path and normpath(join(dirname(name), unquote(url.path))) not in names:
                yield f"{name}: {address} leads nowhere"


def wheel_faults(path: Path, version: str) -> Iterator[str]:
    """What is wrong with the wheel."""
    names = ZipFile(path).namelist()
    if f"cvcourse-{version}.dist-info/METADATA" not in names:
        yield f"it is not of version {version}"
    if "cvcourse/__init__.py" not in names:
        yield "it has no package cvcourse"


def gather(root: Path, folder: Path, version: str) -> list[Path]:
    """Fill the folder from what is built, and look at each part; the files.

    Raises:
        SystemExit: something is missing, or has a fault.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    build, stem = root / "_build", f"cvcourse-{version}"
    wheel = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*wheel, "--wheel-dir", str(folder), str(root)], check=True)
    zip_site(build / "html", folder / f"{stem}-site.zip")
    shutil.copy(build / "epub" / "book.epub", folder / f"{stem}.epub")
    shutil.copy(build / "html" / "claims.json", folder)
    shutil.copy(root / "CITATION.cff", folder)
    if (build / "book.pdf").exists():
        shutil.copy(build / "book.pdf", folder / f"{stem}.pdf")
    found = [f"the site: {fault}" for fault in site_faults(folder / f"{stem}-site.zip")]
    found += (f"the EPUB: {fault}" for fault in faults(folder / f"{stem}.epub"))
    for path in folder.glob("*.whl"):
        found += (f"the wheel: {fault}" for fault in wheel_faults(path, version))
    if not json.loads((folder / "claims.json").read_text("utf-8"))["claims"]:
        found.append("claims.json has no claim")
    if any(not PdfReader(path).pages for path in folder.glob("*.pdf")):
        found.append("the PDF has no page")
    if found:
        raise SystemExit("\n".join(found))
    files = sorted(folder.iterdir())
    sums = (f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)
    (folder / "SHA256SUMS").write_text("".join(sums), "utf-8")
    return files


def main() -> None:
    """Build everything, and fill dist/."""
    version = agreed(ROOT)
    (ROOT / "_build" / "book.pdf").unlink(missing_ok=True)
    subprocess.run(["make", "book", "epub"], cwd=ROOT, check=True)
    if any(map(shutil.which, BROWSERS)):
        subprocess.run([sys.executable, ROOT / "book" / "pdf.py"], check=True)
    else:
        print("no PDF: there is no Chromium on the PATH")
    for path in gather(ROOT, ROOT / "dist", version):
        print(f"{path.stat().st_size / 1e6:7.2f} MB  {path.name}")


if __name__ == "__main__":
    main()
