import cv2
import numpy as np
import pytest
import torch

from cvcourse.augment import RandAugment
from cvcourse.augment.randaugment import OPERATIONS
from cvcourse.data.photographs import photographs

SIZE = (36, 44)
PICTURES = [
    cv2.resize(picture, SIZE[::-1], interpolation=cv2.INTER_AREA)
    for picture in photographs().values()
]
IMAGES = torch.from_numpy(np.stack(PICTURES)).permute(0, 3, 1, 2).contiguous()
WITHOUT_STRENGTH = ("identity", "autocontrast", "equalize")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def all_with(name: str, m: float, up: bool) -> torch.Tensor:
    shape = (1, len(IMAGES))
    chosen = torch.full(shape, OPERATIONS.index(name))
    return RandAugment(1, m).on_batch(IMAGES, chosen, torch.full(shape, up))


@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize("name", OPERATIONS)
def test_larger_strength_changes_more(name: str, up: bool) -> None:
    change = [
        float((all_with(name, m, up).float() - IMAGES.float()).abs().mean())
        for m in (0, 3, 9, 15, 21, 30)
    ]
    if name in WITHOUT_STRENGTH:
        assert len(set(change)) == 1
    elif name == "posterize":  # whole bits: 8, 8, 7, 6, 5, 4
        assert change[0] == change[1] == 0
        assert all(np.diff(change[1:]) > 0)
    else:
        assert change[0] == 0
        assert all(np.diff(change) > 0)
    if name in ("posterize", "solarize"):
        levels = all_with(name, 30, up)
        assert levels.float().std() > 20  # no picture is blacked out
    if name == "solarize":
        assert torch.equal(levels, 255 - IMAGES)


def test_the_ranges_are_autoaugments() -> None:
    def at(name: str, *place: int) -> int:
        return int(all_with(name, 30, True)[0][place])

    white = torch.full((1, 3, 331, 331), 255, dtype=torch.uint8)
    shifted = RandAugment(1, 30, fill=0).on_batch(
        white, torch.tensor([[OPERATIONS.index("translate_x")]]), torch.tensor([[True]])
    )
    assert (shifted[0, 0, 5] == 0).sum() == 150
    gap = all_with("brightness", 30, True) - (IMAGES * 1.9).clamp(0, 255)
    assert gap.abs().max() <= 0.5 + 1e-3
    assert at("posterize", 0, 3, 4) == int(IMAGES[0, 0, 3, 4]) & 0xF0
    lean = RandAugment(1, 30, fill=0).on_batch(
        white, torch.tensor([[OPERATIONS.index("shear_x")]]), torch.tensor([[True]])
    )
    top, middle = ((lean[0, 0, row] == 0).sum() for row in (0, 165))
    assert abs(int(top) - 0.3 * 165) <= 1
    assert middle == 0


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_single_and_batch_do_the_same(n: int) -> None:
    augment = RandAugment(n, 12)
    chosen = torch.randint(len(OPERATIONS), (n, len(IMAGES)), generator=generator(n))
    up = torch.rand(n, len(IMAGES), generator=generator(n)) < 0.5
    together = augment.on_batch(IMAGES, chosen, up)
    for i, picture in enumerate(PICTURES):
        alone = augment.on_image(picture, chosen[:, i].tolist(), up[:, i].tolist())
        gap = np.abs(alone.astype(int) - together[i].permute(1, 2, 0).numpy().astype(int))
        # A level of rounding, carried on: solarize and equalize make jumps of it here and there.
        assert (gap <= 6).mean() > 0.97
        assert gap.mean() < 1.5


def test_random_strengths_are_uniform_and_each_operations_own() -> None:
    augment, flat = RandAugment(2, m="random"), IMAGES[:1].expand(900, -1, -1, -1)
    chosen = torch.randint(len(OPERATIONS), (2, 900), generator=generator(4))
    drawn = generator(4)
    torch.randint(len(OPERATIONS), (2, 900), generator=drawn)
    up = torch.rand(2, 900, generator=drawn) < 0.5
    strength = torch.rand(2, 900, generator=drawn) * 30
    together = augment(flat, generator(4))
    assert torch.equal(together, augment.on_batch(flat, chosen, up, strength))
    for i in range(0, 900, 45):
        alone = augment.on_image(PICTURES[0], *(v[:, i].tolist() for v in (chosen, up, strength)))
        gap = np.abs(alone.astype(int) - together[i].permute(1, 2, 0).numpy().astype(int))
        assert (gap <= 6).mean() > 0.97


