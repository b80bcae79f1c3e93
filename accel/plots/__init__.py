"""Pictures of reports, as matplotlib figures; nothing here touches pyplot or its global state.

    figure = accel.plots.roofline(report)
    accel.plots.save(figure, "roofline.pdf")

Reading order: `style` (colours and sizes), `bars` (energy and cycles by layer), `ticks` of logarithmic axes; `boxes` on
the page, `placing` and `labels` beside points, `inscription` along a line; `roofline` and its `roofline_points`,
`scatter` (a sweep's points and its `pareto` front) and its `sweep_labels`.
"""

from accel.plots.bars import cycles_by_layer, energy_by_layer
from accel.plots.pareto import pareto_front
from accel.plots.roofline import roofline
from accel.plots.scatter import energy_latency_scatter
from accel.plots.style import save

__all__ = ["cycles_by_layer", "energy_by_layer", "energy_latency_scatter", "pareto_front", "roofline", "save"]
