"""Answers as learners write them, and what each ought to be told.

They were written from the texts of the exercises, before the code that recognises mistakes was
looked at. Keep it so: an answer belongs here because somebody would write it, and its diagnosis is
what a teacher would say of it. `test_answers` says what is made of them.
"""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from scipy import stats
from torch import Tensor, nn
from torchvision.ops import generalized_box_iou_loss


def conv_with_loops(image: Any, kernel: Any) -> Any:
    image, kernel = np.asarray(image), np.asarray(kernel)
    size = kernel.shape[0]
    out = np.zeros((image.shape[0] - size + 1, image.shape[1] - size + 1))
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            out[y, x] = (image[y : y + size, x : x + size] * kernel).sum()
    return out


def conv_swapped(image: Tensor, kernel: Tensor) -> Tensor:
    size = len(kernel)
    out = torch.zeros(image.shape[1] - size + 1, image.shape[0] - size + 1)
    for y in range(out.shape[1]):
        for x in range(out.shape[0]):
            out[x, y] = (image[y : y + size, x : x + size] * kernel).sum()
    return out


def conv_valid_less_one(image: Tensor, kernel: Tensor) -> Tensor:
    size = len(kernel)
    rows = [
        torch.stack([(image[y : y + size, x : x + size] * kernel).sum() for x in range(size)])
        for y in range(size)
    ]
    return torch.stack(rows)


def box_numpy(mask: Any) -> Any:
    mask = np.asarray(mask)
    ys, xs = np.where(mask)
    h, w = mask.shape
    x0, x1, y0, y1 = xs.min(), xs.max() + 1, ys.min(), ys.max() + 1
    return [(x0 + x1) / 2 / w, (y0 + y1) / 2 / h, (x1 - x0) / w, (y1 - y0) / h]


def box(mask: Tensor, ends: int = 1, swap: bool = False, corner: bool = False) -> list[Any]:
    ys, xs = mask.nonzero().unbind(dim=1)
    h, w = (mask.shape[1], mask.shape[0]) if swap else mask.shape
    x0, x1, y0, y1 = xs.min(), xs.max() + ends, ys.min(), ys.max() + ends
    if corner:
        return [x0 / w, y0 / h, x1 / w, y1 / h]
    return [(x0 + x1) / 2 / w, (y0 + y1) / 2 / h, (x1 - x0) / w, (y1 - y0) / h]


def improve_list(start: Tensor, error: Any) -> list[float]:
    best, step = start.clone(), 0.08
    low = float(error(best))
    while step > 1e-4:
        moved = False
        for i in range(4):
            for sign in (1, -1):
                new = best.clone()
                new[i] += sign * step
                e = float(error(new))
                if e < low:
                    best, low, moved = new, e, True
        if not moved:
            step /= 2
    return best.tolist()


def improve_randomly(start: Tensor, error: Any) -> Tensor:
    for _ in range(50):
        tried = start + 0.01
        start = min(start, tried, key=error)
    return start


def improve_forever(start: Tensor, error: Any) -> Tensor:
    for _ in range(3000):
        error(start)
    return start


def improve_in_place(start: Tensor, error: Any) -> float:
    return error(start)


def nearest_loops(queries: Any, stored: Any, labels: Any) -> Any:
    found = []
    for q in queries:
        best, where = math.inf, 0
        for i, s in enumerate(stored):
            d = ((q.double() - s.double()) ** 2).sum().item()
            if d < best:
                best, where = d, i
        found.append(int(labels[where]))
    return found


def loo_loops(vectors: Tensor, labels: Tensor) -> Any:
    right = 0
    for i in range(len(vectors)):
        others = [j for j in range(len(vectors)) if j != i]
        d = [float((vectors[i] - vectors[j]).norm()) for j in others]
        right += int(labels[others[int(np.argmin(d))]] == labels[i])
    return Fraction(right, len(vectors))


def loo(vectors: Tensor, labels: Tensor, diagonal: float = math.inf, largest: bool = False) -> Any:
    d = torch.cdist(vectors, vectors)
    d.fill_diagonal_(diagonal)
    return (labels[d.argmax(1) if largest else d.argmin(1)] == labels).float().mean()


