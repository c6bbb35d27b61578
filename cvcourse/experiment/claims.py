"""Findings, judged by their intervals, and the claims that they settle."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from cvcourse.checks import Checked, Numbers, Positive, check_number, checked
from cvcourse.experiment.intervals import DASH, Interval, Unknown, interval, six_digits
from cvcourse.terminal import printable

Verdict = Literal["confirmed", "confirmed with limits", "corrected", "unsourced"]
Measured = Interval | np.ndarray | int | float  #: a quantity, or its values over the seeds
Rule = Literal["more than", "less than", "within", "exact"]
MIME = "application/vnd.cvcourse.claim+json"  #: of a claim as data, beside its text
MARKS = {True: "✓", False: "✗", None: "○"}  #: it holds, it does not, it is open


@dataclass(frozen=True)
class Finding(Checked):
    """One statement about one effect, and whether an experiment bears it out.

    Attributes:
        holds: True; False; or None: open, since the interval leaves it open, or the effect is
            `Unknown`.
        rule: "more than" or "less than" `bound`; "within" ± `bound`; "exact": nothing is left to
            chance, and there is no interval.
        bound: what the effect is compared with.
        effect: what it was judged by; of several effects, the one that decides.
    """

    holds: bool | None
    rule: Rule = "exact"
    bound: float | None = None
    effect: Interval | None = None

    def as_data(self) -> dict[str, Any]:
        """All of it, fit for JSON."""
        numbers = {} if self.effect is None else _numbers(self.effect)
        return {"holds": self.holds, "rule": self.rule, "bound": self.bound, **numbers}


def more(effect: Numbers | Interval, than: float = 0.0) -> Finding:
    """The effect is more than a number: its whole interval lies above.

    >>> from cvcourse.experiment import more
    >>> more([0.21, 0.19, 0.24, 0.20], than=0.1).holds
    True

    Args:
        effect: an interval, or its values, (n_seeds,); of several, (n_seeds, k), all must be more.
        than: the number.

    Returns:
        A finding that holds; or does not, where a whole interval lies at or below; or is open.
    """
    return _judged(effect, "more than", than, lambda low, high: (low - than, than - high))


def less(effect: Numbers | Interval, than: float = 0.0) -> Finding:
    """The effect is less than a number: its whole interval lies below. See `more`.

    >>> from cvcourse.experiment import less
    >>> less([0.21, 0.19, 0.24, 0.20], than=0.5).holds
    True

    Args:
        effect: as for `more`: (n_seeds,) or (n_seeds, k).
        than: the number.

    Returns:
        A finding, as `more` gives it.
    """
    return _judged(effect, "less than", than, lambda low, high: (than - high, low - than))


def same(effect: Numbers | Interval, within: Positive) -> Finding:
    """The effect is as good as none (equivalence): its whole interval lies within ± a margin.

    >>> from cvcourse.experiment import same
    >>> same([0.01, -0.02, 0.00, 0.01], within=0.05).holds
    True
    >>> same([0.3, -0.3], within=0.05).holds is None  # open
    True

    Args:
        effect: (n_seeds,) or (n_seeds, k) as for `more`; as a rule a difference.
        within: the margin, above 0.

    Returns:
        A finding that holds; or does not, where a whole interval lies outside; or is open.
    """
    check_number("within", within, 0, meaning="a margin", above=True)
    return _judged(
        effect,
        "within",
        within,
        lambda low, high: (
            np.minimum(low + within, within - high),
            np.maximum(low - within, -within - high),
        ),
    )


def _judged(effect: Numbers | Interval, rule: Rule, bound: float, room: Any) -> Finding:
    """`room`: (low, high) → by how much each interval holds, and by how much it fails, (k,)."""
    bound = check_number("the number to compare with", bound)
    estimate = effect if isinstance(effect, Interval) else interval(effect)
    if isinstance(estimate, Unknown):
        return Finding(None, rule, bound, estimate)
    mean, low, high = (np.ravel(x) for x in (estimate.mean, estimate.low, estimate.high))
    if not mean.size:
        raise ValueError("an effect of no values can be judged by nothing")
    holding, failing = room(low, high)
    fails = bool((failing >= 0).any())
    deciding = int(np.argmax(failing) if fails else np.argmin(holding))
    holds = False if fails else True if bool((holding > 0).all()) else None
    decisive = Interval(mean[deciding], low[deciding], high[deciding], estimate.seeds)
    return Finding(holds, rule, bound, decisive)


@dataclass(frozen=True)
class Quantity(Checked):
    """A measured number, and the format that it is printed in."""

    value: Interval | int | float
    format: str = ".2f"

    def __post_init__(self) -> None:
        super().__post_init__()
        str(self)  # a format that does not fit is found out here

    def __str__(self) -> str:
        return format(self.value, self.format)

    def as_data(self) -> dict[str, Any]:
        """Estimate, interval and format, fit for JSON."""
        value = self.value
        numbers = _numbers(value) if isinstance(value, Interval) else {"estimate": _rounded(value)}
        return {**numbers, "format": self.format}


@dataclass(frozen=True)
class Claim(Checked):
    """A claim of the book and what an experiment said of it.

    Attributes:
        id: its name in the ledger.
        verdict: what the book says of it, if every finding holds.
        findings: what the verdict rests on: wording → finding.
        effect: what was measured: wording → quantity; or text, where there is no number.
        short: the verdict in a few words.
    """

    id: str
    verdict: Verdict
    findings: dict[str, Finding]
    effect: dict[str, Quantity | str] = field(default_factory=dict)
    short: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.findings:
            raise ValueError(f"claim {self.id} has no findings; expected what its verdict rests on")

    @property
    def reproduced(self) -> bool:
        """Whether everything that the verdict rests on held in this run, or is open in it."""
        return all(finding.holds is not False for finding in self.findings.values())

    @property
    def why_unknown(self) -> str:
        """Why this run has no verdict; "" where it has one."""
        if not self.reproduced:
            return ""
        effects = [finding.effect for finding in self.findings.values()]
        reasons = [effect.why for effect in effects if isinstance(effect, Unknown)]
        if not reasons and not any(finding.holds for finding in self.findings.values()):
            reasons = ["all of it is open: it takes more seeds, pictures or steps"]
        return "; ".join(dict.fromkeys(reasons))

    def __str__(self) -> str:
        if self.why_unknown:
            verdict = f"{DASH} ({self.why_unknown})"
        else:
            verdict = self.verdict if self.reproduced else "NOT REPRODUCED in this run"
        lines = (
            f"  {DASH} {what}"
            if isinstance(finding.effect, Unknown)
            else f"  {MARKS[finding.holds]} {what}{' (open)' * (finding.holds is None)}"
            for what, finding in self.findings.items()
        )
        return printable("\n".join((f"claim {self.id}: {verdict}", *lines)))

    def as_data(self) -> dict[str, Any]:
        """All of it, fit for JSON; see `book/extra/claims.schema.json`."""
        return {
            "id": self.id,
            "verdict": self.verdict,
            "reproduced": self.reproduced,
            "short": self.short,
            "effect": [
                {"what": what, **({"text": value} if isinstance(value, str) else value.as_data())}
                for what, value in self.effect.items()
            ],
            "findings": [
                {"what": what, **finding.as_data()} for what, finding in self.findings.items()
            ],
        }

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        return {"text/plain": str(self), MIME: self.as_data()}


@checked
def claim(
    id: str,
    verdict: Verdict,
    findings: Mapping[str, Finding | Unknown | bool],
    *,
    effect: Mapping[str, Measured | tuple[Measured, str] | str],
    short: str,
) -> Claim:
    """State a verdict, with the findings that it rests on, and show it: as text, and as data.

    In a notebook the data go along with the text (`MIME`): ledger, summaries and tables of verdicts
    are made from them, so a number stands in one place.

    >>> from cvcourse.experiment import claim, interval, less
    >>> lead = interval([0.31, 0.28, 0.35])
    >>> holds = {"a shift takes over half of the lead": less(lead, than=0.5)}
    >>> made = claim("fc-crop", "confirmed", holds, effect={"lead kept": lead}, short="it does")
    claim fc-crop: confirmed
      ✓ a shift takes over half of the lead

    Args:
        id: the claim's name in the ledger.
        verdict: what the book says of the claim.
        findings: wording → `more`, `less` or `same` of what was measured; or True or False, where
            nothing is left to chance. A run in which one of them is `Unknown` has no verdict, but
            a dash and the reason, unless another one fails.
        effect: wording → what was measured: an interval, or the values of the seeds, printed with
            two places; one of these or a number with its format, `(gain, "+.3f")`; or a text, where
            there is no number.
        short: the verdict in a few words, without numbers.

    Raises:
        TypeError: a finding is neither a finding nor True or False.
        ValueError: no such verdict, nothing to rest it on, or no effect.
    """
    for name, given in (("findings", findings), ("effect", effect), ("short", short)):
        if not given:
            raise ValueError(f"claim {id!r} has no {name}; give at least one")
    made = Claim(
        id,
        verdict,
        {what: _finding(found) for what, found in findings.items()},
        {what: _quantity(value) for what, value in effect.items()},
        short,
    )
    show(made)
    return made


def show(thing: Any) -> None:
    """Display in a notebook, print elsewhere."""
    if "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None:
        sys.modules["IPython"].display.display(thing)
    else:
        print(thing)


def _finding(found: Finding | Unknown | bool) -> Finding:
    if isinstance(found, Unknown):
        return Finding(None, effect=found)
    return found if isinstance(found, Finding) else Finding(found)


def _quantity(value: Any) -> Quantity | str:
    if isinstance(value, str):
        return value
    number, *spec = value if isinstance(value, tuple) else (value,)
    if isinstance(number, Unknown):
        return f"{DASH} ({number.why})"
    return Quantity(interval(number) if isinstance(number, np.ndarray) else number, *spec)


def _numbers(value: Interval) -> dict[str, Any]:
    if isinstance(value, Unknown):
        return {"why": value.why}
    return {
        "estimate": _rounded(value.mean),
        "low": _rounded(value.low),
        "high": _rounded(value.high),
        "seeds": value.seeds,
    }


def _rounded(value: Any) -> float | int:
    """Six significant digits: enough for any table, and the same file from run to run."""
    return int(value) if isinstance(value, int | np.integer) else six_digits(value)
