"""What every explorable must be."""

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from IPython.core.formatters import DisplayFormatter
from ipywidgets import Widget
from traitlets import TraitError

from cvcourse import explore
from cvcourse.data import Scene, render
from cvcourse.models import MLP, SingleLayer, SmallCNN, standardized

FAINT = """(theme) => {
    document.documentElement.dataset.theme = theme;
                const luminance = (colour) => {
        const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((c) => c / 255)
            .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const paper = (e) => {
        const colour = getComputedStyle(e).backgroundColor;
        return /, 0\\)$/.test(colour) ? paper(e.parentElement) : colour;
    };
    const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const says = (e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    return [...document.querySelectorAll(".cvx, .cvx *")].filter(says).filter((e) => {
        const style = getComputedStyle(e);
        const ink = e.closest("svg") ? style.fill : style.color;
        return ratio(luminance(ink), luminance(paper(e))) < 4.5;
    }).map((e) => e.outerHTML.slice(0, 120));
}
"""  # words of less than 4.5 times the contrast, WCAG 2.2, 1.4.3
FOLDER = Path(explore.__file__).parent
rng = np.random.default_rng(0)
BLOBS = rng.integers(0, 10, 500)  # classes of as many points in the plane
POINTS = 6 * rng.normal(0, 1, (10, 2))[BLOBS] + rng.normal(0, 1, (500, 2))
CLASSES = [f"class {label}" for label in range(10)]

SOFT = rng.dirichlet([0.15] * 10, 2000)  # a teacher that is sure more often than right
TRUTH = np.where(rng.random(2000) < 0.75, SOFT.argmax(axis=1), rng.integers(0, 10, 2000))


def crop_lab() -> explore.CropLab:
    torch.manual_seed(0)
    pictures = render(6, seed=0)
    models = {"single layer": SingleLayer(), "CNN": SmallCNN()}
    return explore.CropLab({n: standardized(m, pictures) for n, m in models.items()}, pictures)


def noisy_student() -> explore.NoisyStudentRounds:
    pictures = render(1000, seed=0)
    draw = np.random.default_rng(0)
    wrong = draw.random((5, 1000)) < [[0.4], [0.3], [0.25], [0.22], [0.2]]
    rounds = np.where(wrong, draw.integers(0, 10, (5, 1000)), pictures.labels)
    return explore.NoisyStudentRounds(rounds, pictures, shown=24, round=1)


def randaugment() -> explore.RandAugmentSteps:
    original = render(1, size=64, seed=0).images[0].permute(1, 2, 0).numpy()
    pictures = np.broadcast_to(original, (4, 4, 3, 64, 64, 3))
    names = [["rotate", "solarize", "translate_x"]] * 4
    return explore.RandAugmentSteps(original, pictures, names, [0, 10, 20, 30])


def own_picture() -> explore.OwnPicture:
    torch.manual_seed(0)
    pictures = render(3, seed=0)
    models = {"MLP": MLP(hidden=(4,)), "CNN": SmallCNN(width=4)}
    return explore.OwnPicture({n: standardized(m, pictures) for n, m in models.items()}, pictures)


def teach() -> explore.TeachItYourself:
    torch.manual_seed(0)
    pictures = render(270, Scene(noise=0), seed=0).of_classes([3, 7])
    backbone = standardized(SmallCNN, pictures, width=4)
    backbone[1].classifier = torch.nn.Identity()
    return explore.TeachItYourself(backbone, pictures, rounds=1)


def unit_lens() -> explore.UnitLens:
    torch.manual_seed(0)
    pictures = render(3, seed=0)
    models = {arm: standardized(SmallCNN, pictures, width=2) for arm in ("one", "another")}
    return explore.UnitLens(models, pictures)


def distilled_picture() -> explore.DistilledPicture:
    torch.manual_seed(0)
    pictures = render(2, seed=0, size=16)
    teacher, student = (standardized(SmallCNN, pictures, width=width) for width in (4, 2))
    return explore.DistilledPicture(teacher, student, pictures)


