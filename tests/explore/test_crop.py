import numpy as np
import pytest
import torch
from traitlets import TraitError

from cvcourse.data import Scene, render
from cvcourse.explore import CropLab
from cvcourse.models import SingleLayer, SmallCNN, standardized


@pytest.fixture(scope="module")
def models() -> dict[str, torch.nn.Module]:
    torch.manual_seed(0)
    train = render(50, seed=1)
    arms = {"single layer": SingleLayer(), "CNN": SmallCNN()}
    return {name: standardized(model, train).eval() for name, model in arms.items()}


@pytest.fixture
def piece(models: dict[str, torch.nn.Module]) -> CropLab:
    return CropLab(models, render(3, Scene(background="noise"), seed=0))


def test_browser_sees_and_says_what_python_does(piece: CropLab, compute) -> None:
    rng = np.random.default_rng(0)
    states, expected = [], []
    for _ in range(60):
        piece.picture, piece.level = int(rng.integers(3)), int(rng.integers(3))
        piece.mode = str(rng.choice(["window", "occluder"]))
        piece.place = [int(i) for i in rng.integers(0, 9, 2)]
        states.append(piece.state())
        expected.append((piece.seen, piece.probabilities))
    for found, (seen, probabilities) in zip(compute(CropLab, states), expected, strict=True):
        assert found["seen"] == seen.flatten().tolist()
        assert np.array(found["probabilities"]) == pytest.approx(
            np.array(list(probabilities.values())), abs=1e-6
        )


def test_predictions_are_the_models_own(piece: CropLab, models, compute) -> None:
    piece.mode, piece.level, piece.picture = "occluder", 2, 1
    rights = compute(CropLab, [piece.state()])[0]["right"]
    for arm, model in enumerate(models.values()):
        for cell in range(81):
            piece.place = [cell // 9, cell % 9]
            batch = torch.from_numpy(piece.seen.copy()).permute(2, 0, 1)[None]
            with torch.no_grad():
                p = model(batch).softmax(1)[0].double().numpy()
            assert piece.probabilities[piece.arms[arm]] == pytest.approx(p, abs=0.5 / 255 + 1e-4)
            if np.diff(np.sort(p))[-1] > 0.01:  # rounding cannot turn it
                assert rights[arm][cell] == (p.argmax() == piece.labels[1])


def test_the_whole_window_is_the_picture_and_shifts_move_it(piece: CropLab) -> None:
    assert np.array_equal(piece.seen, piece.images[0])
    piece.place = [5, 2]  # 3 pixels down, 6 to the left
    assert np.array_equal(piece.seen[:-3, 6:], piece.images[0][3:, :-6])
    piece.mode, piece.place = "occluder", [0, 0]
    same = (piece.seen == piece.images[0]).all(axis=2)
    assert same[16:].all()
    assert same[:, 16:].all()
    assert (piece.seen[:10, :10] == 128).all()


def test_frame_size_and_picture_can_be_changed(piece: CropLab, show, source: str) -> None:
    tab = show(piece, source=source)
    summary = tab.locator(".cvx-summary")
    assert "window 0 pixels down, 0 across" in summary.inner_text()
    frame = tab.get_by_role("application")
    frame.press("ArrowLeft")
    frame.press("Shift+ArrowDown")  # as far as it goes
    assert "window 12 pixels down, −3 across" in summary.inner_text()
    box = frame.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.mouse.move(x, y)
    tab.mouse.down()
    tab.mouse.move(x + box["width"] * 3 / 64, y, steps=3)  # 3 of 64 pixels
    tab.mouse.up()
    assert "window 0 pixels down, 3 across" in summary.inner_text()
    tab.get_by_role("button", name="an occluder").click()
    tab.get_by_label("Size of the window or occluder").press("End")
    tab.get_by_role("button", name=f"3 {piece.names[piece.labels[2]]}").click()
    piece.picture, piece.mode, piece.level, piece.place = 2, "occluder", 2, [4, 5]
    assert f"A {piece.names[piece.labels[2]]}; occluder 0 pixels down" in summary.inner_text()
    shown = tab.locator("canvas").nth(1)
    pixels = "c => [...c.getContext('2d').getImageData(0, 0, 32, 32).data]"
    found = np.reshape(shown.evaluate(pixels), (32, 32, 4))
    assert np.array_equal(found[..., :3], piece.seen)
    for arm, p in piece.probabilities.items():
        assert f"the {arm} says “{piece.names[p.argmax()]}”" in summary.inner_text()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": "zoom"}, "mode is 'zoom'; expected one of 'window', 'occluder'"),
        ({"picture": 3}, "picture is 3; expected 0 to 2"),
        ({"place": [0, 9]}, r"place\[1\] is 9; expected 0 to 8"),
    ],
)
def test_mistakes_are_named(change: dict, message: str, piece: CropLab) -> None:
    (name, value), *_ = change.items()
    with pytest.raises(TraitError, match=message):
        setattr(piece, name, value)


def test_too_many_pictures_or_models(models) -> None:
    with pytest.raises(TraitError, match=r"pictures have shape \(7, 3, 32, 32\)"):
        CropLab(models, render(7, seed=0))
    with pytest.raises(TraitError, match="there are 1 models; expected 2"):
        CropLab({"CNN": models["CNN"]}, render(2, seed=0))


@pytest.mark.parametrize("outputs", [10, 5], ids=["NaN", "other classes"])
def test_a_model_without_answers_has_no_lab(models, outputs: int) -> None:
    odd = standardized(SingleLayer, render(20), n_classes=outputs)
    if outputs == 10:
        next(odd.parameters()).data.fill_(np.nan)
    with pytest.raises(TraitError, match=r"the model 'odd' answers .*, or NaN"):
        CropLab({"CNN": models["CNN"], "odd": odd}, render(2, seed=0))
