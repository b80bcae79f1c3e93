"""The unit beside the data buffer for pooling, additions, activations and requantisation."""

from __future__ import annotations

from accel.spec.base import Count, Part


class VectorUnit(Part):
    """Element-wise work at `lanes` elements a cycle."""

    lanes: Count = 16
