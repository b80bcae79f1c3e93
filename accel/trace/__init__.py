"""Traces for Perfetto (ui.perfetto.dev) and chrome://tracing: what every part did at every moment.

Reading order: `events` (slices and counters as JSON values), `tracks` (the slices of each part), `occupancy` (what lies
in the buffers), `timebase` (cycles to nanoseconds).
"""

from accel.trace.events import trace_events, trace_json

__all__ = ["trace_events", "trace_json"]
