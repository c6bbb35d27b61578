"""A head that learns in the page: against Python, and by the hands of a reader."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import torch
from torch import nn
from traitlets import TraitError

from cvcourse.data import VARIED, ImageSet, render
from cvcourse.explore import TeachItYourself
from cvcourse.explore.pictures import exact_uri
from cvcourse.explore.teach import _learned
from cvcourse.models import SmallCNN, standardized
from cvcourse.train import Recipe, fit

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


@pytest.fixture(scope="module")
def backbone() -> nn.Module:
    """It has learned five classes for a moment."""
    torch.manual_seed(0)
    old = render(500, VARIED, seed=1).of_classes([0, 2, 4, 6, 8])
    model = standardized(SmallCNN, old, width=8)
    fit(model, old, Recipe(epochs=2, learning_rate=2e-2))
    model[1].classifier = nn.Identity()
    return model


@pytest.fixture(scope="module")
def pictures() -> ImageSet:
    return render(400, VARIED, seed=2).of_classes([3, 7])


@pytest.fixture
def piece(backbone: nn.Module, pictures: ImageSet) -> TeachItYourself:
    return TeachItYourself(backbone, pictures)


def settle(tab: Any, words: str) -> str:
    """The summary, once it holds these words."""
    tab.wait_for_function(
        "words => document.querySelector('.cvx-summary').textContent.includes(words)", arg=words
    )
    return tab.locator(".cvx-summary").inner_text()


def table(tab: Any) -> list[list[str]]:
    """The rows of results: round, labels of its own, of them right, accuracy."""
    rows = tab.locator(".cvx-teach-results tbody tr").all()
    return [row.locator("th, td").all_inner_texts() for row in rows]


def shelf(tab: Any, name: str) -> Any:
    return tab.get_by_role("group", name=name, exact=True)


def thumbs(tab: Any, name: str) -> Any:
    return shelf(tab, name).locator(".cvx-teach-thumbs button")


@pytest.mark.parametrize("classes", [[3, 7], [1, 3, 5, 7]])
def test_browser_learns_what_python_does(classes: list[int], backbone, compute) -> None:
    pictures = render(400, VARIED, seed=2).of_classes(classes)
    settings = [
        {},
        {"start": "fair", "threshold": 0.5, "rounds": 1},
        {"start": "lopsided", "threshold": 0.9, "rounds": 3},
        {"start": "wrong", "threshold": 0.7, "rounds": 4},
        {"start": "fair", "threshold": 1.0, "rounds": 2},
    ]
    pieces = [TeachItYourself(backbone, pictures, **chosen) for chosen in settings]
    pixels = base64.b64encode(pictures.images.numpy().tobytes()).decode()
    found = compute(TeachItYourself, [{**piece.state(), "pixels": pixels} for piece in pieces])
    for piece, here in zip(pieces, found, strict=True):
        assert np.abs(np.array(here["features"]) - piece.features.numpy()).max() <= 1e-3
        rounds = piece.teach()
        assert len(here["rounds"]) == len(rounds) == piece.rounds + 1
        for theirs, ours in zip(here["rounds"], rounds, strict=True):
            assert np.abs(np.array(theirs["weights"]).T - ours.weights.numpy()).max() <= 1e-3
            assert (theirs["taken"], theirs["right"]) == (ours.taken, ours.right)
            assert theirs["accuracy"] == pytest.approx(ours.accuracy)
        p = np.array(here["probabilities"])
        assert np.abs(p - piece.probabilities().numpy()).max() <= 1e-3
    if len(classes) == 2:  # one of two is always half sure
        assert found[1]["rounds"][1]["taken"] == 40
    assert found[4]["rounds"][2]["taken"] == 0


def test_the_gradient_is_that_of_autograd(piece: TeachItYourself) -> None:
    rows, given = piece.features[:20], torch.tensor(piece.labels[:20])
    weights = torch.zeros(rows.shape[1] + 1, 2, dtype=rows.dtype, requires_grad=True)
    ones = torch.ones(20, 1, dtype=rows.dtype)
    optimizer = torch.optim.SGD([weights], lr=1.0, weight_decay=0.01)
    inputs = torch.cat([rows / rows.norm(dim=1).mean(), ones], dim=1)
    for _ in range(200):
        optimizer.zero_grad()
        nn.functional.cross_entropy(inputs @ weights, given).backward()
        optimizer.step()
    torch.testing.assert_close(_learned(inputs, given, 2), weights.detach())


def test_rounds_are_counted_as_in_python(piece: TeachItYourself, show, source: str) -> None:
    piece.rounds = 2
    expected = [
        [str(one.taken), str(one.right), f"{round(100 * one.accuracy)} %"] for one in piece.teach()
    ]
    piece.rounds = 0
    tab = show(piece, source=source)
    settle(tab, "It is right on")
    assert table(tab) == [["given labels", "–", "–", expected[0][2]]]
    for n in (1, 2):
        tab.get_by_role("button", name="let it label the sure ones").click()
        settle(tab, f"After {n} round")
    assert [row[1:] for row in table(tab)[1:]] == expected[1:]
    marks = thumbs(tab, "without a label").evaluate_all("all => all.map((b) => b.dataset.mark)")
    assert marks.count("right") == int(expected[2][1])
    assert marks.count("right") + marks.count("wrong") == int(expected[2][0])
    tab.get_by_role("button", name="forget its labels").click()
    settle(tab, "It is right on")
    assert len(table(tab)) == 1
    assert not tab.evaluate("performance.getEntriesByType('resource').length")


def test_a_reader_teaches_it_from_nothing(piece: TeachItYourself, show) -> None:
    tab = show(piece, has_touch=True)
    settle(tab, "It is right on")
    tab.get_by_role("button", name="nothing", exact=True).click()
    settle(tab, "Give at least two classes a picture each")
    tab.get_by_label("Name of the class class 1").fill("white")
    tab.get_by_role("button", name="+ sheet: white").click()
    tab.get_by_role("button", name="dark sheet").click()
    tab.get_by_role("button", name="+ sheet: class 2").click()
    settle(tab, "The head has learned from 2 labelled pictures (1 × white, 1 × class 2)")
    shares = tab.locator(".cvx-teach-head .cvx-bar").all_inner_texts()
    assert int(shares[1].split()[0]) > 60
    tab.get_by_role("button", name="another class").click()
    tab.get_by_role("button", name="another class").click()
    assert tab.get_by_role("button", name="another class").is_disabled()
    thumbs(tab, "white").click()  # back to the sheet
    settle(tab, "Give at least two classes a picture each")
    assert thumbs(tab, "white").count() == 0


def test_the_pen_follows_keys_and_fingers(piece: TeachItYourself, show) -> None:
    tab = show(piece, has_touch=True)
    settle(tab, "It is right on")
    read = """() => [...document.querySelector("canvas[aria-label='The drawing']")
        .getContext("2d").getImageData(0, 0, 256, 256).data]
        .filter((x, i) => i % 4 === 0 && x < 99).length"""
    assert tab.evaluate(read) == 0
    pad = tab.get_by_role("application")
    pad.press("ArrowRight")
    tab.wait_for_timeout(100)
    assert tab.evaluate(read) == 0  # the pen is not down
    for key in ("Space", "Shift+ArrowRight", "Space", "Shift+ArrowDown"):
        pad.press(key)
    tab.wait_for_timeout(100)
    line = tab.evaluate(read)
    assert 80 * 10 < line < 80 * 20 + 400  # ten of 32 units of 8 pixels, 14 thick
    box = pad.bounding_box()
    tab.touchscreen.tap(box["x"] + 30, box["y"] + 30)
    tab.wait_for_timeout(100)
    assert tab.evaluate(read) > line
    tab.get_by_role("button", name="undo").click()
    tab.wait_for_timeout(100)
    assert tab.evaluate(read) == line


GIVE = """([kind, texts, name]) => {
    const data = new DataTransfer();
    for (const text of texts) {
        const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
        data.items.add(new File([bytes], "mine.bmp", { type: "image/bmp" }));
    }
    const row = document.querySelector(`[role=group][aria-label="${name}"]`);
    row.querySelector("button").focus();
    const [clipboard, drop] = [{ clipboardData: data }, { dataTransfer: data, bubbles: true }];
    if (kind === "paste") document.dispatchEvent(new ClipboardEvent("paste", clipboard));
    else row.dispatchEvent(new DragEvent("drop", drop));
}"""


@pytest.mark.parametrize("way", ["files", "paste", "drop"])
@pytest.mark.parametrize("row", ["star", "without a label"])
def test_many_pictures_at_once(way: str, row: str, piece: TeachItYourself, show) -> None:
    rng = np.random.default_rng(0)
    uris = [exact_uri(rng.integers(0, 256, (40, 32, 3), np.uint8)) for _ in range(3)]
    texts = [uri.split(",")[1] for uri in uris]
    tab = show(piece)
    settle(tab, "It is right on")
    before = thumbs(tab, row).count()
    if way == "files":
        files = [
            {"name": "a.bmp", "mimeType": "image/bmp", "buffer": base64.b64decode(text)}
            for text in texts
        ]
        tab.get_by_label(f"Files: {row}", exact=True).set_input_files(files)
    else:
        tab.evaluate(GIVE, [way, texts, row])
    settle(tab, "7 labelled" if row == "star" else "4 labelled")
    thumbs(tab, row).nth(before + 2).wait_for()
    assert thumbs(tab, row).count() == before + 3
    tab.get_by_role("button", name="let it label the sure ones").click()
    told = settle(tab, "After 1 round")
    assert ("of them right" in told) == (row == "star")  # of one's own, the truth is not known


def test_a_file_that_is_no_picture_is_refused(piece: TeachItYourself, show) -> None:
    tab = show(piece)
    settle(tab, "It is right on")
    given = {"name": "mine.png", "mimeType": "image/png", "buffer": b"no picture"}
    tab.get_by_label("Files: star", exact=True).set_input_files(given)
    tab.get_by_role("alert").get_by_text("This browser cannot show that file").wait_for()
    assert thumbs(tab, "star").count() == 2


def test_no_task_keeps_the_page_from_answering(piece: TeachItYourself, show) -> None:
    """All the work is in slices; the page is idle in between."""
    tab = show(piece)
    settle(tab, "It is right on")
    tab.evaluate(
        """() => { window.slow = [];
            new PerformanceObserver((list) => window.slow.push(...list.getEntries()
                .map((entry) => entry.duration))).observe({ type: "longtask" }); }"""
    )
    for _ in range(3):
        tab.get_by_role("button", name="let it label the sure ones").click()
    settle(tab, "After 3 rounds")
    slow = tab.evaluate("window.slow")
    assert max(slow, default=0) < 200, slow  # 50 on an idle machine, which a test may not have


def test_the_page_notices_a_wrong_weight(piece: TeachItYourself, show) -> None:
    assert "its features are PyTorch's" in show(piece).locator(".cvx-own-note").inner_text()
    network = {**piece.network, "layers": [dict(layer) for layer in piece.network["layers"]]}
    network["layers"][0]["shift"] = [x + 1 for x in network["layers"][0]["shift"]]
    piece.network = network
    assert "do not rely on what you see" in show(piece).locator(".cvx-own-note").inner_text()


def test_the_words_and_the_still_picture_count_rounds(piece: TeachItYourself) -> None:
    assert "from 4 labelled pictures" in piece.caption()
    assert piece.still().count("<image") == 4
    piece.start, piece.threshold, piece.rounds = "lopsided", 0.5, 2
    last = piece.teach()[-1]
    assert f"{last.right} of 40 right, on {last.accuracy:.0%}" in piece.caption()
    assert piece.still().count("<image") == 7


def test_wrong_labels_are_among_the_given_ones(piece: TeachItYourself) -> None:
    piece.start = "wrong"
    wrong = [i for i, label in piece.given.items() if label != piece.labels[i]]
    assert (len(piece.given), len(wrong)) == (6, 2)


def test_mistakes_are_named(backbone, pictures: ImageSet, piece: TeachItYourself) -> None:
    with pytest.raises(TraitError, match=r"pictures have shape \(200, 3, 16, 16\)"):
        TeachItYourself(backbone, render(200, size=16).of_classes(range(10)))
    with pytest.raises(TraitError, match="pictures have 10 classes; expected 2 to 4"):
        TeachItYourself(backbone, render(400))
    with pytest.raises(TraitError, match="a class has 10 pictures; expected more than 26 of each"):
        TeachItYourself(backbone, render(100).of_classes([3, 7]))
    with pytest.raises(TraitError, match="a page can compute convolutions"):
        TeachItYourself(nn.Sequential(*backbone, nn.Tanh()), pictures)
    with pytest.raises(TraitError, match="start is 'unfair'; expected"):
        piece.start = "unfair"
    with pytest.raises(TraitError, match=r"threshold is 0\.4; expected 0\.5 to 1"):
        piece.threshold = 0.4


@pytest.fixture
def chapter(show) -> Any:
    """The figure of chapter 10, with the backbone that was trained there."""
    cells = nbformat.read(NOTEBOOKS / "10_transfer.ipynb", as_version=4).cells
    stored = next(cell for cell in cells if cell.id == "teach-figure")
    tab = show(stored.outputs[0].data["text/html"])
    settle(tab, "It is right on")
    return tab


@pytest.mark.parametrize(
    ("start", "threshold", "rounds", "counts", "words"),
    [
        ("lopsided", 0.9, 1, ["27", "27", "94 %"], "All 27 labels of the first round are right"),
        ("lopsided", 0.9, 4, ["35", "35", "99 %"], "four rounds it has 35, all right"),
        ("lopsided", 0.5, 3, ["40", "35", "92 %"], "all forty, five of them wrong"),
        ("wrong labels", 0.9, 3, ["24", "18", "70 %"], "it has 24 labels, 6 of them wrong"),
        ("wrong labels", 0.99, 3, ["8", "7", "69 %"], "one error in 8 labels, and stays at 69 %"),
    ],
)
def test_chapter_12_says_what_the_figure_counts(
    start: str, threshold: float, rounds: int, counts: list[str], words: str, chapter
) -> None:
    chapter.get_by_role("button", name=start).click()
    chapter.get_by_label("Threshold").fill(str(threshold))
    for n in range(1, rounds + 1):
        chapter.get_by_role("button", name="let it label the sure ones").click()
        settle(chapter, f"After {n} round")
    assert table(chapter)[rounds][1:] == counts
    told = (NOTEBOOKS / "12_pseudo_labels.ipynb").read_text("utf-8")
    assert words in told


def test_a_head_far_below_learns_nothing_before_the_reader_is_near(piece, show) -> None:
    tab = show("<div style='height: 5000px'></div>", piece)
    told, note = tab.locator(".cvx-summary"), tab.locator(".cvx-own-note")
    tab.wait_for_timeout(300)
    assert told.text_content() == ""
    assert "Checked just now" not in note.text_content()
    tab.evaluate("scrollTo(0, document.body.scrollHeight)")
    told.get_by_text("The head has learned from").wait_for(state="attached")
    note.get_by_text("Checked just now in your browser").wait_for(state="attached")
