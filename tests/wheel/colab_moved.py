"""Say where Colab has moved on from the versions in colab.txt; exit with 1 if it has.

python tests/wheel/colab_moved.py
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from urllib.request import urlopen

COLAB = Path(__file__).with_name("colab.txt")
TODAY = "https://raw.githubusercontent.com/googlecolab/backend-info/main/pip-freeze.txt"
# "torch==2.11.0+cu128", or "torch @ https://…/torch-2.11.0%2Bcpu-cp313-….whl"
PIN = re.compile(r"^([\w.-]+)(?:==| @ \S*/\w+-)(\d[\w.]*)", re.MULTILINE)


def versions(text: str) -> dict[str, str]:
    """Package → version, in a list that `pip freeze` made."""
    return {re.sub("[-_.]+", "-", name).lower(): version for name, version in PIN.findall(text)}


def moved(ours: str, theirs: str) -> list[str]:
    """What differs between our list and theirs, of what is in ours."""
    today = versions(theirs)
    return [
        f"{name}: {version} here, {today.get(name, 'none')} on Colab"
        for name, version in versions(ours).items()
        if today.get(name) != version
    ]


def main() -> None:
    """Fetch Colab's list, and compare."""
    with urlopen(TODAY, timeout=60) as answer:
        differing = moved(COLAB.read_text("utf-8"), answer.read().decode())
    sys.exit("\n".join([*differing, f"Renew {COLAB.name} and its date."]) if differing else 0)


if __name__ == "__main__":
    main()
