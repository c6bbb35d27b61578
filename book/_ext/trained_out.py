"""What more training makes of a claim, and other pictures: three words, computed from its runs.

A record's `budget` says how many times as long as the chapter's its trainings are. Only findings
with an interval count: training cannot change what is exact.
"""

from __future__ import annotations

from html import escape
from math import log
from typing import Any

Run = dict[str, Any]
ENDS = ("estimate", "low", "high")
#: Whether findings hold: all of them, not all of them, open → the word for more training, and for
#: other pictures.
DIRECTION = {True: "yes", False: "turns", None: "open"}
ELSEWHERE = {True: "same", False: "other", None: "open"}
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def trained_out(live: Run, records: list[Run]) -> dict[str, Any] | None:
    """An effect of a claim against the budget, and the three words, as `claims.schema.json` says.

    The effect is the first that a finding is judged by, or else the first with an interval. None
    where no finding is measured or no run was trained for longer.
    """
    real = [record for record in records if record["dataset"] != "shapes"]
    drawn = [record for record in records if record["dataset"] == "shapes"]
    runs = [live | {"budget": 1}, *(record for record in drawn if record["budget"] != 1)]
    longest = max(runs, key=lambda run: run["budget"])
    effects = [effect for effect in live.get("effect", ()) if "low" in effect]
    if not effects or not _measured(live) or longest["budget"] == 1:
        return None
    judged = [tuple(finding[key] for key in ENDS) for finding in _measured(live)]
    effect = next((e for e in effects if tuple(e[key] for key in ENDS) in judged), effects[0])
    points = sorted(
        (
            {"budget": run["budget"], **{key: same[key] for key in ENDS}}
            for run in runs
            for same in run["effect"]
            if same["what"] == effect["what"] and "low" in same
        ),
        key=lambda point: point["budget"],
    )
    return {
        "what": effect["what"],
        "format": effect["format"],
        "points": points,
        "direction": DIRECTION[_all_hold(live, [longest])],
        "plateau": plateau(points),
        "photographs": ELSEWHERE[_all_hold(live, real)] if _again(live, real) else "not measured",
    }


def _measured(run: Run) -> list[dict[str, Any]]:
    return [finding for finding in run.get("findings", ()) if finding.get("seeds")]


def _again(live: Run, runs: list[Run]) -> list[bool | None]:
    """Whether what the chapter finds holds in other runs, of the same words, by an interval.

    One that names its own steps is another in other runs, and the oldest runs knew only means.
    """
    known = {finding["what"] for finding in _measured(live)}
    found = [finding for run in runs for finding in _measured(run) if finding["what"] in known]
    return [finding["holds"] for finding in found]


def _all_hold(live: Run, runs: list[Run]) -> bool | None:
    """All of them; None, if one is open, or if nothing can be compared."""
    holds = _again(live, runs)
    return False if False in holds else None if None in holds or not holds else True


def plateau(points: list[dict[str, float]]) -> float | None:
    """The first budget in whose interval all later estimates lie; None where there is none."""
    for i, point in enumerate(points[:-1]):
        if all(point["low"] <= later["estimate"] <= point["high"] for later in points[i + 1 :]):
            return point["budget"]
    return None


def printed(number: float, form: str) -> str:
    """A number as books print it: −0.02, 2.9 · 10³²."""
    digits, power, exponent = format(number, form).partition("e")
    if power:
        digits += " · 10" + str(int(exponent)).translate(RAISED)
    return digits.replace("-", "−")


def small_figure(trained: dict[str, Any]) -> str:
    """The effect against the budget, as SVG that takes the colour of the text around it."""
    points = trained["points"]
    steps = [log(point["budget"]) for point in points]
    low = min(0.0, *(point["low"] for point in points))
    high = max(0.0, *(point["high"] for point in points))
    across = [8 + 104 * (x - steps[0]) / ((steps[-1] - steps[0]) or 1) for x in steps]

    def up(value: float) -> float:
        return 36 - 32 * (value - low) / ((high - low) or 1)

    told = "; ".join(
        f"×{point['budget']:g}: {printed(point['estimate'], trained['format'])}" for point in points
    )
    line = " ".join(
        f"{x:.1f},{up(point['estimate']):.1f}" for x, point in zip(across, points, strict=True)
    )
    marks = "".join(
        f'<path d="M{x:.1f} {up(point["low"]):.1f}V{up(point["high"]):.1f}"/>'
        f'<circle cx="{x:.1f}" cy="{up(point["estimate"]):.1f}" r="2.5"/>'
        for x, point in zip(across, points, strict=True)
    )
    return (
        f'<svg class="against-budget" viewBox="0 0 120 40" role="img">'
        f"<title>{escape(trained['what'])}, against the training: {told}</title>"
        f'<path class="zero" d="M4 {up(0):.1f}H116"/><polyline points="{line}"/>{marks}</svg>'
    )