PIECES = {
    "DistilledPicture": distilled_picture,
    "UnitLens": unit_lens,
    "TeachItYourself": teach,
    "OwnPicture": own_picture,
    "RandAugmentSteps": randaugment,
    "NoisyStudentRounds": noisy_student,
    "PseudoLabelThreshold": lambda: explore.PseudoLabelThreshold(SOFT, TRUTH, CLASSES),
    "CutMixBox": explore.CutMixBox,
    "CropLab": crop_lab,
    "NeighbourVote": lambda: explore.NeighbourVote(POINTS, BLOBS, CLASSES),
    "CornerMap": explore.CornerMap,
    "ConvolutionSteps": explore.ConvolutionSteps,
    "DistillationLoss": explore.DistillationLoss,
    "ReceptiveFieldStack": explore.ReceptiveFieldStack,
    "SoftmaxTemperature": lambda: explore.SoftmaxTemperature([0, 5], 100, ["cow", "dog"]),
    "TwoMoons": explore.TwoMoons,
}
each = pytest.mark.parametrize("make", PIECES.values(), ids=PIECES)


def test_all_pieces_are_here() -> None:
    assert set(PIECES) == {name for name in explore.__all__ if name[0].isupper()}


@each
def test_html_is_the_same_each_time_and_small(make) -> None:
    first, second = make().html(), make().html()
    assert first == second
    assert len(first.encode()) <= 150_000


def test_a_dozen_of_them_fit_into_one_notebook() -> None:
    weights = [len(json.dumps(make().html())) for make in PIECES.values()]
    assert 12 * sum(weights) / len(weights) <= 900_000


@each
def test_state_is_the_whole_state(make) -> None:
    piece = make()
    assert json.loads(json.dumps(piece.state(), allow_nan=False)) == piece.state()
    bundle, _ = piece._repr_mimebundle_()
    assert bundle["text/html"] == piece.html()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "0x" not in bundle["text/plain"]


@each
def test_a_saved_output_holds_the_page_under_ipywidgets_7_too(make, monkeypatch) -> None:
    """There, every widget has a method that displays it, which IPython asks before all others."""
    monkeypatch.setattr(Widget, "_ipython_display_", lambda self: None, raising=False)
    piece = make()
    data, _ = DisplayFormatter().format(piece)
    assert data["text/html"] == piece.html()
    assert "application/vnd.jupyter.widget-view+json" in data


@pytest.mark.parametrize(
    ("piece", "settings", "message"),
    [
        (
            explore.SoftmaxTemperature,
            {"temperature": "hot"},
            "temperature is 'hot' .str.; expected a number",
        ),
        (
            explore.DistillationLoss,
            {"temperature": "hot"},
            "temperature is 'hot' .str.; expected a number",
        ),
        (explore.DistillationLoss, {"label": True}, r"label is True \(bool\); expected an integer"),
    ],
)
def test_a_value_of_the_wrong_kind_is_named(piece, settings: dict, message: str) -> None:
    with pytest.raises(TraitError, match=message):
        piece(**settings)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.js")), ids=lambda path: path.name)
def test_modules_are_short_and_stand_alone(path: Path) -> None:
    code = path.read_text("utf-8")
    assert len(code.splitlines()) <= 300
    assert not re.search(r"^\s*import\b|https?://(?!www\.w3\.org/)", code, re.MULTILINE)
    if path.stem not in ("kit", "forward", "bring", "sheet", "head", "choose", "shim"):
        assert code.rstrip().endswith("export default { compute, render };")
        assert code.count("export default {") == 1


@each
def test_without_scripts_there_is_a_picture_and_its_words(make, show) -> None:
    piece = make()
    tab = show(piece, java_script_enabled=False)
    assert tab.locator("figure svg[role=img]").bounding_box()["height"] > 40
    assert tab.locator("figcaption").inner_text() == piece.caption()


@each
def test_two_of_a_kind_on_one_page_do_not_meddle(make, show) -> None:
    tab = show(make(), make())
    assert tab.locator("[data-alive]").count() == 2
    assert tab.locator("section.cvx").count() == 2


@each
def test_fits_the_screen(make, show) -> None:
    tab = show(make())
    for width in (320, 375, 768, 1280):
        tab.set_viewport_size({"width": width, "height": 700})
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        outside = tab.evaluate(
            """() => {
                const card = document.querySelector(".cvx").getBoundingClientRect();
                return [...document.querySelectorAll(".cvx *")].filter((e) => {
                    const box = e.getBoundingClientRect();
                    return box.width > 1 && !e.closest("svg *")
                        && (box.left < card.left - 1 || box.right > card.right + 1);
                }).map((e) => e.outerHTML.slice(0, 80));
            }"""
        )
        assert outside == [], width


