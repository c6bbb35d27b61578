"""What every figure does with a photo; files, paste and drop are tested with each figure."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from test_every_piece import distilled_picture, own_picture, teach, unit_lens

from cvcourse.explore.pictures import exact_uri

PHONE = """Object.defineProperty(HTMLInputElement.prototype, "capture",
    { value: "", configurable: true })"""
READ = """canvas => { const { width, height } = canvas;
    return [...canvas.getContext("2d").getImageData(0, 0, width, height).data]
        .filter((x, i) => i % 4 < 3 && x > 250).length / width / height / 3; }"""
WHITE = np.full((40, 60, 3), 255, np.uint8)
each = pytest.mark.parametrize(
    ("make", "shown"),
    [
        (own_picture, "canvas[aria-label='The picture']"),
        (unit_lens, "canvas[aria-label='The picture']"),
        (distilled_picture, "canvas[aria-label='The picture']"),
        (teach, ".cvx-teach-shelf:first-child .cvx-teach-thumbs button:last-child canvas"),
    ],
)


def photographed(tab: Any) -> None:
    """A white picture from the camera of the figure's first row."""
    data = base64.b64decode(exact_uri(WHITE).split(",")[1])
    photo = {"name": "image.bmp", "mimeType": "image/bmp", "buffer": data}
    tab.locator("input[capture=environment]").first.set_input_files(photo)


@each
def test_a_phone_offers_its_camera(make, shown: str, show) -> None:
    tab = show(make(), viewport={"width": 390, "height": 800})
    assert tab.get_by_role("button", name="camera").count() == 0  # this browser opens none
    tab.add_init_script(PHONE)
    tab.reload()
    tab.wait_for_selector("[data-alive]")
    tab.locator(shown).wait_for()
    assert tab.locator(shown).evaluate(READ) < 0.5
    with tab.expect_file_chooser():
        tab.get_by_role("button", name="camera").first.click()
    photographed(tab)
    for _ in range(100):
        if tab.locator(shown).evaluate(READ) == 1:
            break
        tab.wait_for_timeout(50)
    assert tab.locator(shown).evaluate(READ) == 1
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
