"""How closely geometry can be compared depends on OpenCV."""

import cv2
import pytest


@pytest.fixture
def placed() -> int:
    """By how many levels two warps may differ.

    OpenCV 5 places pixels exactly, so one: a sum that lies at a half. OpenCV 4 places them to 1/32
    of a pixel (4.8, 4.10, 4.12 and 4.14 alike): four where neighbours differ most.
    """
    return 1 if int(cv2.__version__.split(".")[0]) >= 5 else 4
