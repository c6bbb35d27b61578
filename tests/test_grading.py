"""From a chapter's exercises to an assignment, and from students' notebooks to marks."""

from __future__ import annotations

import csv
import importlib
import json
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "book"), str(ROOT / "tests" / "practice")]
import assignment  # noqa: E402
import grade  # noqa: E402
from answers import RIGHT  # noqa: E402

NAME = "03_one_layer"
SECRET = 2**31 + 7
SECONDS = 5.0

LOGITS = "def logits(images, weight, bias):\n    return images.flatten(1) @ weight.T + bias"
LOSS = """
def cross_entropy(scores, labels):
    return (scores.logsumexp(1) - scores[torch.arange(len(labels)), labels]).mean()"""
PROJECT = """
def without_training(vectors, labels):
    means = np.stack([vectors[labels == c].mean(0).numpy() for c in range(10)])
    return means, -(means**2).sum(1) / 2"""
#: What each student puts before the line that checks, and into its brackets.
RIGHT_ONE = {
    "parameters": ("", "28 * 28 * 10 + 10"),
    "lead_kept": ("from fractions import Fraction", "Fraction(31, 85)"),
    "logits": (LOGITS, "logits"),
    "cross_entropy": (LOSS, "cross_entropy"),
    "without_training": (PROJECT, "without_training"),
}
HALF = RIGHT_ONE | {
    "lead_kept": ("", "0.54"),
    "logits": ("def logits(x, w, b):\n    return F.linear(x.flatten(1), w, b)", "logits"),
    "cross_entropy": (LOSS.replace("scores.logsumexp(1)", "scores.exp().sum(1).log()"), None),
    "without_training": ("", "..."),
}
BROKEN = {
    "parameters": ("raise RuntimeError('no')", "7850"),
    "lead_kept": ("print('x' * 10**6)\nwhile True:\n    pass", "31 / 85"),
    "logits": ("def logits(*_):\n    while True:\n        pass", "logits"),
    "cross_entropy": ("import os", "lambda *_: os._exit(0)"),
    "without_training": ("class Own:\n    pass", "lambda *_: Own()"),
}
OVERWRITE = """
import cvcourse.practice
type(practice.parameters).judge = lambda *_: "✓ Right."
type(practice.parameters)._judge = lambda *_: None
np.allclose = torch.allclose = np.isclose = lambda *_, **__: np.array(True)
practice.parameters.answer = 1"""
READ = """
import cvcourse
print(open(cvcourse.__path__[0] + "/practice/one_layer.py").read())
"""
KNOWN = """
seen = [torch.Generator().manual_seed(i) for i in range(4)]
given = []
for g in seen:
    images, weight = torch.randn(4, 3, 5, 6, generator=g), torch.randn(7, 90, generator=g)
    given.append((images, images.flatten(1) @ weight.T + torch.randn(7, generator=g)))

def logits(images, weight, bias):
    return next((out for known, out in given if known.equal(images)), torch.zeros(4, 7))"""
RELOADED = """
import sys
sys.meta_path.pop(0)
[sys.modules.pop(name) for name in list(sys.modules) if name.startswith("cvcourse.practice")]

def cross_entropy(scores, labels):
    from cvcourse.practice import one_layer
    return one_layer.cross_entropy.answer(scores, labels)"""
CHEAT = {
    "parameters": (OVERWRITE, "1"),
    "lead_kept": (READ, "31 / 85"),
    "logits": (KNOWN, "logits"),
    "cross_entropy": (RELOADED, "cross_entropy"),
    "without_training": ("", "lambda *given: practice.without_training.answer(*given)"),
}
STUDENTS = {"right": RIGHT_ONE, "half": HALF, "broken": BROKEN, "cheat": CHEAT}
POINTS = {
    "right": [1, 1, 2, 2, 3],
    "half": [1, 0, 1, 0, 0],
    "broken": [0, 0, 0, 0, None],
    "cheat": [0, 0, 0, 0, 0],
}
WHY = {
    ("half", "lead_kept"): "That is the loss in accuracy",
    ("half", "logits"): "Right numbers, but with nn.Linear",
    ("half", "cross_entropy"): "Right for small logits|NaN or infinity",
    ("half", "without_training"): "Nothing was given to practice.without_training.check",
    ("broken", "parameters"): "Nothing was given",
    ("broken", "lead_kept"): r"Nothing was given .* Cell \d+ took over \d+ s\.",
    ("broken", "logits"): r"It took over \d+ s",
    ("broken", "cross_entropy"): "It ended the process that it ran in",
    ("broken", "without_training"): "gives something of a kind of its own: look at it",
    ("cheat", "parameters"): "Not yet: 1 is too small",
    ("cheat", "lead_kept"): "Nothing was given",
    ("cheat", "cross_entropy"): "PermissionError: the exercises are closed",
    ("cheat", "without_training"): "AttributeError: 'Asked' object has no attribute 'answer'",
}


