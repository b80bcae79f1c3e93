"""Where things stand in the vector that tells the closed form of zeros, and of an array that skips them."""

from __future__ import annotations

DENSE, INNER, COLUMN, PLANE = 0, 1, 2, 3
"""Styles of matching; DENSE: no zero is skipped."""
AT_PASS, AT_WINDOW, AT_CHUNK = 0, 1, 2
"""Where units wait for each other."""

(
    KEPT, STYLE, INPUTS, WEIGHTS, INSIDE, WIDTH, WEIGHT_WIDTH, LEAST, CHUNK, SCAN, RUN, BARRIER, LOCKSTEP, SLACK, BRICK,
    BALANCED, BENEATH, HALO, BEYOND, REACH, RUNS,
) = (0, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 21, 23, 25)  # fmt: skip
ZEROS = 33
"""KEPT: shares of the words of inputs and of weights that cross their ports. INPUTS, WEIGHTS: shares that take cycles.
INSIDE: of the rows and of the columns of windows, those that are no padding. WIDTH, WEIGHT_WIDTH: matches, or inputs
and weights of a plane, a cycle. LEAST, CHUNK, SCAN: as `accel.spec.matching` has them. RUN: zeros between two stored
weights without a bridge, 0 for any number. LOCKSTEP: neighbouring PEs that wait for each other, 0 for all. SLACK:
passes a PE may run ahead. BRICK: neighbouring channels dealt together, 0 for single ones. BALANCED: filters are dealt
by their nonzeros. BENEATH: rows and columns of the input to one of the outputs. HALO: partial sums a cycle on a link to
a neighbour, 0 for any number. BEYOND: rows and columns of outputs past a PE's own, on the side where its inputs reach
more of them; REACH: on both sides. RUNS: whether PEs have neighbouring indices, by dimension. KEPT, INSIDE, BENEATH,
BEYOND and REACH take two fields, RUNS eight."""
