"""Pictures of the reader's own, handed to a figure as a browser does."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cvcourse.explore.pictures import exact_uri

_GIVE = """([kind, text]) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], "mine.bmp", { type: "image/bmp" }));
    const event = kind === "paste" ? new ClipboardEvent("paste", { clipboardData: data })
        : new DragEvent("drop", { dataTransfer: data });
    const card = document.querySelector(".cvx").parentElement;
    (kind === "paste" ? document : card).dispatchEvent(event);
}"""


def give(tab: Any, way: str, picture: NDArray[np.uint8]) -> None:
    """Hand a figure a picture (H, W, 3) of the reader's own: by "file", "paste" or "drop"."""
    text = exact_uri(picture).split(",")[1]
    if way == "file":
        given = {"name": "mine.bmp", "mimeType": "image/bmp", "buffer": base64.b64decode(text)}
        tab.get_by_label("A picture of yours").set_input_files(given)
    else:
        tab.evaluate(_GIVE, [way, text])