@each
def test_controls_have_names_and_take_the_arrow_keys(make, show) -> None:
    tab = show(make())
    unnamed = tab.evaluate(
        """() => [...document.querySelectorAll(".cvx :is(input, select, [tabindex='0'])")]
            .filter((e) => !e.getAttribute("aria-label") && !e.labels?.length)
            .map((e) => e.outerHTML)"""
    )
    assert unnamed == []
    bare = "input[type=range]:not([data-lm-suppress-shortcuts=true])"
    assert tab.locator(bare).count() == 0
    tab.wait_for_function("document.querySelector('[role=status]').textContent.length > 20")


@each
def test_words_stand_out_on_light_and_dark(make, show) -> None:
    tab = show(make())
    light, dark = (tab.evaluate(FAINT, theme) for theme in ("light", "dark"))
    assert (light, dark) == ([], [])


@each
def test_paper_gets_the_figure_without_the_controls(make, show) -> None:
    tab = show(make(), theme="dark")
    tab.emulate_media(media="print")
    assert tab.locator(".cvx-controls").first.is_hidden()
    assert tab.locator(".cvx-summary").is_visible()
    paper = tab.locator(".cvx").evaluate("e => getComputedStyle(e).backgroundColor")
    assert paper == "rgb(252, 252, 250)"


@each
def test_nothing_moves_by_itself_where_motion_is_unwanted(make, show) -> None:
    tab = show(make(), reduced_motion="reduce")
    durations = tab.evaluate(
        "() => [...document.querySelectorAll('.cvx *')].map(e => getComputedStyle(e))"
        ".map(s => s.transitionDuration + s.animationDuration)"
    )
    assert set(durations) == {"0s0s"}


def test_text_that_looks_like_markup_stays_text(show) -> None:
    names = ["</script><b id=x>", "<!-- <script>"]
    tab = show(explore.SoftmaxTemperature([0, 1], 1, names))
    assert tab.locator("#x").count() == 0
    assert tab.locator("[data-class]").first.get_attribute("data-class") == names[0]


HOSTILE = "</text><b id=x>&amp;\"'$a$ 고양이"


def hostile(name: str) -> explore.base.Explorable:
    """A piece, all of whose words are an attempt to be markup."""
    piece = PIECES[name]()
    for trait in ("names", "arms"):
        if trait in piece.traits(sync=True):
            setattr(piece, trait, [f"{HOSTILE} {i}" for i in range(len(getattr(piece, trait)))])
    for trait in ("original", "picture"):
        if isinstance(getattr(piece, trait, None), str):
            setattr(piece, trait, f'data:image/svg+xml,"><b id=x>{HOSTILE}')
    if "operations" in piece.traits(sync=True):
        piece.operations = [[HOSTILE] * 3] * 4
    type(piece).title, kept = HOSTILE, type(piece).title
    try:
        piece.page = piece.html()
    finally:
        type(piece).title = kept
    return piece


@pytest.mark.parametrize("name", PIECES)
def test_a_still_picture_shows_words_as_they_are(name: str) -> None:
    piece = hostile(name)
    body = piece.page.split("</style>")[1].split("<script")[0]
    page = ElementTree.fromstring(body)  # markup that words had got into would not be well-formed
    kinds = {element.tag.split("}")[-1] for element in page.iter()}
    drawn = {"svg", "text", "rect", "image", "circle", "path", "line", "g", "polygon"}
    assert kinds <= drawn | {"div", "figure", "p", "figcaption"}
    assert page.find("figure/p").text == HOSTILE
    assert page.find("figure/svg").get("aria-label") == piece.caption()
    assert page.find("figure/figcaption").text == piece.caption()
    assert {"tex2jax_ignore", "mathjax_ignore"} <= set(page.get("class").split())
    words = [element.text for element in page.iter("text")]
    if name in ("CropLab", "CutMixBox", "DistillationLoss", "SoftmaxTemperature"):
        assert any(HOSTILE in word for word in words)