def linear_module(images: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    layer.weight.data, layer.bias.data = weight, bias
    return layer(images.flatten(1))


def ce_loop(scores: Tensor, labels: Tensor) -> Any:
    total = 0.0
    for row, label in zip(scores, labels, strict=True):
        total += float(torch.logsumexp(row.double(), 0) - row[label])
    return total / len(labels)


def ce_gradient(scores: Tensor, labels: Tensor) -> Tensor:
    scores = scores.clone().requires_grad_()
    logp = scores - scores.max(dim=1, keepdim=True).values
    logp = logp - logp.exp().sum(dim=1, keepdim=True).log()
    return -logp[range(len(labels)), labels].mean().reshape(1)


def ce_gather(scores: Tensor, labels: Tensor, *, dim: int = 1, mean: bool = True) -> Tensor:
    chosen = scores.log_softmax(dim=dim)[torch.arange(len(labels)), labels]
    return -chosen.mean() if mean else -chosen.sum()


def means(vectors: Tensor, labels: Tensor) -> Tensor:
    return torch.stack([vectors[labels == c].mean(dim=0) for c in range(10)])


def means_numpy(vectors: Any, labels: Any) -> list[Any]:
    w = means(vectors, labels).numpy()
    return [w, -0.5 * (w**2).sum(1)]


def trained(vectors: Tensor, labels: Tensor) -> list[Any]:
    layer = nn.Linear(vectors.shape[1], 10)
    adam = torch.optim.Adam(layer.parameters(), lr=1e-3)
    for _ in range(150):
        adam.zero_grad()
        F.cross_entropy(layer(vectors), labels).backward()
        adam.step()
    return [layer.weight.detach(), layer.bias.detach()]


def trained_by_hand(vectors: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    w, b = torch.zeros(10, vectors.shape[1]), torch.zeros(10)
    w.requires_grad_(), b.requires_grad_()
    for _ in range(300):
        loss = F.cross_entropy(vectors @ w.T + b, labels)
        dw, db = torch.autograd.grad(loss, [w, b])
        with torch.no_grad():
            w -= 0.02 * dw
            b -= 0.02 * db
    return w.detach(), b.detach()


def two_halves_numpy(images: Tensor, weight: Tensor) -> Any:
    c, k = images.shape[1] // 2, weight.shape[0] // 2
    first = F.conv2d(images[:, :c], weight[:k], padding="same")
    return np.concatenate(
        [first.numpy(), F.conv2d(images[:, c:], weight[k:], padding="same").numpy()], axis=1
    )


def halves(
    images: Tensor, weight: Tensor, pad: int = 1, dim: int = 1, swap: bool = False
) -> Tensor:
    c, k = images.shape[1] // 2, weight.shape[0] // 2
    first, second = (weight[k:], weight[:k]) if swap else (weight[:k], weight[k:])
    return torch.cat(
        [F.conv2d(images[:, :c], first, padding=pad), F.conv2d(images[:, c:], second, padding=pad)],
        dim=dim,
    )


def top_loop(scores: Tensor, labels: Tensor, k: int) -> Any:
    missed = 0
    for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
        best = sorted(range(len(row)), key=lambda i: -row[i])[:k]
        missed += label not in best
    return missed / len(labels)


def chain(layers: Any, unit: int, *, grow_last: bool = False, **skip: bool) -> Any:
    size, jump, start = 1, 1, 0
    for k, s, p, d in layers:
        d = 1 if skip.get("dilation") else d
        p = 0 if skip.get("padding") else p
        if grow_last:
            jump *= s
        size += (k - 1) * d * jump
        start -= p * jump
        if not grow_last:
            jump *= s
    first = start + unit * (1 if skip.get("jump") else jump)
    return first, first + size - (0 if skip.get("inclusive") else 1)


def backwards(layers: Any, unit: int) -> list[Fraction]:
    first = last = unit
    for k, s, p, d in reversed(layers):
        first, last = first * s - p, last * s - p + (k - 1) * d
    return [Fraction(first), Fraction(last)]


def share_numpy(gradient: Any, level: float) -> Any:
    a = np.sort(np.abs(np.asarray(gradient, dtype=float)).ravel())[::-1]
    c = np.cumsum(a) / a.sum()
    return (np.argmax(c >= level) + 1) / a.size


def share(gradient: Tensor, level: float, power: int = 1, signed: bool = False) -> Any:
    values = gradient.flatten() if signed else gradient.abs().flatten() ** power
    falling = values.sort(descending=True).values
    held = falling.cumsum(0) / falling.sum()
    return ((held < level).sum() + 1) / len(held)


def giou(a: Tensor, b: Tensor, clamp: bool = True, plus_one: int = 0, **leave_out: bool) -> Tensor:
    top, low = torch.max(a[:, :2], b[:, :2]), torch.min(a[:, 2:], b[:, 2:])
    size = low - top + plus_one
    if clamp:
        size = size.clamp(min=0)
    inter = size[:, 0] * size[:, 1]
    area = lambda box: (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])  # noqa: E731
    union = area(a) + area(b) - (0 if leave_out.get("union") else inter)
    if leave_out.get("hull"):
        return 1 - inter / union
    hull = area(torch.cat([torch.min(a, b)[:, :2], torch.max(a, b)[:, 2:]], dim=1))
    if leave_out.get("of_union"):
        return 1 - (inter / union - (hull - union) / union)
    if leave_out.get("loss"):
        return inter / union - (hull - union) / hull
    if leave_out.get("sign"):
        return 1 - (inter / union + (hull - union) / hull)
    return 1 - (inter / union - (hull - union) / hull)


def borrow_try(backbone: nn.Module, images: Tensor) -> Tensor:
    modes = {module: module.training for module in backbone.modules()}
    try:
        backbone.eval()
        with torch.inference_mode():
            return backbone(images).clone()
    finally:
        for module, mode in modes.items():
            module.training = mode


def borrow_no_eval(backbone: nn.Module, images: Tensor) -> Tensor:
    with torch.no_grad():
        return backbone(images)


def borrow_left_in_eval(backbone: nn.Module, images: Tensor) -> Tensor:
    backbone.eval()
    with torch.no_grad():
        return backbone(images)


def borrow_with_gradient(backbone: nn.Module, images: Tensor) -> Tensor:
    backbone.eval()
    out = backbone(images)
    backbone.train()
    return out


def borrow_frozen(backbone: nn.Module, images: Tensor) -> Tensor:
    backbone.eval()
    for parameter in backbone.parameters():
        parameter.requires_grad = False
    out = backbone(images)
    backbone.train()
    return out


def flip_in_place(boxes: Tensor, width: int) -> Tensor:
    boxes[:, 0], boxes[:, 2] = width - boxes[:, 2], width - boxes[:, 0]
    return boxes


def flip_overwritten(boxes: Tensor, width: int) -> Tensor:
    out = boxes.clone()
    out[:, 0] = width - out[:, 2]
    out[:, 2] = width - out[:, 0]
    return out


def flip_view(boxes: Tensor, width: int) -> Tensor:
    out = boxes.clone()
    x0, x1 = out[:, 0], out[:, 2]
    out[:, 0] = width - x1
    out[:, 2] = width - x0
    return out


def middle(matrix: Any, cx: float, cy: float, order: str = "back") -> Any:
    there = torch.tensor([[1, 0, -cx], [0, 1, -cy], [0, 0, 1.0]])
    back = torch.tensor([[1, 0, cx], [0, 1, cy], [0, 0, 1.0]])
    matrix = torch.as_tensor(matrix).float()
    return {
        "back": back @ matrix @ there,
        "there": there @ matrix @ back,
        "once": back @ matrix,
        "twice": matrix @ there,
        "rows": there @ back @ matrix,
    }[order]


def middle_numpy(matrix: Any, width: int, height: int) -> Any:
    m = np.array(matrix, dtype=float)
    c = np.array([(width - 1) / 2, (height - 1) / 2])
    m[:2, 2] += c - m[:2, :2] @ c
    return m


def paste(images: Any, partners: Any, x0: int, y0: int, x1: int, y1: int, *, how: str = "") -> Any:
    out = images.clone()
    match how:
        case "swapped":
            out[:, :, x0:x1, y0:y1] = images[partners][:, :, x0:x1, y0:y1]
        case "inclusive":
            out[:, :, y0 : y1 + 1, x0 : x1 + 1] = images[partners][:, :, y0 : y1 + 1, x0 : x1 + 1]
        case "outside":
            out = images[partners].clone()
            out[:, :, y0:y1, x0:x1] = images[:, :, y0:y1, x0:x1]
        case "own":
            out[partners, :, y0:y1, x0:x1] = images[:, :, y0:y1, x0:x1]
        case "loop":
            for i, j in enumerate(partners):
                out[i, :, y0:y1, x0:x1] = out[j, :, y0:y1, x0:x1]
        case "in place":
            images[:, :, y0:y1, x0:x1] = images[partners][:, :, y0:y1, x0:x1]
            out = images
        case "":
            out[:, :, y0:y1, x0:x1] = images[partners][:, :, y0:y1, x0:x1]
    return out


def paste_numpy(images: Any, partners: Any, x0: int, y0: int, x1: int, y1: int) -> Any:
    images = np.asarray(images)
    out = images.copy()
    for i, j in enumerate(partners.tolist()):
        out[i, :, y0:y1, x0:x1] = images[j, :, y0:y1, x0:x1]
    return out


def targets_loop(labels: Tensor, partners: Tensor, share: float, n_classes: int) -> list[Any]:
    rows = [[0.0] * n_classes for _ in labels]
    for i, j in enumerate(partners.tolist()):
        rows[i][int(labels[i])] += share
        rows[i][int(labels[j])] += 1 - share
    return rows


def targets_set(labels: Tensor, partners: Tensor, share: float, n_classes: int) -> Tensor:
    rows = torch.zeros(len(labels), n_classes)
    rows[range(len(labels)), labels] = share
    rows[range(len(labels)), labels[partners]] = 1 - share
    return rows


def groups_named(model: nn.Module, head: nn.Module, rate: float) -> Any:
    own = set(head.parameters())
    return (
        {"params": head.parameters(), "lr": rate},
        {"params": [p for p in model.parameters() if p not in own], "lr": rate * 0.1},
    )


def groups_swapped(model: nn.Module, head: nn.Module, rate: float) -> Any:
    own = set(head.parameters())
    return [
        {"params": list(head.parameters()), "lr": rate / 10},
        {"params": [p for p in model.parameters() if p not in own], "lr": rate},
    ]


def groups_twice(model: nn.Module, head: nn.Module, rate: float) -> Any:
    return [
        {"params": list(model.parameters()), "lr": rate / 10},
        {"params": list(head.parameters()), "lr": rate},
    ]


def groups_no_rate(model: nn.Module, head: nn.Module, rate: float) -> Any:
    own = set(head.parameters())
    return [
        {"params": list(head.parameters()), "lr": rate},
        {"params": [p for p in model.parameters() if p not in own], "lr": 0.0},
    ]


def kl(student: Tensor, teacher: Tensor, t: float, **options: Any) -> Tensor:
    return F.kl_div(
        (student / t).log_softmax(1), (teacher / t).softmax(1), reduction="batchmean", **options
    )


def probs(z: Tensor, t: float = 1.0) -> Tensor:
    return (z / t).softmax(dim=1)


def logs(z: Tensor, t: float = 1.0) -> Tensor:
    return (z / t).log_softmax(dim=1)


def teach_numpy(student: Any, teacher: Any, t: float) -> float:
    s, p = (np.asarray(z, dtype=np.float64) / t for z in (student, teacher))
    s = s - s.max(1, keepdims=True)
    p = p - p.max(1, keepdims=True)
    ls = s - np.log(np.exp(s).sum(1, keepdims=True))
    lp = p - np.log(np.exp(p).sum(1, keepdims=True))
    return t * t * float((np.exp(lp) * (lp - ls)).sum(1).mean())


def sure(logits: Tensor, threshold: float) -> list[int]:
    out = []
    for row in logits:
        p = row.softmax(0)
        out.append(int(p.argmax()) if p.max() >= threshold else -1)
    return out


def sure_where(logits: Any, threshold: float, *, how: str = "") -> Any:
    p = logits.softmax(dim=0 if how == "axis" else 1)
    confidence, classes = p.max(dim=1)
    match how:
        case "logits":
            confidence, classes = logits.max(dim=1)
        case "above":
            return torch.where(confidence < threshold, classes, -1)
        case "zero":
            return torch.where(confidence >= threshold, classes, 0)
        case "drop":
            return classes[confidence >= threshold]
        case "confidence":
            return torch.where(confidence >= threshold, confidence, -1.0)
        case "float":
            return torch.where(confidence >= threshold, classes.float(), -1.0)
        case "all":
            return classes
        case "mask":
            return confidence >= threshold
    return torch.where(confidence >= threshold, classes, -1)


def gaps(logits: Tensor, labels: Tensor) -> Any:
    has = labels >= 0
    if has.sum() == 0:
        return 0
    return F.cross_entropy(logits, labels, ignore_index=-1, reduction="sum") / has.sum()


def gaps_masked(logits: Tensor, labels: Tensor, *, over: str = "given") -> Any:
    has = (labels >= 0).float()
    each = F.cross_entropy(logits, labels.clamp(min=0), reduction="none") * has
    if over == "all":
        return each.mean()
    if over == "sum":
        return each.sum()
    return each.sum() / has.sum().clamp(min=1)


def chain_of_teachers(scores: Any) -> Any:
    best, out = 0, []
    for i, s in enumerate(scores):
        if s > scores[best]:
            best = i
        if i:
            out.append(best)
    return np.array(out)


def teachers(scores: Any, how: str) -> Any:
    teacher, out = 0, []
    for i in range(1, len(scores)):
        match how:
            case "previous":
                teacher = i if scores[i] > scores[i - 1] else teacher
            case "ties":
                teacher = i if scores[i] >= scores[teacher] else teacher
            case "first":
                teacher = i if scores[i] > scores[0] else teacher
        out.append(teacher)
    return out


def needed(counts: Any, curve: Any, goal: float, how: str = "") -> Any:
    for i, reached in enumerate(curve):
        if reached >= goal:
            if i == 0:
                return counts[0]
            share = (goal - curve[i - 1]) / (reached - curve[i - 1])
            match how:
                case "linear":
                    return counts[i - 1] + share * (counts[i] - counts[i - 1])
                case "point":
                    return counts[i]
                case "before":
                    return counts[i - 1]
                case "flipped":
                    share = 1 - share
                case "log":
                    return math.log(counts[i - 1]) + share * math.log(counts[i] / counts[i - 1])
                case "half":
                    share = 0.5
            return math.exp((1 - share) * math.log(counts[i - 1]) + share * math.log(counts[i]))
    return {"none": None, "last": counts[-1], "nan": float("nan")}.get(how, np.inf)


def needed_interp(counts: Any, curve: Any, goal: float) -> Any:
    """Straight lines through a curve that may fall again find another crossing."""
    for (n0, n1), (a0, a1) in zip(pairwise(counts), pairwise(curve), strict=True):
        if a0 >= goal:
            return torch.tensor(float(n0))
        if a0 < goal <= a1:
            return 10 ** float(np.interp(goal, [a0, a1], np.log10([n0, n1])))
    return float("inf")


def gap(method: Any, baseline: Any, how: str = "") -> Any:
    d = np.asarray(method, dtype=float) - np.asarray(baseline, dtype=float)
    n = len(d)
    t = stats.t.ppf(0.975, n - 1)
    spread = d.std(ddof=1)
    match how:
        case "normal":
            t = 1.96
        case "population":
            spread = d.std()
        case "deviation":
            return d.mean() - t * spread, d.mean() + t * spread
        case "one sided":
            t = stats.t.ppf(0.95, n - 1)
        case "df":
            t = stats.t.ppf(0.975, n)
        case "negative":
            d = -d
        case "half":
            return d.mean(), t * spread / n**0.5
        case "quantile":
            return np.quantile(d, 0.025), np.quantile(d, 0.975)
        case "extremes":
            return d.min(), d.max()
        case "unpaired":
            r = stats.ttest_ind(np.asarray(method), np.asarray(baseline)).confidence_interval(0.95)
            return r.low, r.high
        case "swapped":
            return d.mean() + t * spread / n**0.5, d.mean() - t * spread / n**0.5
    half = t * spread / math.sqrt(n)
    return [d.mean() - half, d.mean() + half]


def buy(how: str = "") -> Any:
    def spend(budget: int, backbone: int, work: Any, estimate: Any) -> Any:
        fits: dict[str, tuple[float, int]] = {}
        for name in work:
            price = backbone if name.startswith("transfer") and how != "free" else 0
            each = budget - price if how == "not per class" else (budget - price) // 5
            if each >= 1:
                fits[name] = estimate(name, each), each
        top = max(a for a, _ in fits.values())
        if how == "best":
            near = [n for n in fits if fits[n][0] == top]
        elif how == "relative":
            near = [n for n in fits if fits[n][0] >= 0.8 * top]
        else:
            near = list(fits)
            if how != "cheapest":
                near = [n for n in fits if fits[n][0] >= top - 0.02]
        name = min(near, key=lambda n: work[n])
        if how == "name":
            return name
        return [name, fits[name][1]] if how == "list" else (name, fits[name][1])

    return spend


def keep(image_factor: Any) -> Any:
    return image_factor


def net(*layers: nn.Module) -> Any:
    return lambda: nn.Sequential(*layers)


RIGHT: dict[str, list[Any]] = {
    "first_network.numbers": [3072, 3072.0, np.int64(3072), torch.tensor([3072])],
    "first_network.step": [
        lambda w, g, r: (w.numpy() - r * g.numpy()).tolist(),
        lambda w, g, r: w.clone().requires_grad_() - r * g,
        lambda w, g, r: torch.add(w.double(), g.double(), alpha=-r),
    ],
    "first_network.share_right": [
        lambda s, y: float(np.mean(np.argmax(s.numpy(), 1) == y.numpy())),
        lambda s, y: Fraction(
            sum(int(a.argmax()) == int(b) for a, b in zip(s, y, strict=True)), len(y)
        ),
        lambda s, y: [(s.softmax(1).argmax(1) == y).double().mean()],
    ],
    "inverse_rendering.joint_error": [2 / 5**0.5, 0.894427, Fraction(894427, 1_000_000)],
    "inverse_rendering.mix": [
        lambda s, c, b: torch.stack([s * c[i] + (1 - s) * b[i] for i in range(3)]),
        lambda s, c, b: [s * c[i] + (1 - s) * b[i] for i in range(3)],
        lambda s, c, b: torch.lerp(b.view(3, 1, 1).expand(3, *s.shape), c.view(3, 1, 1), s),
        lambda s, c, b: (
            np.einsum("hw,c->chw", s.numpy(), (c - b).numpy()) + b.numpy()[:, None, None]
        ),
    ],
    "inverse_rendering.orientation": [
        lambda dy, dx: np.degrees(np.arctan2(dy.numpy(), dx.numpy())) % 180,
        lambda dy, dx: [math.degrees(math.atan2(a, b)) % 180 for a, b in zip(dy, dx, strict=True)],
        lambda dy, dx: torch.remainder(torch.atan2(dy, dx) * 180 / math.pi, 180),
    ],
    "inverse_rendering.box_of": [box_numpy, box],
    "inverse_rendering.improve": [improve_list],
    "search.to_halve": [322.5398, np.float32(2 ** (1 / 0.12)), 2 ** (25 / 3)],
    "search.break_even": [43786, 43_786.0],
    "search.nearest_label": [
        nearest_loops,
        lambda q, s, y: y[torch.cdist(q.float(), s.float()).argmin(1)].numpy(),
        lambda q, s, y: y[((q[:, None].int() - s[None].int()) ** 2).sum(-1).argmin(-1)],
    ],
    "search.leave_one_out": [loo_loops, loo],
    "one_layer.parameters": [7850, (7850,)],
    "one_layer.lead_kept": [Fraction(31, 85), 0.364706, torch.tensor(31 / 85)],
    "one_layer.logits": [
        lambda x, w, b: torch.einsum("bd,kd->bk", x.reshape(len(x), -1), w) + b,
        lambda x, w, b: x.numpy().reshape(len(x), -1) @ w.numpy().T + b.numpy(),
        lambda x, w, b: [w @ one.flatten() + b for one in x],
        lambda x, w, b: (x.flatten(1).double() @ w.double().T + b).requires_grad_(),
    ],
    "one_layer.cross_entropy": [
        ce_loop,
        ce_gradient,
        lambda s, y: -s.log_softmax(1)[torch.arange(len(y)), y].mean(),
        lambda s, y: (s.logsumexp(1) - s.gather(1, y[:, None])[:, 0]).mean(0, keepdim=True),
        lambda s, y: -(F.one_hot(y, s.shape[1]) * s.log_softmax(-1)).sum() / len(y),
    ],
    "one_layer.without_training": [
        means_numpy,
        lambda v, y: (means(v, y).double() * 2, -(means(v, y).double() ** 2).sum(1)),
        lambda v, y: [means(v, y), -(means(v, y).norm(dim=1) ** 2) / 2],
    ],
    "fully_connected_to_convolution.own_kernels": [55296, 256 * 216],
    "fully_connected_to_convolution.smallest_shift": [4, 4.0],
    "fully_connected_to_convolution.correlate": [
        conv_with_loops,
        lambda i, k: (i.unfold(0, len(k), 1).unfold(1, len(k), 1) * k).sum((-1, -2)),
        lambda i, k: conv_with_loops(i, k).tolist(),
    ],
    "fully_connected_to_convolution.as_convolution": [
        lambda w, c, h, v: w.reshape(len(w), c, h, v).numpy(),
        lambda w, c, h, v: [row.reshape(c, h, v) for row in w],
        lambda w, c, h, v: nn.Parameter(w.unflatten(1, (c, h, v))),
    ],
    "fully_connected_to_convolution.flicker": [
        lambda n, x, s: (
            (n(x).argmax(1) != n(torch.cat([x[..., -s:], x[..., :-s]], -1)).argmax(1)).sum()
            / len(x)
        ),
        lambda n, x, s: np.mean(
            n(x).argmax(1).numpy() != n(x.roll(s, -1)).softmax(1).argmax(1).numpy()
        ),
    ],
    "lenet_alexnet_vgg.first_map": [55, torch.tensor(55.0)],
    "lenet_alexnet_vgg.averaged_vgg": [15_227_688],
    "lenet_alexnet_vgg.costs": [
        lambda i, o, k, s, g: [o * i * k * k / g + o, o * i * k * k * s * s / g],
        lambda i, o, k, s, g: torch.tensor(
            [i // g * o * k**2 + o, i // g * o * k**2 * s**2], dtype=torch.float64
        ),
        lambda i, o, k, s, g: (
            Fraction(o * i * k * k, g) + o,
            np.int64(o * (i // g) * k * k * s * s),
        ),
    ],
    "lenet_alexnet_vgg.two_paths": [two_halves_numpy, halves],
    "lenet_alexnet_vgg.top_k_error": [
        top_loop,
        lambda s, y, k: 1 - (s.topk(k).indices == y[:, None]).any(1).float().mean(),
        lambda s, y, k: np.float32(top_loop(s, y, k)),
    ],
    "receptive_fields.pool_after_stride": [14],
    "receptive_fields.by_hand": [
        [14, 2, 6.5],
        np.array([14, 2, 6.5]),
        (14, 2, Fraction(13, 2)),
        torch.tensor([14, 2, 6.5]),
        [torch.tensor(14), torch.tensor(2), torch.tensor(6.5)],
    ],
    "receptive_fields.pixels_of": [chain, backwards, lambda a, u: torch.tensor(chain(a, u))],
    "receptive_fields.effective_share": [
        share_numpy,
        share,
        lambda g, p: torch.tensor(share_numpy(g, p)),
    ],
    "receptive_fields.made_to_measure": [
        net(nn.Conv2d(3, 4, 8, stride=4), nn.ReLU(), nn.Conv2d(4, 2, 5)),
        net(nn.AvgPool2d(4), nn.Conv2d(3, 8, 6)),
    ],
    "one_backbone_many_heads.moved_box": [0.6, Fraction(3, 5), 300 / 500],
    "one_backbone_many_heads.saved": [7200 / 8700, Fraction(24, 29), 0.827586],
    "one_backbone_many_heads.giou_loss": [
        giou,
        generalized_box_iou_loss,
        lambda a, b: list(giou(a.double(), b.double())),
        lambda a, b: giou(a, b).numpy(),
    ],
    "one_backbone_many_heads.detected": [
        lambda s, o, y: np.mean((s.argmax(1).numpy() == y.numpy()) * (o.numpy() >= 0.5)),
        lambda s, o, y: ((s.argmax(1) == y).float() * (o >= 0.5).float()).mean(0, keepdim=True),
    ],
    "one_backbone_many_heads.borrow": [borrow_try],
    "augmentation.all_classes": [0.9, Fraction(9, 10)],
    "augmentation.there_and_back": [3.48205, (1 + 3**0.5 / 2) ** 2],
    "augmentation.brighten": [
        lambda x, f: (x * f).round().clamp(0, 255).byte(),
        lambda x, f: np.clip(np.rint(x.numpy() * f), 0, 255).astype(np.uint8),
        lambda x, f: (x.double() * f + 0.5).floor().clamp(max=255).to(torch.uint8),
    ],
    "augmentation.flip_boxes": [
        lambda b, w: [[w - x1, y0, w - x0, y1] for x0, y0, x1, y1 in b.tolist()],
        lambda b, w: torch.tensor([w, 0, w, 0]) + b[:, [2, 1, 0, 3]] * torch.tensor([-1, 1, -1, 1]),
        lambda b, w: np.array([[w - x1, y0, w - x0, y1] for x0, y0, x1, y1 in b.numpy()]),
    ],
    "augmentation.about_the_middle": [
        lambda m, w, h: middle(m, (w - 1) / 2, (h - 1) / 2),
        middle_numpy,
        lambda m, w, h: middle_numpy(m, w, h).tolist(),
    ],
    "cutmix_randaugment.share_left": [0.91, Fraction(91, 100)],
    "cutmix_randaugment.sequences": [2744],
    "cutmix_randaugment.paste_piece": [paste, paste_numpy],
    "cutmix_randaugment.soft_targets": [
        targets_loop,
        lambda y, p, s, k: torch.lerp(
            F.one_hot(y[p], k).double(), F.one_hot(y, k).double(), float(s)
        ),
    ],
    "cutmix_randaugment.soft_cross_entropy": [
        lambda s, t: F.cross_entropy(s, t),
        lambda s, t: -(t * (s - s.logsumexp(1, keepdim=True))).sum() / len(s),
        lambda s, t: -(t * s.log_softmax(1)).sum(1, keepdim=True).mean(0),
    ],
    "transfer.new_head": [81_940],
    "transfer.stored_once": [74.15, 80 * 700.7 / (700 + 56)],
    "transfer.running_mean": [
        lambda r, x, m: r + m * (x.mean((0, 2, 3)) - r),
        lambda r, x, m: [(1 - m) * r[c] + m * x[:, c].mean() for c in range(len(r))],
        lambda r, x, m: torch.lerp(r, x.transpose(0, 1).flatten(1).mean(1), m),
        lambda r, x, m: (1 - m) * r.numpy() + m * x.numpy().mean(axis=(0, 2, 3)),
    ],
    "transfer.two_groups": [groups_named],
    "distillation.temperature": [2.5, 2.49999, Fraction(5, 2)],
    "distillation.shrinks": [25, 25.0],
    "distillation.soften": [
        lambda z, t: torch.softmax(z.float() / t, -1),
        lambda z, t: F.softmax(z.double() / t, dim=1),
        lambda z, t: ((z / t) - (z / t).logsumexp(1, keepdim=True)).exp().numpy(),
        lambda z, t: list(nn.Softmax(dim=1)(z / t)),
    ],
    "distillation.teach": [
        lambda s, p, t: t * t * kl(s, p, t),
        teach_numpy,
        lambda s, p, t: (t * t * kl(s.clone().requires_grad_(), p, t)).reshape(1),
        lambda s, p, t: t**2 * (probs(p, t) * (logs(p, t) - logs(s, t))).sum() / len(s),
    ],
    "distillation.teach_with_labels": [
        lambda s, p, y, t, a: a * t * t * kl(s, p, t) + (1 - a) * F.cross_entropy(s, y),
        lambda s, p, y, t, a: a * teach_numpy(s, p, t) + (1 - a) * ce_loop(s, y),
    ],
    "pseudo_labels.wrong_labels": [108, 108.0],
    "pseudo_labels.label_if_sure": [
        sure,
        sure_where,
        lambda z, p: np.array(sure(z, p)),
        lambda z, p: sure_where(z, p).int(),
    ],
    "pseudo_labels.pseudo_label_loss": [gaps, gaps_masked, lambda z, y: gaps_masked(z, y).view(1)],
    "noisy_student.after_the_round": [0.89, Fraction(89, 100)],
    "noisy_student.round_loss": [
        lambda a, y, b, p: F.cross_entropy(a, y) + F.cross_entropy(b, p),
        lambda a, y, b, p: ce_loop(a, y) - (p * logs(b)).sum().item() / len(b),
    ],
    "noisy_student.who_teaches": [
        chain_of_teachers,
        lambda s: tuple(chain_of_teachers(s).tolist()),
        lambda s: torch.tensor(chain_of_teachers(s)),
        lambda s: [max(range(i + 1), key=lambda j: s[j]) for i in range(1, len(s))],
    ],
    "label_budget.the_whole_chain": [6.78, Fraction(678, 100)],
    "label_budget.labels_needed": [needed, needed_interp],
    "label_budget.fair_gap": [gap, lambda a, b: torch.tensor([float(x) for x in gap(a, b)])],
    "label_budget.spend": [buy(), buy("list")],
}
"""`chapter.exercise` → answers that are right."""


WRONG: dict[str, list[tuple[str, Any]]] = {
    "first_network.numbers": [
        ("channel|colour", 1024),
        ("rows|height", 96),
        ("product|multipl", 192),
        ("text|quotes|str", "3072"),
        ("too large", 9216),
    ],
    "first_network.step": [
        ("climb|sign|uphill|against", lambda w, g, r: w + r * g),
        ("learning rate", lambda w, g, r: w - g),
        ("where the weight|step alone|starts|from the weight", lambda w, g, r: -r * g),
        ("step alone|starts|climb|sign", lambda w, g, r: r * g),
        ("nothing yet", lambda w, g, r: None),
        ("weight.*gradient|times the|multipl|rate", lambda w, g, r: w - r * w),
        ("divide|learning rate|multipl", lambda w, g, r: w - g / r),
    ],
    "first_network.share_right": [
        ("wrong", lambda s, y: (s.argmax(1) != y).float().mean()),
        ("how many|divide", lambda s, y: (s.argmax(1) == y).sum()),
        ("row|each picture|axis|class", lambda s, y: (s.argmax(0) == y).float().mean()),
        ("shape|mean|average|each picture|share", lambda s, y: s.argmax(1) == y),
        ("percent|100|between 0 and 1", lambda s, y: (s.argmax(1) == y).float().mean() * 100),
        ("probab|highest", lambda s, y: s.softmax(1)[range(len(y)), y].mean()),
        ("mean|RuntimeError|bool", lambda s, y: (s.argmax(1) == y).mean()),
    ],
    "inverse_rendering.joint_error": [
        ("variance|root|square", 0.8),
        ("average|mean|middle", 1.5),
        ("weigh|alone|plain", 5**0.5 / 2),
        ("alone|hand|better", 1.0),
        ("error|inverse|precision|subtract|too", 5**0.5),
        ("weigh|square|precision|too small", 2 / 3),
    ],
    "inverse_rendering.mix": [
        (
            "swap|other way|changed places|wrong way",
            lambda s, c, b: s * b[:, None, None] + (1 - s) * c[:, None, None],
        ),
        ("background", lambda s, c, b: s * c[:, None, None]),
        ("RuntimeError|shape", lambda s, c, b: s * c + (1 - s) * b),
        (
            "shape|last|channel",
            lambda s, c, b: s[..., None] * c + (1 - s[..., None]) * b,
        ),
        (
            "share|full|1 −|over|background",
            lambda s, c, b: s * c[:, None, None] + b[:, None, None].expand(3, *s.shape),
        ),
        (
            "hard|part|threshold|belongs",
            lambda s, c, b: torch.where(s > 0.5, c[:, None, None], b[:, None, None]),
        ),
        ("half|share|average", lambda s, c, b: ((c + b) / 2)[:, None, None].expand(3, *s.shape)),
    ],
    "inverse_rendering.orientation": [
        ("180|opposite|fold", lambda dy, dx: torch.atan2(dy, dx).rad2deg()),
        ("radian|degree", lambda dy, dx: torch.atan2(dy, dx) % math.pi),
        ("swap|order|along x|first", lambda dy, dx: torch.atan2(dx, dy).rad2deg() % 180),
        ("360|180|opposite", lambda dy, dx: torch.atan2(dy, dx).rad2deg() % 360),
        ("quadrant|atan2|abs|sign|steep", lambda dy, dx: torch.atan2(dy, dx).rad2deg().abs()),
        ("radian|degree", lambda dy, dx: torch.atan2(dy, dx) % 180),
        ("radian|degree|180", lambda dy, dx: torch.atan2(dy, dx)),
        ("NaN|quadrant|division|atan2|negative|180", lambda dy, dx: (dy / dx).atan().rad2deg()),
    ],
    "inverse_rendering.box_of": [
        ("end|exclusive|one pixel|\\+ 1|last", lambda m: box(m, ends=0)),
        ("width|height|square|swap", lambda m: box(m, swap=True)),
        ("centre|corner", lambda m: box(m, corner=True)),
        (
            "fraction|divide",
            lambda m: torch.tensor(box_numpy(m)) * torch.tensor([m.shape[1], m.shape[0]] * 2),
        ),
        ("order|swap|x.*y|width.*height", lambda m: [box_numpy(m)[i] for i in (1, 0, 3, 2)]),
        ("shape|four", lambda m: box_numpy(m)[:2]),
        (
            "centre|average|mean",
            lambda m: [
                *(m.nonzero().float().mean(0).flip(0) / torch.tensor([m.shape[1], m.shape[0]])),
                *box_numpy(m)[2:],
            ],
        ),
    ],
    "inverse_rendering.improve": [
        ("nothing yet", lambda start, error: None),
        ("four|4|description|shape", improve_in_place),
        ("closer|same|lower|better|as far|not", improve_randomly),
        ("2,000|drawings|many|dear", improve_forever),
    ],
    "search.to_halve": [
        ("exponent|0.12|half|too small", 2),
        ("2|power|exponent|divid|too small", 1 / 0.12),
        ("too small|exponent|inver|1 /", 2**0.12),
        ("inver|how many times|fraction|less|too small", 0.5 ** (1 / 0.12)),
        ("tenth|10|too large", 10 ** (1 / 0.12)),
        ("e\\b|natural|too large|2", math.exp(1 / 0.12)),
    ],
    "search.break_even": [
        ("square|64|divide|each", 2_802_304),
        ("twice|two|once|one multiply", 21_893),
        ("64", 2_802_304 // 4096),
        ("known|already|query|too small", 2_802_240 // 64 - 64),
        ("multipl|divide|64|too large", 2_802_304 * 64),
    ],
    "search.nearest_label": [
        (
            "byte|uint8|overflow|wrap|256",
            lambda q, s, y: y[((q[:, None] - s[None]) ** 2).sum(2).argmin(1)],
        ),
        ("label", lambda q, s, y: torch.cdist(q.float(), s.float()).argmin(1)),
        (
            "farthest|largest|smallest",
            lambda q, s, y: y[torch.cdist(q.float(), s.float()).argmax(1)],
        ),
        (
            "Euclid|absolute|L1|square",
            lambda q, s, y: y[torch.cdist(q.float(), s.float(), p=1).argmin(1)],
        ),
        (
            "product|length|bright|cosine|Euclid",
            lambda q, s, y: y[(q.float() @ s.float().T).argmax(1)],
        ),
        (
            "cosine|angle|length|normal|Euclid",
            lambda q, s, y: y[(F.normalize(q.float()) @ F.normalize(s.float()).T).argmax(1)],
        ),
        (
            "each query|shape|axis|stored",
            lambda q, s, y: y[torch.cdist(q.float(), s.float()).argmin(0) % len(y)],
        ),
        (
            "byte|uint8|overflow|wrap|sign|square",
            lambda q, s, y: y[(q[:, None].float() - s[None].float()).sum(2).argmin(1)],
        ),
    ],
    "search.leave_one_out": [
        ("itself", lambda v, y: loo(v, y, diagonal=0.0)),
        ("wrong|error", lambda v, y: 1 - loo(v, y)),
        ("farthest|largest|smallest", lambda v, y: loo(v, y, diagonal=0.0, largest=True)),
        ("how many|divide|number", lambda v, y: loo(v, y) * len(y)),
        (
            "product|length|distance",
            lambda v, y: (y[(v @ v.T - 1e9 * torch.eye(len(v))).argmax(1)] == y).float().mean(),
        ),
        ("percent|100|0 to 1", lambda v, y: 100 * loo(v, y)),
    ],
    "one_layer.parameters": [
        ("bias", 7840),
        ("class|bias", 784),
        ("bias", 7841),
        ("colour|grey|channel", 3 * 784 * 10 + 10),
        ("bias|pixel|class", 8624),
        ("comma|one answer|number", (7, 850)),
    ],
    "one_layer.lead_kept": [
        ("chance|guess", 0.41 / 0.95),
        ("lost|kept|rest", 0.54 / 0.85),
        ("chance|lead|share|subtract", 0.54),
        ("chance|above|both|too", 0.31 / 0.95),
        ("share|divide|too small", 0.31),
        ("percent|share|100|too large", 36.47),
    ],
    "one_layer.logits": [
        ("bias", lambda x, w, b: x.flatten(1) @ w.T),
        ("transpos|RuntimeError", lambda x, w, b: x.flatten(1) @ w + b),
        ("sign|minus|add|bias", lambda x, w, b: x.flatten(1) @ w.T - b),
        ("used.*linear", linear_module),
        ("used.*linear", lambda x, w, b: F.linear(x.flatten(1), w, b)),
        ("softmax|logits", lambda x, w, b: (x.flatten(1) @ w.T + b).softmax(1)),
        ("transpos|shape|row for each", lambda x, w, b: w @ x.flatten(1).T + b[:, None]),
        ("channel|order|flatten", lambda x, w, b: x.permute(0, 2, 3, 1).flatten(1) @ w.T + b),
        ("shape|flatten|RuntimeError", lambda x, w, b: x.flatten() @ w.T + b),
    ],
    "one_layer.cross_entropy": [
        ("used.*cross_entropy", lambda s, y: F.cross_entropy(s, y)),
        ("used.*(cross_entropy|CrossEntropyLoss)", lambda s, y: nn.CrossEntropyLoss()(s, y)),
        (
            "NaN|infinit|overflow|finite",
            lambda s, y: -(s.exp() / s.exp().sum(1, keepdim=True)).log()[range(len(y)), y].mean(),
        ),
        ("axis|column|classes|dim", lambda s, y: ce_gather(s, y, dim=0)),
        ("mean|average|sum", lambda s, y: ce_gather(s, y, mean=False)),
        ("sign|minus|negative", lambda s, y: -ce_gather(s, y)),
        ("log", lambda s, y: 1 - s.softmax(1)[range(len(y)), y].mean()),
        ("log", lambda s, y: -s.softmax(1)[range(len(y)), y].mean()),
        ("softmax|probabilit|normal|logsumexp", lambda s, y: -s[range(len(y)), y].mean()),
        ("mean|shape|average", lambda s, y: s.logsumexp(1) - s[range(len(y)), y]),
        ("nats|log|natural|2", lambda s, y: ce_gather(s, y) / math.log(2)),
        ("right class|all class|label|pick", lambda s, y: -s.log_softmax(1).mean()),
        ("nothing yet", lambda s, y: None),
        ("sign|minus|negative.*axis|axis", lambda s, y: -ce_gather(s, y, dim=0)),
    ],
    "one_layer.without_training": [
        ("bias|length|0", lambda v, y: (means(v, y), torch.zeros(10))),
        ("trained|gradient|formula|optimi|used", trained),
        ("trained|gradient|formula|optimi|used", trained_by_hand),
        ("shape|10|transposed", lambda v, y: (means(v, y).T, -means(v, y).square().sum(1) / 2)),
        ("nothing yet", lambda v, y: None),
        ("80|accura|new", lambda v, y: (means(v, y), means(v, y).square().sum(1) / 2)),
        ("two|bias|weight and", lambda v, y: means(v, y)),
    ],
    "fully_connected_to_convolution.own_kernels": [
        ("share|position|own", 216),
        ("channel|3", 256 * 8 * 9),
        ("stride", 1024 * 216),
        ("map|8", 256 * 27),
        ("bias", 55296 + 8 * 256),
        ("padding|position", 225 * 216),
    ],
    "fully_connected_to_convolution.smallest_shift": [
        ("stride|second|both|multiply|last", 2),
        ("add|multiply|product", 5),
        ("smallest|1|stride|too small", 1),
        ("above zero|zero|too small", 0),
        ("two strides|smallest|half|too large", 8),
    ],
    "fully_connected_to_convolution.correlate": [
        ("flip|turn|mirror", lambda i, k: torch.tensor(conv_with_loops(i, k.flip(0, 1)))),
        ("transpos|changed places", lambda i, k: torch.tensor(conv_with_loops(i, k.T))),
        (
            "padding|shape",
            lambda i, k: F.conv2d(i[None, None], k[None, None], padding="same")[0, 0],
        ),
        ("shape|transpos", conv_swapped),
        ("shape|image|range|RuntimeError", conv_valid_less_one),
        ("mean|divide|sum", lambda i, k: torch.tensor(conv_with_loops(i, k)) / k.numel()),
        ("flip|mirror", lambda i, k: torch.tensor(conv_with_loops(i, k.flip(1)))),
    ],
    "fully_connected_to_convolution.as_convolution": [
        ("transpos|order|width|height|swap", lambda w, c, h, v: w.view(-1, c, v, h)),
        ("last|channel|order|shape", lambda w, c, h, v: w.view(-1, h, v, c)),
        ("order|channel", lambda w, c, h, v: w.view(-1, h, v, c).permute(0, 3, 1, 2)),
        ("transpos|row|view|order", lambda w, c, h, v: w.T.reshape(-1, c, h, v)),
        ("shape|flat", lambda w, c, h, v: w),
        ("flip|turn", lambda w, c, h, v: w.view(-1, c, h, v).flip(2, 3)),
    ],
    "fully_connected_to_convolution.flicker": [
        (
            "same|keep|rest|changed|stay",
            lambda n, x, s: (n(x).argmax(1) == n(x.roll(s, 3)).argmax(1)).float().mean(),
        ),
        (
            "down|axis|right|column|vertical",
            lambda n, x, s: (n(x).argmax(1) != n(x.roll(s, 2)).argmax(1)).float().mean(),
        ),
        (
            "left|right|sign",
            lambda n, x, s: (n(x).argmax(1) != n(x.roll(-s, 3)).argmax(1)).float().mean(),
        ),
        (
            "how many|divide|share",
            lambda n, x, s: (n(x).argmax(1) != n(x.roll(s, 3)).argmax(1)).sum(),
        ),
        ("logits|class|argmax", lambda n, x, s: (n(x) != n(x.roll(s, 3))).float().mean()),
        ("logits|class|difference", lambda n, x, s: (n(x) - n(x.roll(s, 3))).abs().mean()),
    ],
    "lenet_alexnet_vgg.first_map": [
        ("down|whole|round|fraction", 55.25),
        ("padding", 54),
        ("both|padding|side|\\+ 1|first", 54.75),
        ("\\+ 1|first|starts", 54),
        ("stride|divide", 218),
        ("up|round|too large|half", 56),
    ],
    "lenet_alexnet_vgg.averaged_vgg": [
        ("bias", 15_226_688),
        ("7|flatten|average", 14_714_688 + 25088 * 1000 + 1000),
        ("convolution|whole", 513_000),
        ("4,?096|one layer|head|too large", 138_357_544),
        ("layer|head", 14_714_688),
    ],
    "lenet_alexnet_vgg.costs": [
        ("group", lambda i, o, k, s, g: (o * i * k * k + o, o * i * k * k * s * s)),
        ("bias", lambda i, o, k, s, g: (o * i // g * k * k, o * i // g * k * k * s * s)),
        ("bias", lambda i, o, k, s, g: (o * i // g * k * k + o, (o * i // g * k * k + o) * s * s)),
        (
            "order|swap|first",
            lambda i, o, k, s, g: (o * i // g * k * k * s * s, o * i // g * k * k + o),
        ),
        (
            "group",
            lambda i, o, k, s, g: (o * i // g // g * k * k + o, o * i // g // g * k * k * s * s),
        ),
        ("square|kernel|k", lambda i, o, k, s, g: (o * i // g * k + o, o * i // g * k * s * s)),
        (
            "side|square|position",
            lambda i, o, k, s, g: (o * i // g * k * k + o, o * i // g * k * k * s),
        ),
        (
            "bias|each group|filter",
            lambda i, o, k, s, g: (o * i // g * k * k + g, o * i // g * k * k * s * s),
        ),
        ("group.*bias|bias.*group", lambda i, o, k, s, g: (o * i * k * k, o * i * k * k * s * s)),
    ],
    "lenet_alexnet_vgg.two_paths": [
        ("pad|shape", lambda x, w: halves(x, w, pad=0)),
        ("swap|first half|second|other", lambda x, w: halves(x, w, swap=True)),
        ("dim|channel|shape|batch|maps", lambda x, w: halves(x, w, dim=0)),
        ("used.*group|group", lambda x, w: F.conv2d(x, w, padding=1, groups=2)),
        ("RuntimeError|half", lambda x, w: F.conv2d(x, w, padding=1)),
        (
            "even|every other|interleav|half",
            lambda x, w: torch.cat(
                [
                    F.conv2d(x[:, ::2], w[: len(w) // 2], padding=1),
                    F.conv2d(x[:, 1::2], w[len(w) // 2 :], padding=1),
                ],
                1,
            ),
        ),
        (
            "sum|add|cat|shape|side by side",
            lambda x, w: sum(halves(x, w).chunk(2, dim=1)),
        ),
        (
            "order|swap|first",
            lambda x, w: halves(x, w).roll(len(w) // 2, 1),
        ),
    ],
    "lenet_alexnet_vgg.top_k_error": [
        (
            "among|right|missed|accuracy",
            lambda s, y, k: (s.topk(k, 1).indices == y[:, None]).any(1).float().mean(),
        ),
        ("best|k|one guess|only", lambda s, y, k: (s.argmax(1) != y).float().mean()),
        (
            "any|all|mean|each guess",
            lambda s, y, k: (s.topk(k, 1).indices != y[:, None]).float().mean(),
        ),
        (
            "lowest|largest|best|worst",
            lambda s, y, k: (
                (s.topk(k, 1, largest=False).indices != y[:, None]).all(1).float().mean()
            ),
        ),
        (
            "how many|divide|share",
            lambda s, y, k: (s.topk(k, 1).indices != y[:, None]).all(1).sum(),
        ),
        ("any|all", lambda s, y, k: (s.topk(k, 1).indices != y[:, None]).any(1).float().mean()),
        (
            "k|best|one|guess",
            lambda s, y, k: (s.topk(k + 1, 1).indices != y[:, None]).all(1).float().mean(),
        ),
        ("k.th|last|only|guess", lambda s, y, k: (s.topk(k, 1).indices[:, -1] != y).float().mean()),
    ],
    "receptive_fields.pool_after_stride": [
        ("stride|jump|step", 8),
        ("stride|overlap|too large", 20),
        ("4 − 1|first|three steps|too large", 17),
        ("stride|jump|own|pool|too small", 11),
        ("pool|whole|too small", 5),
    ],
    "receptive_fields.by_hand": [
        ("dilation", (8, 2, 3.5)),
        ("order", (2, 14, 6.5)),
        ("✓ ✓ ✗|start", (14, 2, 0.5)),
        ("stride|jump|✗", (14, 1, 6.5)),
        ("stride|jump|✗ ✓", (12, 2, 5.5)),
        ("three numbers|3 numbers", 14),
    ],
    "receptive_fields.pixels_of": [
        ("end|last|inclusive|one too", lambda a, u: chain(a, u, inclusive=True)),
        ("padding", lambda a, u: chain(a, u, padding=True)),
        ("dilation", lambda a, u: chain(a, u, dilation=True)),
        ("stride|jump|own|before", lambda a, u: chain(a, u, grow_last=True)),
        ("unit|jump", lambda a, u: chain(a, u, jump=True)),
        ("unit|first", lambda a, u: chain(a, 0)),
        (
            "outside|border|clip|clamp|negative|picture",
            lambda a, u: [max(0, x) for x in chain(a, u)],
        ),
        (
            "size|first and last|centre",
            lambda a, u: (chain(a, u)[0], chain(a, u)[1] - chain(a, u)[0] + 1),
        ),
        ("shape|two|first and", lambda a, u: chain(a, u)[0]),
        (
            "padding.*dilation|dilation.*padding",
            lambda a, u: chain(a, u, dilation=True, padding=True),
        ),
    ],
    "receptive_fields.effective_share": [
        ("absolute|sign|negative", lambda g, p: share(g, p, signed=True)),
        ("square|absolute", lambda g, p: share(g, p, power=2)),
        ("share|divide|how many|number", lambda g, p: share(g, p) * g.numel()),
        (
            "one|last|reach|next",
            lambda g, p: (
                (
                    (lambda a: (a.cumsum(0) / a.sum() < p).sum())(
                        g.abs().flatten().sort(descending=True).values
                    )
                )
                / g.numel()
            ),
        ),
        (
            "large|sort|order|descend|small",
            lambda g, p: (
                ((lambda a: (a.cumsum(0) / a.sum() < p).sum() + 1)(g.abs().flatten().sort().values))
                / g.numel()
            ),
        ),
        (
            "sort|order|large",
            lambda g, p: (
                ((lambda a: (a.cumsum(0) / a.sum() < p).sum() + 1)(g.abs().flatten())) / g.numel()
            ),
        ),
        (
            "level|maximum|largest|threshold|sum",
            lambda g, p: (g.abs() >= p * g.abs().max()).float().mean(),
        ),
        ("rest|share|1 −|how many|too", lambda g, p: 1 - share(g, p)),
    ],
    "receptive_fields.made_to_measure": [
        ("24|see|pixels", net(nn.Conv2d(3, 4, 4, stride=4), nn.Conv2d(4, 4, 5))),
        ("4|apart|jump|stride", net(nn.Conv2d(3, 1, 12), nn.ReLU(), nn.Conv2d(1, 1, 13))),
        ("1,000|weights|many", net(nn.Conv2d(3, 16, 8, stride=4), nn.Conv2d(16, 8, 5))),
        ("learn|weight|parameter", net(nn.AvgPool2d(4, stride=4), nn.AvgPool2d(6, stride=1))),
        (
            "channel|three|picture|RuntimeError",
            net(nn.Conv2d(1, 4, 8, stride=4), nn.Conv2d(4, 2, 5)),
        ),
        ("Module|network", lambda: 24),
    ],
    "one_backbone_many_heads.moved_box": [
        ("union|both|together", 0.75),
        ("union|overlap|once|twice|too", 300 / 800),
        ("union|around|too|intersection", 1 - 100 / 500),
        ("rest|not shared", 0.4),
        ("both|one|too small|diagonal|only|right", 225 / 575),
    ],
    "one_backbone_many_heads.saved": [
        ("saved|remain|rest|left|spent", 1500 / 8700),
        ("head", 7200 / 8000),
        ("head|nine|ten|share|too", 0.9),
        ("head|once|ten|own", 1 - 870 / 8700),
        ("percent|share|100|too large", 82.76),
        ("share|divide|too large", 7200),
    ],
    "one_backbone_many_heads.giou_loss": [
        ("clamp|touch|negative|0", lambda a, b: giou(a, b, clamp=False)),
        ("generalis|around|smallest|plain", lambda a, b: giou(a, b, hull=True)),
        ("union|twice|intersection", lambda a, b: giou(a, b, union=True)),
        ("1 minus|loss|1 −", lambda a, b: giou(a, b, loss=True)),
        ("sign|subtract|minus|add", lambda a, b: giou(a, b, sign=True)),
        ("of the smallest|around|divide|hull|share of", lambda a, b: giou(a, b, of_union=True)),
        ("mean|each pair|shape", lambda a, b: giou(a, b).mean()),
        ("pixel|\\+ 1|edge|off by", lambda a, b: giou(a, b, plus_one=1)),
        ("clamp|touch|negative", lambda a, b: giou(a, b, clamp=False, hull=True)),
    ],
    "one_backbone_many_heads.detected": [
        ("class|right|name", lambda s, o, y: (o >= 0.5).float().mean()),
        ("box|IoU|overlap|place", lambda s, o, y: (s.argmax(1) == y).float().mean()),
        ("and|both|or\\b", lambda s, o, y: ((s.argmax(1) == y) | (o >= 0.5)).float().mean()),
        (
            "at least|0.5|exactly|equal",
            lambda s, o, y: ((s.argmax(1) == y) & (o > 0.5)).float().mean(),
        ),
        ("how many|divide|share", lambda s, o, y: ((s.argmax(1) == y) & (o >= 0.5)).sum()),
        (
            "both|same object|and|product|multipl",
            lambda s, o, y: (s.argmax(1) == y).float().mean() * (o >= 0.5).float().mean(),
        ),
        (
            "among|all|object|right class|share of",
            lambda s, o, y: (o[s.argmax(1) == y] >= 0.5).float().mean(),
        ),
    ],
    "one_backbone_many_heads.borrow": [
        ("eval|batch|dropout|mode|frozen|statistic|changed", borrow_no_eval),
        ("mode|train|found", borrow_left_in_eval),
        ("gradient", borrow_with_gradient),
        ("gradient|requires_grad|found|frozen|unchanged|changed", borrow_frozen),
        ("nothing yet", lambda backbone, images: None),
    ],
    "augmentation.all_classes": [
        ("arrow|half|coin|guess", 0.8),
        ("all|ten|average|only", 0.5),
        ("flip|half|quarter|too|two classes", 0.95),
        ("arrow|guess|perfect|too large", 1.0),
        ("percent|share|too large|0 to 1", 90),
        ("arrow|half|too small", 0.85),
    ],
    "augmentation.there_and_back": [
        ("back|twice|second|once", (1 + 3**0.5 / 2)),
        ("area|square|side", ((1 + 3**0.5) / 2)),
        ("back|same|hull|too small|1", 1.0),
        ("square|twice|add|product|multipl|too large", 2 * (1 + 3**0.5 / 2)),
        ("turned back|60|hull|too", (1.5 + 3**0.5 / 2)),
        ("radian|degree|too", (math.cos(30) + math.sin(30)) ** 4),
    ],
    "augmentation.brighten": [
        (
            "overflow|wrap|clip|255|clamp",
            lambda x, f: (x * f).round().to(torch.int64).to(torch.uint8),
        ),
        ("round", lambda x, f: (x * f).clamp(0, 255).to(torch.uint8)),
        ("byte|uint8|float|dtype", lambda x, f: (x * f).clamp(0, 255).round()),
        ("byte|uint8|float|dtype", lambda x, f: (x.float() * f).round().clamp(0, 255).numpy()),
        ("clip|wrap|255|overflow.*|round", lambda x, f: (x * f).to(torch.int64).to(torch.uint8)),
        (
            "clip.*round|round.*clip|wrap.*round|255.*round|round.*255",
            lambda x, f: (x * f).to(torch.uint8),
        ),
        ("whole|int|factor|round", lambda x, f: (x * int(f)).clamp(0, 255)),
        ("add|multipl", lambda x, f: (x.float() + f).clamp(0, 255).round().to(torch.uint8)),
        ("255|1\\b|scale|clip", lambda x, f: (x / 255 * f).clamp(0, 1)),
        ("returns nothing", lambda x, f: None),
    ],
    "augmentation.flip_boxes": [
        (
            "order|swap|x0.*x1|left|smaller",
            lambda b, w: torch.stack([w - b[:, 0], b[:, 1], w - b[:, 2], b[:, 3]], 1),
        ),
        ("overwrit|already|changed|old|before", flip_overwritten),
        ("overwrit|already|changed|old|before|view", flip_view),
        (
            "pixel|edge|− 1|one",
            lambda b, w: torch.stack([w - 1 - b[:, 2], b[:, 1], w - 1 - b[:, 0], b[:, 3]], 1),
        ),
        ("in place|copy", flip_in_place),
        (
            "upside|y|vertical|top|left to right",
            lambda b, w: torch.stack([b[:, 0], w - b[:, 3], b[:, 2], w - b[:, 1]], 1),
        ),
        (
            "width|negative|sign|shift",
            lambda b, w: torch.stack([-b[:, 2], b[:, 1], -b[:, 0], b[:, 3]], 1),
        ),
        (
            "shape|column|stack|dim",
            lambda b, w: torch.stack([w - b[:, 2], b[:, 1], w - b[:, 0], b[:, 3]]),
        ),
        (
            "y|top|both|left to right|upside",
            lambda b, w: torch.stack([w - b[:, 2], w - b[:, 3], w - b[:, 0], w - b[:, 1]], 1),
        ),
    ],
    "augmentation.about_the_middle": [
        ("width − 1|− 1|OpenCV|pixel|half", lambda m, w, h: middle(m, w / 2, h / 2)),
        (
            "order|other way|first|wrong way",
            lambda m, w, h: middle(m, (w - 1) / 2, (h - 1) / 2, "there"),
        ),
        ("there|move|back|first|only", lambda m, w, h: middle(m, (w - 1) / 2, (h - 1) / 2, "once")),
        ("back", lambda m, w, h: middle(m, (w - 1) / 2, (h - 1) / 2, "twice")),
        ("width|height|x|swap", lambda m, w, h: middle(m, (h - 1) / 2, (w - 1) / 2)),
        (
            "order|between|cancel|nothing",
            lambda m, w, h: middle(m, (w - 1) / 2, (h - 1) / 2, "rows"),
        ),
        ("whole|//|round|half", lambda m, w, h: middle(m, (w - 1) // 2, (h - 1) // 2)),
        (
            "order.*(− 1|pixel|half)|(− 1|pixel|half).*(order|other way|wrong way)",
            lambda m, w, h: middle(m, w / 2, h / 2, "there"),
        ),
    ],
    "cutmix_randaugment.share_left": [
        ("clip|corner|outside|quarter|sticks out", 0.64),
        ("half|quarter|clip|corner|sticks out", 1 - 0.36 / 2),
        ("left|own|pasted|1 −|kept|piece", 0.09),
        ("root|square|side", 1 - 0.36**2 / 4),
        ("root|square|0.36|side", 1 - 0.32**2),
        ("λ|piece|1 −|0.36|root", 1 - 0.64 / 4),
    ],
    "cutmix_randaugment.sequences": [
        ("again|all fourteen|repeat|each time|without", 14 * 13 * 12),
        ("order|sequence", 364),
        ("multipl|product|power|add", 42),
        ("power|other way|3", 3**14),
        ("three|too small|one|draw", 196),
    ],
    "cutmix_randaugment.paste_piece": [
        ("x.*y|row|column|swap", lambda *a: paste(*a, how="swapped")),
        ("end|exclusive|one", lambda *a: paste(*a, how="inclusive")),
        ("outside|other way|wrong way|into|around|piece", lambda *a: paste(*a, how="outside")),
        ("partner|other way|direction|into", lambda *a: paste(*a, how="own")),
        ("mixed already|already|original|copy|changed|overwrit", lambda *a: paste(*a, how="loop")),
        ("in place|copy", lambda *a: paste(*a, how="in place")),
        ("nothing|unchanged|pasted|as they were|no piece|copies", lambda *a: paste(*a, how="none")),
        ("order|partner|roll|reverse", lambda i, p, *a: paste(i, torch.arange(len(p)).flip(0), *a)),
    ],
    "cutmix_randaugment.soft_targets": [
        (
            "swap|own|other way|λ|share",
            lambda y, p, s, k: (1 - s) * F.one_hot(y, k) + s * F.one_hot(y[p], k),
        ),
        (
            "label of|which picture|partners\\b.*(not|picture|label)|index",
            lambda y, p, s, k: s * F.one_hot(y, k) + (1 - s) * F.one_hot(p % k, k),
        ),
        ("same class|add|both|overwrit|sum", targets_set),
        ("sum|1 −|twice|1\\b", lambda y, p, s, k: s * F.one_hot(y, k) + s * F.one_hot(y[p], k)),
        ("partner|own|before mixing", lambda y, p, s, k: F.one_hot(y, k).float()),
        ("number|class|one.hot|shape", lambda y, p, s, k: s * y + (1 - s) * y[p]),
        ("half|share|λ", lambda y, p, s, k: (F.one_hot(y, k) + F.one_hot(y[p], k)) / 2),
        (
            "IndexError|index|RuntimeError|one_hot|class",
            lambda y, p, s, k: s * F.one_hot(y, k) + (1 - s) * F.one_hot(y, k)[y + 99],
        ),
    ],
    "cutmix_randaugment.soft_cross_entropy": [
        ("mean|classes|average|divide|sum over", lambda s, t: -(t * s.log_softmax(1)).mean()),
        ("axis|class|column|dim", lambda s, t: -(t * s.log_softmax(0)).sum(1).mean()),
        ("sign|minus|negative", lambda s, t: (t * s.log_softmax(1)).sum(1).mean()),
        ("log", lambda s, t: -(t * s.softmax(1)).sum(1).mean()),
        ("sum|mean|batch", lambda s, t: -(t * s.log_softmax(1)).sum()),
        ("hard|likeliest|argmax|whole target|mixed", lambda s, t: F.cross_entropy(s, t.argmax(1))),
        ("softmax|logits|probab|NaN", lambda s, t: -(t * s).sum(1).mean()),
        (
            "KL|entropy|divergence|constant",
            lambda s, t: F.kl_div(s.log_softmax(1), t, reduction="batchmean"),
        ),
        ("NaN|log|softmax", lambda s, t: -(t * s.log()).sum(1).mean()),
        (
            "swap|order|log of|other way|target",
            lambda s, t: -(s.softmax(1) * (t + 1e-9).log()).sum(1).mean(),
        ),
        ("twice|softmax|logits", lambda s, t: F.cross_entropy(s.softmax(1), t)),
    ],
    "transfer.new_head": [
        ("bias", 81_920),
        ("20|class|each", 4096),
        ("bias", 81_921),
        ("bias|input|output", 81_920 + 4096),
        ("frozen|too large|bias|1,?000", 4096 * 1000 + 1000),
    ],
    "transfer.stored_once": [
        ("head", 80),
        ("head|epoch|80|each", 700.7 * 80 / 700.7),
        ("head|backbone|too large|once|epoch", 1001),
        ("inver|other way|factor|too small", 756 / 56056),
        ("epoch|head|80", 80 * 700.7 / 700),
        ("head|epoch|each|once", 80 * 700.7 / 700.7),
    ],
    "transfer.running_mean": [
        ("momentum|other way|swap|new|old", lambda r, x, m: m * r + (1 - m) * x.mean((0, 2, 3))),
        ("each channel|channel|shape|one for each", lambda r, x, m: (1 - m) * r + m * x.mean()),
        ("batch|position|axis|shape|over", lambda r, x, m: (1 - m) * r + m * x.mean(0)),
        ("running|old|replace|only|step|momentum", lambda r, x, m: x.mean((0, 2, 3))),
        ("sum|mean", lambda r, x, m: (1 - m) * r + m * x.sum((0, 2, 3))),
        ("1 −|old|running|add|shrink", lambda r, x, m: r + m * x.mean((0, 2, 3))),
        ("nothing yet", lambda r, x, m: None),
        ("variance|mean", lambda r, x, m: (1 - m) * r + m * x.var((0, 2, 3))),
    ],
    "transfer.two_groups": [
        ("head|swap|other way|full|tenth", groups_swapped),
        ("twice|both|once|head|two groups", groups_twice),
        ("tenth|rate|0|frozen|learn", groups_no_rate),
        ("group|two|one", lambda m, h, r: [{"params": list(m.parameters()), "lr": r}]),
        (
            "below|backbone|left out|missing|in no group",
            lambda m, h, r: [{"params": list(h.parameters()), "lr": r}],
        ),
        ("nothing yet", lambda m, h, r: None),
    ],
    "distillation.temperature": [
        ("inver|other way|divide|1 /|too small", 0.4),
        ("differ|logit|divide|too small", 2.4),
        ("log", 6 / (0.9168 - 0.0832)),
        ("one|cold|soft|too small|temperature", 1),
        ("both|ratio|log|alone|too large|differ", -6 / math.log(0.0832)),
        ("6|unit|divide|too large", 6),
        ("negative|sign|order|too small", -2.5),
    ],
    "distillation.shrinks": [
        ("square", 5),
        ("inver|how many times|smaller|too small", 1 / 25),
        ("4|only|ratio|both|too large", 400),
        ("differ|ratio|divide|too", 16),
        ("square|power|too large", 125),
        ("square|differ|16|too large", 400 - 16),
    ],
    "distillation.soften": [
        ("axis|class|column|dim|row", lambda z, t: (z / t).softmax(0)),
        ("multipl|divide", lambda z, t: (z * t).softmax(1)),
        ("temperature|t\\b|T\\b", lambda z, t: z.softmax(1)),
        ("after|before|inside|logits|sum", lambda z, t: z.softmax(1) / t),
        (
            "NaN|infinit|overflow|finite",
            lambda z, t: (z / t).exp() / (z / t).exp().sum(1, keepdim=True),
        ),
        ("log", lambda z, t: (z / t).log_softmax(1)),
        (
            "all|row|each picture|sum|keepdim|axis",
            lambda z, t: (z / t).flatten().softmax(0).view_as(z),
        ),
        ("softmax|exp|power|probabilit|twice", lambda z, t: F.normalize(z.softmax(1) ** t, p=1)),
        ("normal|sum|divid", lambda z, t: (z / t).exp()),
        (
            "multipl.*axis|axis.*multipl|multipl.*(row|class|column)|(row|class|column).*multipl",
            lambda z, t: (z * t).softmax(0),
        ),
    ],
    "distillation.teach": [
        ("T²|t²|t\\*\\*2|squared", lambda s, p, t: kl(s, p, t)),
        (
            "other way|swap|student.*teacher|teacher.*student|direction|reverse",
            lambda s, p, t: t * t * kl(p, s, t),
        ),
        (
            "reduction|batchmean|classes|mean over",
            lambda s, p, t: t * t * F.kl_div(logs(s, t), probs(p, t)),
        ),
        (
            "(batchmean|classes|mean over).*(T²|squared)|"
            "(T²|squared).*(batchmean|classes|mean over)",
            lambda s, p, t: F.kl_div(logs(s, t), probs(p, t)),
        ),
        ("log", lambda s, p, t: t * t * F.kl_div(probs(s, t), probs(p, t), reduction="batchmean")),
        (
            "teacher.*(soft|temperature)|soft.*teacher|temperature.*teacher",
            lambda s, p, t: t * t * F.kl_div(logs(s, t), probs(p), reduction="batchmean"),
        ),
        (
            "student.*(soft|temperature)|soft.*student|temperature.*student",
            lambda s, p, t: t * t * F.kl_div(logs(s), probs(p, t), reduction="batchmean"),
        ),
        ("T\\b.*squar|T²|squared", lambda s, p, t: t * kl(s, p, t)),
        ("temperature|soft", lambda s, p, t: kl(s, p, 1.0)),
        ("entropy|KL|cross", lambda s, p, t: -t * t * (probs(p, t) * logs(s, t)).sum(1).mean()),
        ("sum|mean|batch", lambda s, p, t: t * t * kl(s, p, t) * len(s)),
        ("sign|minus|negative", lambda s, p, t: -t * t * kl(s, p, t)),
        ("divid|T²|multipl", lambda s, p, t: kl(s, p, t) / t**2),
        (
            "axis|class|dim",
            lambda s, p, t: (
                t * t * F.kl_div((s / t).log_softmax(0), (p / t).softmax(0), reduction="batchmean")
            ),
        ),
        ("square|KL|differ|logits", lambda s, p, t: F.mse_loss(s, p)),
        ("nothing yet", lambda s, p, t: None),
    ],
    "distillation.teach_with_labels": [
        (
            "alpha|α|swap|other way",
            lambda s, p, y, t, a: (1 - a) * t * t * kl(s, p, t) + a * F.cross_entropy(s, y),
        ),
        ("T²|squared", lambda s, p, y, t, a: a * kl(s, p, t) + (1 - a) * F.cross_entropy(s, y)),
        (
            "temperature|T = 1|soft|q₁",
            lambda s, p, y, t, a: a * t * t * kl(s, p, t) + (1 - a) * F.cross_entropy(s / t, y),
        ),
        (
            "T²|both|whole|only|label",
            lambda s, p, y, t, a: t * t * (a * kl(s, p, t) + (1 - a) * F.cross_entropy(s, y)),
        ),
        ("label", lambda s, p, y, t, a: a * t * t * kl(s, p, t)),
        (
            "1 −|alpha|α|weigh",
            lambda s, p, y, t, a: a * t * t * kl(s, p, t) + F.cross_entropy(s, y),
        ),
        (
            "other way|swap|direction|reverse|teacher.*student",
            lambda s, p, y, t, a: a * t * t * kl(p, s, t) + (1 - a) * F.cross_entropy(s, y),
        ),
        (
            "teacher|student",
            lambda s, p, y, t, a: a * t * t * kl(s, p, t) + (1 - a) * F.cross_entropy(p, y),
        ),
        (
            "(T²|squared).*(alpha|α|swap|other way)|(alpha|α|swap|other way).*(T²|squared)",
            lambda s, p, y, t, a: (1 - a) * kl(s, p, t) + a * F.cross_entropy(s, y),
        ),
        (
            "softmax|logits|twice|probabilit",
            lambda s, p, y, t, a: a * t * t * kl(s, p, t) + (1 - a) * F.cross_entropy(probs(s), y),
        ),
        (
            "reduction|batchmean|classes|mean over",
            lambda s, p, y, t, a: (
                a * t * t * F.kl_div(logs(s, t), probs(p, t)) + (1 - a) * F.cross_entropy(s, y)
            ),
        ),
    ],
    "pseudo_labels.wrong_labels": [
        ("cover|60|all", 180),
        ("right|wrong", 972),
        ("given|label|wrong|purity", 1080),
        ("purity|wrong|cover|not labelled|label", 720),
        ("purity|coverage|product|share|right|label", 1800 - 972),
        ("whole|how many|number|too small|count", 0.06),
    ],
    "pseudo_labels.label_if_sure": [
        ("logit|probabilit|softmax", lambda z, p: sure_where(z, p, how="logits")),
        ("other way|below|unsure|swap", lambda z, p: sure_where(z, p, how="above")),
        ("axis|column|dim|class", lambda z, p: sure_where(z, p, how="axis")),
        ("−1|-1|0 is a class|class 0", lambda z, p: sure_where(z, p, how="zero")),
        ("shape|every picture|length|each|left out|−1", lambda z, p: sure_where(z, p, how="drop")),
        ("confidence|class|probabilit", lambda z, p: sure_where(z, p, how="confidence")),
        ("int64|dtype|float", lambda z, p: sure_where(z, p, how="float")),
        ("threshold|unsure|all", lambda z, p: sure_where(z, p, how="all")),
        ("class|bool|mask|which|true", lambda z, p: sure_where(z, p, how="mask")),
    ],
    "pseudo_labels.pseudo_label_loss": [
        ("NaN|none has|no label|0\\b|empty", lambda z, y: F.cross_entropy(z, y, ignore_index=-1)),
        (
            "divide|all pictures|only those|have a label|mean",
            lambda z, y: gaps_masked(z, y, over="all"),
        ),
        ("sum|mean|divide", lambda z, y: gaps_masked(z, y, over="sum")),
        ("IndexError|−1|-1|out of bounds", lambda z, y: F.cross_entropy(z, y)),
        ("−1|class 0|0\\b|none", lambda z, y: F.cross_entropy(z, y.clamp(min=0))),
        ("−1|last class", lambda z, y: F.cross_entropy(z, y % z.shape[1])),
        ("NaN|none has|no label|0\\b|empty", lambda z, y: F.cross_entropy(z[y >= 0], y[y >= 0])),
        ("class 0|0\\b", lambda z, y: gaps_masked(z, torch.where(y == 0, -1, y))),
    ],
    "noisy_student.after_the_round": [
        ("spoil|21", 644 / 700),
        ("right|share|divide|700|too large", 623),
        ("wrong|rest|too small", 77 / 700),
        ("spoil|subtract|sign|minus|too large", 665 / 700),
        ("percent|share|too large", 89),
        ("sign|other way|spoil|swap", (574 - 70 + 21) / 700),
        ("gain|put right|too", 49 / 700),
    ],
    "noisy_student.round_loss": [
        ("labelled|labels|first|second|both", lambda a, y, b, p: F.cross_entropy(b, p)),
        ("unlabel|others|soft|both|second|labels", lambda a, y, b, p: F.cross_entropy(a, y)),
        (
            "hard|argmax|likeliest|soft",
            lambda a, y, b, p: F.cross_entropy(a, y) + F.cross_entropy(b, p.argmax(1)),
        ),
        (
            "mean|each|sum|separate|divide|own",
            lambda a, y, b, p: F.cross_entropy(
                torch.cat([a, b]), torch.cat([F.one_hot(y, a.shape[1]).float(), p])
            ),
        ),
        (
            "classes|mean|sum over|divide",
            lambda a, y, b, p: F.cross_entropy(a, y) - (p * logs(b)).mean(),
        ),
        (
            "half|weigh|mean|average|sum",
            lambda a, y, b, p: (F.cross_entropy(a, y) + F.cross_entropy(b, p)) / 2,
        ),
        ("sign|minus", lambda a, y, b, p: F.cross_entropy(a, y) + (p * logs(b)).sum(1).mean()),
        (
            "KL|entropy|divergence",
            lambda a, y, b, p: F.cross_entropy(a, y) + F.kl_div(logs(b), p, reduction="batchmean"),
        ),
        ("log", lambda a, y, b, p: F.cross_entropy(a, y) - (p * probs(b)).sum(1).mean()),
        ("sum|mean", lambda a, y, b, p: F.cross_entropy(a, y) - (p * logs(b)).sum()),
    ],
    "noisy_student.who_teaches": [
        ("previous|before|at that time|current|best", lambda s: teachers(s, "previous")),
        ("equal|better|tie|as good", lambda s: teachers(s, "ties")),
        ("first|at that time|current|best", lambda s: teachers(s, "first")),
        (
            "first|each next|start|length|shape|one for each",
            lambda s: [0, *chain_of_teachers(s).tolist()],
        ),
        ("each round|always|every|last|only if|better", lambda s: list(range(1, len(s)))),
        ("shape|history|each|list", lambda s: int(np.argmax(s))),
        ("score|accurac", lambda s: [max(s[: i + 1]) for i in range(1, len(s))]),
        ("all|at that time|later|future|overall", lambda s: [int(np.argmax(s))] * (len(s) - 1)),
    ],
    "label_budget.the_whole_chain": [
        ("backward|three|3", 2.46),
        ("look|label|once|1,?000|asked", 6.48),
        ("backward|forward|look|once|label", 7.38),
        ("teacher", 4.68 + 0.3),
        ("student", 2.1),
        ("billion|million|unit|too large", 6780),
        ("backward|twice|two|3", (2 * 2000 + 1000 + 2 * 5200) * 0.0003),
        ("without|36|unlabel|both", (3 * 2000 + 1000 + 3 * 1600) * 0.0003),
    ],
    "label_budget.labels_needed": [
        ("log", lambda n, a, g: needed(n, a, g, "linear")),
        ("between|point|interpol|line", lambda n, a, g: needed(n, a, g, "point")),
        ("between|point|interpol|line|before", lambda n, a, g: needed(n, a, g, "before")),
        ("inf|never", lambda n, a, g: needed(n, a, g, "last")),
        ("inf|never|None", lambda n, a, g: needed(n, a, g, "none")),
        (
            "flip|other way|share|swap|wrong side|from the|point",
            lambda n, a, g: needed(n, a, g, "flipped"),
        ),
        ("exp|log", lambda n, a, g: needed(n, a, g, "log")),
        ("inf|never|NaN", lambda n, a, g: needed(n, a, g, "nan")),
        ("middle|between|line|half|share|point", lambda n, a, g: needed(n, a, g, "half")),
    ],
    "label_budget.fair_gap": [
        ("t\\b.*(1.96|normal)|normal|1.96|few seeds|Student", lambda a, b: gap(a, b, "normal")),
        ("n − 1|ddof|n\\b|deviation", lambda a, b: gap(a, b, "population")),
        ("root|√|mean|n\\b|error", lambda a, b: gap(a, b, "deviation")),
        ("pair|seed", lambda a, b: gap(a, b, "unpaired")),
        ("one.sided|two|both|97.5|0.975|2.5|90", lambda a, b: gap(a, b, "one sided")),
        ("minus|other way|sign|baseline", lambda a, b: gap(a, b, "negative")),
        ("mean|each|quantile|seeds|runs|percentile", lambda a, b: gap(a, b, "quantile")),
        ("low|order|swap", lambda a, b: gap(a, b, "swapped")),
        ("low|two numbers|half|width|high|ends", lambda a, b: gap(a, b, "half")),
        ("mean|seed|extreme|runs|smallest", lambda a, b: gap(a, b, "extremes")),
        (
            "√|root|mean",
            lambda a, b: ((a - b).mean() - 2 * (a - b).std(), (a - b).mean() + 2 * (a - b).std()),
        ),
    ],
    "label_budget.spend": [
        ("backbone|cost|price|40|afford|buy", buy("free")),
        ("two points|fewest|work|multiply|cheap", buy("best")),
        ("two points|best|good", buy("cheapest")),
        ("class|five|5|cost", buy("not per class")),
        ("two|pair|both|labels|name", buy("name")),
        ("points|best|good|two", buy("relative")),
        ("nothing yet", lambda *a: None),
    ],
}
"""`chapter.exercise` → (what the diagnosis must say, as a regular expression; a wrong answer)."""
