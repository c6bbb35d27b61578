"""Every row of the fuzz."""

from __future__ import annotations

import table_augment
import table_data
import table_experiment
import table_explore
import table_models
import table_practice
import table_train
from rows import Row

#: Module of the package → its rows.
TABLE: dict[str, list[Row]] = {
    "augment": table_augment.rows(),
    "train": table_train.rows(),
    "data": table_data.rows(),
    "experiment": table_experiment.rows(),
    "models": table_models.rows(),
    "explore": table_explore.rows(),
    "practice": table_practice.rows(),
}
ROWS = [row for rows in TABLE.values() for row in rows]