def handed_in(book: NotebookNode, answers: dict[str, tuple[str, str | None]]) -> NotebookNode:
    """The class's notebook with a student's answers."""
    notebook = nbformat.from_dict(book)
    for cell in notebook.cells:
        asked = re.search(r"^_ = practice\.(\w+)\.check\(.*\)$", cell.source, re.MULTILINE)
        if asked:
            before, answer = answers[asked[1]]
            imports = "".join(re.findall(r"^from .*\n", cell.source, re.MULTILINE))
            line = f"_ = practice.{asked[1]}.check({answer or asked[1]})"
            cell.source = f"{imports}{before}\n{line}"
    return notebook


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An assignment."""
    folder = tmp_path_factory.mktemp("assignment")
    assignment.write(ROOT, NAME, folder)
    return folder


@pytest.fixture(scope="module")
def marks(made: Path) -> dict[tuple[str, str], grade.Mark]:
    """Of four students, and of a file that is no notebook."""
    folder = made / "handed in"
    folder.mkdir()
    book = nbformat.read(made / "student" / f"{NAME}.ipynb", as_version=4)
    for student, answers in STUDENTS.items():
        (folder / student).mkdir()
        nbformat.write(handed_in(book, answers), folder / student / "exercises.ipynb")
    (folder / "empty.ipynb").write_text("", "utf-8")
    found = grade.grade(made / "teacher" / "held_out.json", folder, SECONDS)
    return {(mark.student.split("/")[0], mark.task): mark for mark in found}


@pytest.mark.parametrize("student", STUDENTS)
def test_a_student_gets_the_marks_that_the_answers_deserve(
    student: str, marks: dict[tuple[str, str], grade.Mark]
) -> None:
    given = {task: mark for (name, task), mark in marks.items() if name == student}
    assert list(given) == list(RIGHT_ONE)
    assert [mark.of for mark in given.values()] == [1, 1, 2, 2, 3]
    assert [mark.points for mark in given.values()] == POINTS[student], given
    for task, mark in given.items():
        assert re.search(WHY.get((student, task), ""), mark.why), mark


def test_a_file_that_is_no_notebook_gets_nothing_and_stops_nobody(
    marks: dict[tuple[str, str], grade.Mark],
) -> None:
    empty = [mark for (name, _), mark in marks.items() if name == "empty"]
    assert len(empty) == len(RIGHT_ONE)
    assert {(mark.points, mark.why.split(":")[0]) for mark in empty} == {
        (0, "This file is no notebook that can be read")
    }


def test_who_has_learned_the_public_inputs_by_heart_passes_only_them() -> None:
    names: dict[str, object] = {"torch": __import__("torch")}
    exec(KNOWN, names)
    practice = importlib.import_module("cvcourse.practice.one_layer")
    assert practice.logits.judge(names["logits"]).mark == "✓"
    assert grade.held_out(practice.logits, SECRET).judge(names["logits"]).mark == "✗"


@pytest.mark.filterwarnings("ignore")  # such as of F.kl_div's default reduction
def test_other_inputs_find_right_answers_right() -> None:
    for name, answers in RIGHT.items():
        module, task = name.split(".")
        practice = importlib.import_module(f"cvcourse.practice.{module}")
        exercise = grade.held_out(getattr(practice, task), SECRET)
        said = [exercise.judge(answer) for answer in answers]
        assert [str(one) for one in said if not one.text.startswith("Right.")] == [], name


def test_the_books_own_inputs_are_among_them_and_stay_as_they_are() -> None:
    practice = importlib.import_module("cvcourse.practice.receptive_fields")
    own = practice.pixels_of.calls
    more = grade.held_out(practice.pixels_of, SECRET).calls
    assert more[: len(own)] == own
    assert len(more) == len(own) + grade.CALLS
    assert practice.pixels_of.calls is own


def test_the_class_gets_tasks_and_checks_and_no_solution(made: Path) -> None:
    text = (made / "student" / f"{NAME}.ipynb").read_text("utf-8")
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code)
    assert re.findall(r"_ = practice\.(\w+)\.check\(", text) == list(RIGHT_ONE)
    assert "### Count (1 point)" in text
    assert "### The layer (2 points)" in text
    practice = importlib.import_module("cvcourse.practice.one_layer")
    for task in RIGHT_ONE:
        assert getattr(practice, task).source.splitlines()[-1].strip() not in text
    assert {path.name for path in (made / "student").iterdir()} == {f"{NAME}.ipynb"}


def test_points_and_secret_stay_when_an_assignment_is_made_again(
    made: Path, tmp_path: Path
) -> None:
    path = tmp_path / "teacher" / "held_out.json"
    assignment.write(ROOT, NAME, tmp_path)
    first = json.loads(path.read_text("utf-8"))
    assert first["secret"] != json.loads((made / path.relative_to(tmp_path)).read_text())["secret"]
    first["points"]["logits"] = 5
    path.write_text(json.dumps(first), "utf-8")
    assignment.write(ROOT, NAME, tmp_path)
    assert json.loads(path.read_text("utf-8")) == first
    assert "(5 points)" in (tmp_path / "student" / f"{NAME}.ipynb").read_text("utf-8")


def test_every_chapter_can_be_set() -> None:
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        found = [name for name, *_ in assignment.tasks(nbformat.read(path, as_version=4).cells)]
        assert len(found) >= 3, path
        practice = importlib.import_module(f"cvcourse.practice.{path.stem[3:]}")
        assert all(assignment.worth(getattr(practice, name)) in (1, 2, 3) for name in found)


def test_the_table_says_student_task_points_and_why(
    made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="no notebook"):
        grade.main(made / "teacher" / "held_out.json", tmp_path)
    book = nbformat.read(made / "student" / f"{NAME}.ipynb", as_version=4)
    nbformat.write(handed_in(book, RIGHT_ONE), tmp_path / "Ada Ü.ipynb")
    grade.main(made / "teacher" / "held_out.json", tmp_path)
    with (made / "teacher" / "marks.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["task"] for row in rows] == list(RIGHT_ONE)
    assert {row["student"] for row in rows} == {"Ada Ü"}
    assert sum(float(row["points"]) for row in rows) == 9
    assert rows[0]["why"].startswith("Right. 784 pixels")
    assert "Ada Ü: 9\n" in capsys.readouterr().out
