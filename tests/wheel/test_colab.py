"""Colab's versions, and what is said when they move; `make colab` runs every notebook in them."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

from bare import ROOT
from colab_moved import COLAB, moved, versions
from every_notebook import CLAIM, shown, with_opencv
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cvcourse.experiment.claims import MIME

OURS = COLAB.read_text("utf-8")


def test_the_list_says_when_it_was_made_and_pins_everything() -> None:
    assert re.search(r"^# Python 3\.\d+, 20\d\d-\d\d-\d\d", OURS, re.MULTILINE)
    lines = [line for line in OURS.splitlines() if line[0] != "#"]
    assert len(versions(OURS)) == len(lines) > 20


def test_the_package_is_content_with_what_colab_has() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    has = versions(OURS)
    asked = [Requirement(text) for text in project["dependencies"]]
    missing = [each.name for each in asked if canonicalize_name(each.name) not in has]
    assert missing == ["lightning-fabric", "tyro"]
    for requirement in asked:
        if requirement.name not in missing:
            assert has[canonicalize_name(requirement.name)] in requirement.specifier


def test_what_has_moved_is_said_and_nothing_else() -> None:
    theirs = """# made by pip freeze
numpy==2.1.3
jupyter-client==7.4.9
torch @ https://example.org/whl/cpu/torch-2.11.0%2Bcpu-cp313-cp313-linux_x86_64.whl
torchvision==0.27.0+cu128
unrelated==1.0
"""
    ours = (
        "numpy==2.1.3\njupyter_client==7.4.9\ntorch==2.11.0\ntorchvision==0.26.0\nipython==7.34.0\n"
    )
    assert moved(ours, theirs) == [
        "torchvision: 0.26.0 here, 0.27.0 on Colab",
        "ipython: 7.34.0 here, none on Colab",
    ]


def test_another_opencv_replaces_all_of_its_distributions_and_nothing_else() -> None:
    other = with_opencv(OURS, "5.0.0.93")
    assert versions(other) == {
        name: "5.0.0.93" if name.startswith("opencv-") else version
        for name, version in versions(OURS).items()
    }
    assert other != OURS


def test_figures_and_findings_are_counted(tmp_path: Path) -> None:
    findings = [{"text": "it is", "holds": True}, {"text": "it may be", "holds": None}]
    outputs = [
        {"data": {"text/html": ["<style></style>", '<div data-explorable="a1"></div>']}},
        {"data": {"text/html": "<table></table>", CLAIM: {"findings": findings}}},
        {"text": "printed"},
    ]
    cells = [{"cell_type": "markdown"}, {"cell_type": "code", "outputs": outputs}]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells}))
    assert shown(tmp_path / "a.ipynb") == (1, [True, None])
    assert CLAIM == MIME