@pytest.mark.parametrize("m", [0, 9, 30])
def test_given_strengths_take_the_place_of_m(m: float) -> None:
    shape = (2, len(IMAGES))
    chosen = torch.randint(len(OPERATIONS), shape, generator=generator(1))
    up = torch.rand(shape, generator=generator(1)) < 0.5
    by_m = RandAugment(2, m).on_batch(IMAGES, chosen, up)
    for augment in (RandAugment(2, m="random"), RandAugment(2, 17)):
        given = augment.on_batch(IMAGES, chosen, up, torch.full(shape, float(m)))
        assert (given.int() - by_m.int()).abs().max() <= 6  # a rounding, and what follows
        assert (given != by_m).float().mean() < 0.01
        alone = augment.on_image(PICTURES[1], [5, 11], [True, False], [m, m])
        assert np.array_equal(
            alone, RandAugment(2, m).on_image(PICTURES[1], [5, 11], [True, False])
        )


def test_random_strengths_must_come_from_somewhere() -> None:
    nothing = torch.zeros(1, len(IMAGES), dtype=torch.int64)
    augment = RandAugment(1, m="random")
    for call in (
        lambda: augment.on_batch(IMAGES, nothing, nothing > 0),
        lambda: augment.on_image(PICTURES[0], [3], [True]),
    ):
        with pytest.raises(ValueError, match='m is "random"; expected the strength of each'):
            call()


def test_one_image_draws_a_strength_for_each_operation() -> None:
    rng = np.random.default_rng(8)
    chosen, up = rng.integers(14, size=3).tolist(), (rng.random(3) < 0.5).tolist()
    augment, strength = RandAugment(3, m="random"), rng.uniform(0, 30, 3).tolist()
    alone = augment.one(PICTURES[2], np.random.default_rng(8))
    assert np.array_equal(alone, augment.on_image(PICTURES[2], chosen, up, strength))


def test_it_follows_its_generator_and_leaves_the_input_alone() -> None:
    copy = IMAGES.clone()
    augment = RandAugment()
    one, same, other = (augment(IMAGES, generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert torch.equal(IMAGES, copy)
    assert one.shape == IMAGES.shape
    first, again = (augment.one(PICTURES[0], np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, again)
    nothing = RandAugment(0).one(PICTURES[0], np.random.default_rng(3))
    assert np.array_equal(nothing, PICTURES[0])
    assert not np.shares_memory(nothing, PICTURES[0])


def test_every_image_has_its_own_draw_of_every_operation() -> None:
    same = IMAGES[:1].expand(600, -1, -1, -1)
    kinds = {image.numpy().tobytes() for image in RandAugment(1, 20)(same, generator())}
    assert len(kinds) == 9 * 2 + 2 + 3  # of two directions, of one, without strength


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (7, 2), (5, 9)])
def test_any_size_and_colours(channels: int, size: tuple[int, int]) -> None:
    images = torch.randint(0, 256, (64, channels, *size), dtype=torch.uint8)
    augmented = RandAugment(3, 30)(images, generator())
    assert augmented.shape == images.shape
    assert augmented.dtype == torch.uint8
    assert RandAugment()(images[:0], generator()).shape == (0, channels, *size)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": -1}, "n is -1; expected at least 0"),
        ({"m": 31}, "m is 31; expected 0 to 30"),
        ({"m": float("nan")}, "m is nan"),
        ({"fill": 300}, "fill is 300"),
        ({"m": float("inf")}, 'm is inf; expected 0 to 30 \\(or "random"\\)'),
    ],
)
def test_absurd_settings_are_refused(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RandAugment(**arguments)
