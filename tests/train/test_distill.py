import copy

import pytest
import torch
import torch.nn.functional as F
from resuming import same, state
from torch import Tensor, nn

from cvcourse.augment import crop_and_flip
from cvcourse.data import ImageSet, render
from cvcourse.losses import distillation_loss
from cvcourse.models import MLP, SmallCNN, standardized
from cvcourse.train import Batch, Recipe, accuracy, fit, predict
from cvcourse.train.distill import ask, distillation
from cvcourse.train.transfer import freeze, replace_head

TRAIN, TEST = render(200, seed=0, size=16), render(300, seed=1, size=16)
RECIPE = Recipe(epochs=1, batch_size=50)


def new_model(width: int = 4, n_classes: int = 10, seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    cnn = SmallCNN(width=width, n_classes=n_classes)
    return standardized(nn.Sequential(cnn, nn.Dropout(0.2)), TRAIN)


def new_teacher() -> nn.Sequential:
    return new_model(width=8, seed=1).eval()


def unlabeled(image_set: ImageSet) -> ImageSet:
    return ImageSet(image_set.images, torch.full((len(image_set),), -1), image_set.class_names)


def batch_of(image_set: ImageSet) -> Batch:
    return Batch(
        image_set.images, image_set.labels, torch.arange(len(image_set)), torch.Generator()
    )


def test_the_teacher_does_not_move_and_only_the_student_gets_gradients() -> None:
    teacher, student = new_teacher(), new_model()
    before, first = state(teacher), state(student)
    fit(student, TRAIN, RECIPE, step=distillation(teacher, alpha=0.5))
    assert same(before, state(teacher))
    assert all(p.grad is None for p in teacher.parameters())
    assert not teacher.training
    assert not same(first, state(student))
    assert all(p.grad is not None for p in student.parameters())
    assert not ask(teacher, TRAIN.images).requires_grad


def test_the_loss_is_the_weighted_sum_of_both_terms() -> None:
    teacher, student = new_teacher(), new_model().eval()
    loss, metrics = distillation(teacher, temperature=3.0, alpha=0.7)(student, batch_of(TRAIN))
    said, wanted = student(TRAIN.images), predict(teacher, TRAIN.images)
    soft = distillation_loss(said, wanted, temperature=3.0)
    torch.testing.assert_close(loss, 0.7 * soft + 0.3 * F.cross_entropy(said, TRAIN.labels))
    agreement = (said.argmax(1) == wanted.argmax(1)).float().mean()
    assert metrics["agreement"] == agreement


def test_a_teacher_in_training_mode_is_refused() -> None:
    teacher = new_teacher()
    teacher[1][1].train()  # its dropout alone
    with pytest.raises(ValueError, match=r"teacher is in training mode.*teacher.eval\(\)"):
        distillation(teacher)


def test_a_teacher_inside_its_student_is_refused() -> None:
    """`fit` calls train() on the student, which wakes all that it holds."""
    teacher = new_teacher()
    wrapper = Wrapper(new_model(), teacher)
    with pytest.raises(ValueError, match="outside the student"):
        fit(wrapper, TRAIN, RECIPE, step=distillation(teacher))


class Wrapper(nn.Module):
    def __init__(self, student: nn.Module, teacher: nn.Module) -> None:
        super().__init__()
        self.student, self.teacher = student, teacher

    def forward(self, images: Tensor) -> Tensor:
        return self.student(images)


def test_cached_logits_are_as_good_as_the_teacher() -> None:
    teacher, live, cached = new_teacher(), new_model(), new_model()
    fit(live, TRAIN, RECIPE, step=distillation(teacher))
    fit(cached, TRAIN, RECIPE, step=distillation(predict(teacher, TRAIN.images)))
    for mine, theirs in zip(live.parameters(), cached.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-5)


def test_the_teacher_sees_what_the_student_sees() -> None:
    seen: dict[str, list[Tensor]] = {"teacher": [], "student": []}
    teacher, student = new_teacher(), new_model()
    for name, model in (("teacher", teacher), ("student", student)):
        model.register_forward_pre_hook(lambda _, inputs, name=name: seen[name].append(inputs[0]))
    fit(student, TRAIN, RECIPE, step=distillation(teacher), augment=crop_and_flip)
    assert len(seen["student"].pop(0)) == 2, "one look before the start"
    assert len(seen["student"]) == 4
    assert all(torch.equal(a, b) for a, b in zip(seen["teacher"], seen["student"], strict=True))


def test_with_alpha_1_no_label_is_looked_at() -> None:
    models = new_model(), new_model()
    for model, train in zip(models, (TRAIN, unlabeled(TRAIN)), strict=True):
        fit(model, train, RECIPE, step=distillation(new_teacher()))
    assert same(state(models[0]), state(models[1]))


def test_below_1_the_labels_there_are_count() -> None:
    some = TRAIN.labels.clone()
    some[100:] = -1
    models = new_model(), new_model()
    for model, labels in zip(models, (some, torch.full_like(some, -1)), strict=True):
        train = ImageSet(TRAIN.images, labels, TRAIN.class_names)
        history = fit(model, train, RECIPE, step=distillation(new_teacher(), alpha=0.5))
        assert history.column("loss")[-1] > 0
    assert not same(state(models[0]), state(models[1]))


def test_other_classes_need_another_head() -> None:
    with pytest.raises(ValueError, match=r"\(50, 10\), teacher logits \(50, 3\).*replace_head"):
        fit(new_model(), TRAIN, RECIPE, step=distillation(new_model(n_classes=3).eval()))


def test_a_student_learns_from_a_teacher_without_any_label() -> None:
    train = render(1000, seed=0, size=16)
    teacher = standardized(SmallCNN(width=16), train)
    fit(teacher, train, Recipe(epochs=8, batch_size=50, learning_rate=1e-2))
    before = accuracy(teacher, TEST)
    torch.manual_seed(0)
    student = standardized(MLP(size=16), train)
    recipe = Recipe(epochs=10, batch_size=50, learning_rate=2e-3)
    history = fit(student, unlabeled(train), recipe, step=distillation(teacher))
    assert history.column("agreement")[-1] > 0.8
    assert accuracy(student, TEST) > 0.6
    assert accuracy(teacher, TEST) == before > 0.8


def test_a_teacher_of_other_classes_gives_a_student_features() -> None:
    """The teacher knows five classes; the student needs the other five, and has few labels."""
    whole, test = render(1600, seed=0, size=16), render(600, seed=2, size=16)

    def those(image_set: ImageSet, first: int) -> ImageSet:
        chosen = image_set[(image_set.labels >= first) & (image_set.labels < first + 5)]
        names = chosen.class_names[first : first + 5]
        return ImageSet(chosen.images, chosen.labels - first, names)

    torch.manual_seed(0)
    teacher = standardized(SmallCNN(n_classes=5), whole)
    fit(teacher, those(whole, 0), Recipe(epochs=8, batch_size=64, learning_rate=1e-2))
    plain = standardized(SmallCNN(n_classes=5, width=8), whole)
    taught = copy.deepcopy(plain)
    wanted = those(whole, 5)  # the teacher never saw any of these
    fit(taught, unlabeled(wanted), Recipe(epochs=8, batch_size=64), step=distillation(teacher))
    scores = []
    for student in (plain, taught):
        freeze(student.get_submodule("1.features"))
        replace_head(student, 5)
        fit(student, wanted[:30], Recipe(epochs=60, batch_size=30, learning_rate=3e-2))
        scores.append(accuracy(student, those(test, 5)))
    assert scores[1] > scores[0] + 0.15


def test_left_to_itself_it_follows_the_teacher_alone_at_temperature_4() -> None:
    teacher, student = new_teacher(), new_model().eval()
    batch = batch_of(TRAIN)
    batch.labels = torch.full((len(TRAIN),), 99)  # of another set of classes: not looked at
    loss, _ = distillation(teacher)(student, batch)
    expected = distillation_loss(
        student(TRAIN.images), predict(teacher, TRAIN.images), temperature=4
    )
    torch.testing.assert_close(loss, expected)


def test_agreement_is_image_by_image() -> None:
    said = torch.tensor([[0.0, 1.0, 2.0], [3.0, 1.0, 0.0], [0.0, 5.0, 1.0], [1.0, 0.0, 0.0]])
    batch = Batch(said, torch.zeros(4, dtype=torch.int64), torch.arange(4), torch.Generator())
    for changed, share in ((said, 1.0), (said.roll(1, dims=1), 0.0)):
        _, metrics = distillation(changed)(nn.Identity(), batch)
        assert metrics["agreement"] == share
    mixed = torch.cat([said[:3], said[3:].roll(1, dims=1)])
    assert distillation(mixed)(nn.Identity(), batch)[1]["agreement"] == 0.75


def test_whoever_gives_no_rows_of_floats_is_named() -> None:
    with pytest.raises(ValueError, match=r"^teacher gives .* expected a tensor of floats"):
        distillation(torch.zeros(4, 3, dtype=torch.int64))
    with pytest.raises(ValueError, match=r"^the teacher gives .* expected a tensor of floats"):
        ask(nn.Flatten().eval(), torch.zeros(2, 3, dtype=torch.uint8))


@pytest.mark.parametrize(("progress", "n_classes"), [(0.0, 3), (0.5, None)])
def test_a_teachers_nan_is_found_at_the_first_step_and_in_any_batch_made_by_hand(
    progress: float, n_classes: int | None
) -> None:
    batch = batch_of(TRAIN[:4])
    batch.images, batch.progress, batch.n_classes = torch.zeros(4, 3), progress, n_classes
    teacher = nn.Linear(3, 3).eval()
    nn.init.constant_(teacher.bias, torch.nan)
    with pytest.raises(ValueError, match="the teacher answers NaN or infinity for 4 of 4"):
        distillation(teacher)(nn.Linear(3, 3), batch)
