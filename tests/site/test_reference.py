"""The reference has whatever a notebook imports: an anchor, shapes, and an example that runs."""

import ast
import doctest
import re
from pathlib import Path
from posixpath import join

import matplotlib as mpl
import nbformat
import pytest
from pages import ROOT
from reference import read_as_plain_text
from sphinx.util.inventory import InventoryFile

FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "cvcourse").rglob("*.py"))
}
TREES = {module: ast.parse(path.read_text("utf-8")) for module, path in FILES.items()}
#: A parameter of such a type has a shape, a dtype, a unit or a range to tell.
ARRAYS = re.compile(r"\b(Tensor|NDArray|ndarray|Numbers|Array|Images?|Scalar)\b")
TOLD = re.compile(r"\(|\d|\b(int64|uint8|float|bool|a number|degrees|pixels|logits|the same)\b")


def definition(name: str) -> tuple[str, str] | None:
    """The module that defines a name, and what it calls it: "" is the module itself."""
    module, _, last = name.rpartition(".")
    if module in TREES:
        if last in docstrings(module):
            return module, last
        for node in ast.walk(TREES[module]):
            for alias in node.names if isinstance(node, ast.ImportFrom) else ():
                if (alias.asname or alias.name) == last:
                    return definition(f"{node.module}.{alias.name}")
    return (name, "") if name in TREES else None


def docstrings(module: str) -> dict[str, str]:
    """What a module defines, with the text that belongs to it; its own under ""."""
    body = TREES[module].body
    found = {"": ast.get_docstring(TREES[module]) or ""}
    for node, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = ast.get_docstring(node) or ""
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            text = after.value if isinstance(after, ast.Expr) else None
            is_text = isinstance(text, ast.Constant) and isinstance(text.value, str)
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for name in (n for target in targets for n in ast.walk(target)):
                if isinstance(name, ast.Name):
                    found[name.id] = text.value if is_text else ""
    return found


def imported(path: Path) -> set[str]:
    """What a notebook takes from the package: names, modules, and names by way of modules."""
    cells = [c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
    nodes = list(ast.walk(ast.parse(re.sub(r"(?m)^(\s*)%.*", r"\1pass", "\n".join(cells)))))
    names: dict[str, str] = {}  # in the notebook → in the package
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("cvcourse"):
            names |= {one.asname or one.name: f"{node.module}.{one.name}" for one in node.names}
        elif isinstance(node, ast.Import):
            assert "cvcourse" not in ast.unparse(node), "say: from cvcourse import …"
    modules = {name: full for name, full in names.items() if definition(full) == (full, "")}
    return set(names.values()) | {
        f"{modules[node.value.id]}.{node.attr}"
        for node in nodes
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in modules
    }


IMPORTED = sorted(set().union(*map(imported, (ROOT / "notebooks").glob("*.ipynb"))))


def test_every_import_has_an_anchor_in_the_reference(site: Path) -> None:
    assert len(IMPORTED) > 200
    with (site / "objects.inv").open("rb") as file:
        inventory = InventoryFile.load(file, "", join)
    anchors = {
        name for kind, names in inventory.items() if kind.startswith("py:") for name in names
    }
    documented = {definition(name) for name in anchors} - {None}
    missing = [name for name in IMPORTED if definition(name) not in documented]
    assert missing == [], "imported by a notebook; add its module to a page of book/api/"


def documentation(name: str) -> str:
    """What is said of a name; an exercise's example stands in its chapter's module.

    Its own text is shown with its solution, which an example would give away or blow up.
    """
    module, last = definition(name) or ("", "")
    if not module.startswith("cvcourse.practice.") or not last:
        return docstrings(module)[last] if module else ""
    lines = [x for x in docstrings(module)[""].splitlines() if f"practice.{last}" in x]
    return "\n".join([docstrings(module)[last], *lines])


def test_every_import_has_an_example() -> None:
    missing = [name for name in IMPORTED if ">>> " not in documentation(name)]
    assert missing == [], "imported by a notebook; add an example to its docstring"


def arrays(name: str) -> list[str]:
    """The parameters of a function, or fields of a class, that are arrays."""
    module, last = definition(name) or ("", "")
    found: dict[str, ast.expr | None] = {}
    for node in TREES[module].body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef) or node.name != last:
            continue
        for part in [node, *(node.body if isinstance(node, ast.ClassDef) else [])]:
            if isinstance(part, ast.FunctionDef) and part.name in (last, "__init__"):
                every = [*part.args.args, *part.args.kwonlyargs]
                found |= {one.arg: one.annotation for one in every}
            elif isinstance(part, ast.AnnAssign):
                found[ast.unparse(part.target)] = part.annotation
    return [one for one, kind in found.items() if kind and ARRAYS.search(ast.unparse(kind))]


def test_every_import_tells_the_shapes_of_its_arrays() -> None:
    missing = []
    for name in IMPORTED:
        text = documentation(name)
        for parameter in arrays(name):
            said = re.search(rf"(?m)^ +{parameter}: (.+(\n      .+)*)", text)
            told = said[1] if said else text if ".practice." in name else ""
            if not TOLD.search(told):
                missing.append(f"{name}: {parameter}")
    assert missing == [], "say a shape, a dtype, a unit or a range under Args"


@pytest.mark.parametrize("module", [m for m in FILES if ">>> " in FILES[m].read_text("utf-8")])
def test_examples_run(module: str) -> None:
    """Each by itself, so that a reader can paste it: it imports what it needs."""
    runner, said = doctest.DocTestRunner(verbose=False), list[str]()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            text = node.value.value if isinstance(node.value.value, str) else ""
            place = module, str(FILES[module]), node.lineno - 1
            example = doctest.DocTestParser().get_doctest(text, {}, *place)
            with mpl.rc_context():
                runner.run(example, out=said.append)
    assert runner.tries > 0
    assert not runner.failures, "".join(said)


def test_a_letter_alone_numbers_no_list() -> None:
    lines = ["channels: C.", "x: column.", "an end: of A."]
    read_as_plain_text(None, "function", "", None, None, lines)
    assert lines == [r"channels: \C.", "x: column.", "an end: of A."]
