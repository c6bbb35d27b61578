"""Receptive fields: what one unit of a network can see, and what it looks at."""

from cvcourse.receptive_field.effective import effective_receptive_field
from cvcourse.receptive_field.fields import (
    Field,
    ReceptiveFields,
    Region,
    UnsupportedOperationError,
    receptive_field,
)
from cvcourse.receptive_field.table import ELEMENTWISE

__all__ = [
    "ELEMENTWISE",
    "Field",
    "ReceptiveFields",
    "Region",
    "UnsupportedOperationError",
    "effective_receptive_field",
    "receptive_field",
]
