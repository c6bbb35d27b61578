"""Chapters run to their end on pictures of the reader's own: few or many classes, few pictures.

Whatever such a folder cannot tell, a claim says by a dash and the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from cvcourse.data import render
from cvcourse.experiment.claims import MIME

ROOT = Path(__file__).parents[1]
FEW = (3,)
UNEQUAL = (1, 7, 2, 30, 4)


class Folder(NamedTuple):
    """What is in it; the classes take turns with the sizes."""

    n_classes: int
    sizes: tuple[int, ...]  # training pictures of a class; of the test, at most 5
    shape: tuple[int, int] = (48, 48)  # height and width
    grey: bool = False

    def write(self, root: Path) -> None:
        """Objects in as many colours as ten shapes take to make the classes."""
        for seed, split in enumerate(("train", "test")):
            most = {"train": 1000, "test": 5}[split]
            drawn = render(20 * max(self.sizes) + 100, seed=seed)
            for label in range(self.n_classes):
                place = root / split / f"class {label:03d}"
                place.mkdir(parents=True)
                hue = label // 10 / 20 + np.arange(3) / 3  # turns
                of_shape = drawn.images[drawn.labels == label % 10].permute(0, 2, 3, 1).numpy()
                n = min(most, self.sizes[label % len(self.sizes)])
                for number, image in enumerate(of_shape[:n]):
                    tinted = image * (0.6 + 0.4 * np.cos(2 * np.pi * hue))
                    picture = cv2.resize(tinted.astype(np.uint8), self.shape[::-1])
                    if self.grey:
                        picture = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
                    assert cv2.imwrite(str(place / f"{number}.jpg"), picture)
                assert number + 1 == n


FOLDERS = {
    "two": Folder(2, FEW, shape=(480, 640), grey=True),
    "twelve": Folder(12, UNEQUAL),
    "two hundred": Folder(200, FEW),
}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """The path of one of the folders, by its name."""
    made: dict[str, Path] = {}

    def write(name: str) -> str:
        if name not in made:
            made[name] = tmp_path_factory.mktemp("own") / "pictures"
            FOLDERS[name].write(made[name])
        return str(made[name])

    return write


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, str]]:
    """Runs chapters, each with its parameters; gives the first line of each claim, by its name.

    One after another in one kernel, which forgets all names in between: most of a short chapter's
    time is that in which its kernel starts.
    """
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")

    def execute(*visits: tuple[str, dict[str, Any]]) -> dict[str, str]:
        cells = []
        for chapter, parameters in visits:
            (path,) = ROOT.glob(f"notebooks/{chapter}_*.ipynb")
            cells.append(new_code_cell("%reset -f"))
            for cell in nbformat.read(path, as_version=4).cells:
                if cell.cell_type == "code":
                    cells.append(new_code_cell(cell.source))
                if "parameters" in cell.metadata.get("tags", ()):
                    assigned = ({"seeds": 2} | parameters).items()
                    cells.append(new_code_cell("\n".join(f"{k} = {v!r}" for k, v in assigned)))
        notebook = new_notebook(cells=cells)
        place = {"metadata": {"path": str(tmp_path)}}
        NotebookClient(notebook, timeout=300, kernel_name="python3", resources=place).execute()
        shown = [output.get("data", {}) for cell in cells for output in cell.outputs]
        return {
            data[MIME]["id"]: data["text/plain"].splitlines()[0] for data in shown if MIME in data
        }

    return execute


SHORT: dict[str, dict[str, Any]] = {  # parameters with which a chapter takes seconds
    "03": {"epochs": 1, "epochs_few": 1},
    "04": {"seeds_push": 2, "steps": 2, "n_test": 100},
    "05": {"seeds_parts": 2, "epochs": 1, "epochs_long": 1, "epochs_lenet": 1, "n_test": 200},
    "08": {"epochs": 1},
    "09": {"epochs": 1, "epochs_grid": 1},
    "10": {"steps": 2, "pretrain_steps": 2, "steps_faster": [1, 2], "n_test": 400},
    "11": {"epochs": 1, "epochs_teacher": 1, "epochs_mimic": 1},
}


Run = Callable[..., dict[str, str]]
Write = Callable[[str], str]


def own(chapter: str, folder: str) -> tuple[str, dict[str, Any]]:
    return chapter, {"dataset": folder, **SHORT[chapter]}


def test_two_classes_of_three_large_grey_pictures(run: Run, folder: Write) -> None:
    claims = run(*(own(chapter, folder("two")) for chapter in SHORT))
    reasons = {
        "fc-crop": "a model is no better than chance: it has no lead",
        "transfer-freeze": "it takes four classes: two to learn first, two new",
        "transfer-finetune": "it takes four classes: two to learn first, two new",
        "finetune-faster": "it takes four classes: two to learn first, two new",
        "kd-semantics": "too few classes or pictures for two tasks",
    }
    for claim, reason in reasons.items():
        assert claims[claim] == f"claim {claim}: – ({reason})"


def test_many_classes_and_unequal_numbers(run: Run, folder: Write) -> None:
    twelve, two_hundred = folder("twelve"), folder("two hundred")
    claims = run(own("03", twelve), own("08", twelve), own("11", twelve), own("10", two_hundred))
    assert {"cnn-crop", "data-bias", "kd-semantics", "transfer-freeze"} <= claims.keys()


def test_parameters_with_which_a_chapter_once_stopped_after_its_work(run: Run) -> None:
    two = {"sizes": [50, 100], "n_stored": 100, "n_train": 100, "n_test": 50, "epochs": 1}
    seven = {"n_train": 60, "n_test": 60, "n_pretrain": 60, "epochs": 1, "epochs_pretrain": 1}
    claims = run(
        ("02", {"seeds": [3, 5], **two}), ("07", {"few": [5], "seeds_transfer": 2, **seven})
    )
    assert {"knn-similarity", "vgg-transfer"} <= claims.keys()
