"""What is changed in a source file: mutmut's operators, and a statement left out.

Functions only: constants, tables, type aliases and the fields of dataclasses are no behaviour of
their own. Not changed either are docstrings, annotations, decorators, the texts of errors and
warnings, `assert`, and `strict=True` of a zip, which is one more assertion.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace

import libcst as cst
import libcst.matchers as m
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators

Change = tuple[str, tuple[int, int], bool, cst.CSTNode, cst.CSTNode]
KEPT_CALLS = {"len", "isinstance"}  # as in mutmut


@dataclass(frozen=True)
class Mutant:
    """A source file with one change.

    Attributes:
        file: its path in the repository.
        function: the outermost function or method that is changed.
        lines: first and last line of the statement that is changed, from 1.
        source: the whole of the file.
        was: the lines that are gone, without their indentation.
        becomes: the lines that stand there instead.
        in_signature: whether it is a default that is changed.
        around: the function or class as it was.
    """

    file: str
    function: str
    lines: tuple[int, int]
    source: str
    was: str
    becomes: str
    in_signature: bool
    around: str

    @property
    def key(self) -> str:
        """The same from run to run, wherever in the file the lines stand."""
        text = "\0".join((self.file, self.function, self.was, self.becomes))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def mutants(file: str, source: str) -> list[Mutant]:
    """All mutants of a file, in the order of its lines; of equal ones the first."""
    wrapper = MetadataWrapper(cst.parse_module(source))
    module = wrapper.module
    visitor = _Visitor(module)
    wrapper.visit(visitor)
    found: dict[str, Mutant] = {}
    parts = [module.code_for_node(statement) for statement in module.body]
    start = len("".join(module.code_for_node(line) for line in module.header))
    for number, (statement, part) in enumerate(zip(module.body, parts, strict=True)):
        for function, lines, in_signature, old, new in visitor.changes[number]:
            replaced = statement.visit(_Replacement(old, new))
            assert isinstance(replaced, cst.CSTNode)
            changed = module.code_for_node(replaced)
            if changed == part:
                continue
            text = source[:start] + changed + source[start + len(part) :]
            was, becomes = _difference(part, changed)
            mutant, n = Mutant(file, function, lines, text, was, becomes, in_signature, part), 1
            while mutant.key in found and found[mutant.key].source != text:
                n += 1  # the same line stands there twice
                mutant = replace(mutant, was=f"{was}  (no. {n})")
            found.setdefault(mutant.key, mutant)
        start += len(part)
    return list(found.values())


def _difference(before: str, after: str) -> tuple[str, str]:
    """The lines that are gone, and those that stand there instead."""
    old, new = before.splitlines(), after.splitlines()
    while old and new and old[0] == new[0]:
        del old[0], new[0]
    while old and new and old[-1] == new[-1]:
        del old[-1], new[-1]
    gone, come = ("\n".join(line.strip() for line in lines) for lines in (old, new))
    return gone, come


class _Replacement(cst.CSTTransformer):
    def __init__(self, old: cst.CSTNode, new: cst.CSTNode) -> None:
        super().__init__()
        self.old, self.new, self.done = old, new, False

    def on_visit(self, node: cst.CSTNode) -> bool:
        return not self.done and node is not self.old

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> cst.CSTNode:
        if original_node is not self.old:
            return updated_node
        self.done = True
        return self.new


class _Visitor(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self, module: cst.Module) -> None:
        super().__init__()
        self.changes: dict[int, list[Change]] = defaultdict(list)  # of each top statement
        self.places = {id(statement): number for number, statement in enumerate(module.body)}
        self.statement = 0
        self.path: list[str] = []  # classes, then functions
        self.outermost: str | None = None
        self.lines = (0, 0)
        self.kept: set[int] = set()  # texts of errors and warnings
        self.in_signature = False

    def on_visit(self, node: cst.CSTNode) -> bool:
        self.statement = self.places.get(id(node), self.statement)
        if isinstance(node, cst.Annotation | cst.Decorator | cst.Raise | cst.Assert):
            return False
        if m.matches(node, m.Arg(keyword=m.Name("strict"))):
            return False
        if _is_call(node, *KEPT_CALLS) or id(node) in self.kept:
            return False
        if isinstance(node, cst.Call) and (_is_check(node) or _is_call(node, "warn")):
            self.kept |= {id(arg.value) for arg in node.args if _is_text(arg.value)}
        if isinstance(node, cst.ClassDef | cst.FunctionDef):
            self.path.append(node.name.value)
            if isinstance(node, cst.FunctionDef) and self.outermost is None:
                self.outermost = ".".join(self.path)
        if isinstance(node, cst.BaseStatement | cst.Param):
            self.lines = self._lines_of(node)
            self.in_signature = isinstance(node, cst.Param)
        if isinstance(node, cst.SimpleStatementLine) and _is_docstring(node):
            return False
        if self.outermost is not None:
            self._mutate(node)
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if isinstance(original_node, cst.ClassDef | cst.FunctionDef):
            if ".".join(self.path) == self.outermost:
                self.outermost = None
            self.path.pop()
        if isinstance(original_node, cst.Parameters):
            self.in_signature = False

    def _lines_of(self, node: cst.CSTNode) -> tuple[int, int]:
        place = self.get_metadata(PositionProvider, node)
        last = place.end.line
        if isinstance(body := getattr(node, "body", None), cst.IndentedBlock):  # its head
            last = max(place.start.line, self.get_metadata(PositionProvider, body).start.line - 1)
        return place.start.line, last

    def _mutate(self, node: cst.CSTNode) -> None:
        for new in _mutations(node):
            assert self.outermost is not None
            self.changes[self.statement].append(
                (self.outermost, self.lines, self.in_signature, node, new)
            )


def _mutations(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(node, cst.SimpleStatementLine) and _is_bare_call(node) and not _asks_above(node):
        yield node.with_changes(body=[cst.Pass()])
    if isinstance(node, cst.FormattedStringText) or _is_call(node, "cast", "warn"):
        return
    for kind, operator in mutation_operators:
        if isinstance(node, kind):
            made = operator(node)
            if isinstance(node, cst.SimpleString):
                yield from list(made)[:1]  # "XX…XX"; not the other two, in capitals and without
            elif isinstance(node, cst.Call):
                yield from (new for new in made if not _is_of_a_text_or_strict(node, new))
            else:
                yield from made


def _is_of_a_text_or_strict(call: cst.Call, changed: cst.Call) -> bool:
    """Whether only a text for an error, or the strictness of a zip, is changed by an operator."""
    kept = {id(arg) for arg in changed.args}
    gone = [arg for arg in call.args if id(arg) not in kept]
    if len(gone) != 1:
        return False
    if m.matches(gone[0], m.Arg(keyword=m.Name("strict"))):
        return True
    return _is_text(gone[0].value) and _is_check(call)


def _is_text(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.SimpleString | cst.FormattedString | cst.ConcatenatedString)


def _is_check(node: cst.CSTNode) -> bool:
    return (
        isinstance(node, cst.Call)
        and isinstance(node.func, cst.Name)
        and node.func.value.startswith(("check_", "_check_"))
    )


def _is_call(node: cst.CSTNode, *names: str) -> bool:
    if not isinstance(node, cst.Call):
        return False
    name = node.func.attr if isinstance(node.func, cst.Attribute) else node.func
    return isinstance(name, cst.Name) and name.value in names


def _is_docstring(line: cst.SimpleStatementLine) -> bool:
    return m.matches(line, m.SimpleStatementLine(body=[m.Expr(m.SimpleString())]))


def _asks_above(line: cst.SimpleStatementLine) -> bool:
    """Without `super()` a method closes over nothing, and its code can't take the other's place."""
    return bool(m.findall(line, m.Call(func=m.Name("super"))))


def _is_bare_call(line: cst.SimpleStatementLine) -> bool:
    return m.matches(line, m.SimpleStatementLine(body=[m.Expr(m.Call())]))
