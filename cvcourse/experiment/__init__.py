"""Experiments over seeds, their intervals, and the claims that they settle."""

from cvcourse.experiment.claims import (
    Claim,
    Finding,
    Verdict,
    claim,
    less,
    more,
    same,
)
from cvcourse.experiment.intervals import Interval, Unknown, interval, proportion
from cvcourse.experiment.records import (
    Record,
    check_record_path,
    hardware,
    load_record,
    load_records,
    record_names,
    save_record,
)
from cvcourse.experiment.seeds import Results, as_seeds, repeat
from cvcourse.experiment.tables import table, verdicts

__all__ = [
    "Claim",
    "Finding",
    "Interval",
    "Record",
    "Results",
    "Unknown",
    "Verdict",
    "as_seeds",
    "check_record_path",
    "claim",
    "hardware",
    "interval",
    "less",
    "load_record",
    "load_records",
    "more",
    "proportion",
    "record_names",
    "repeat",
    "same",
    "save_record",
    "table",
    "verdicts",
]
