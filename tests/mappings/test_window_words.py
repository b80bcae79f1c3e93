"""How many input rows and columns do the windows of a tile touch?"""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mappings.ranges import window_words
from workloads import Layer


@given(st.data())
def test_words_are_the_distinct_places_inside_the_input(data: st.DataObject) -> None:
    """Also where strides leave places out between windows, and dilations within them."""
    few = st.integers(1, 4)
    pair = st.tuples(few, few)
    r, s, dilation = data.draw(few), data.draw(few), data.draw(pair)
    rows, columns = (st.integers(0, (taps - 1) * apart // 2) for taps, apart in zip((r, s), dilation, strict=True))
    layer = Layer(
        "conv", P=data.draw(st.integers(1, 8)), Q=data.draw(st.integers(1, 8)), R=r, S=s, stride=data.draw(pair),
        dilation=dilation, padding=data.draw(st.tuples(rows, columns, rows, columns)),
    )  # fmt: skip
    for outputs, taps, side in (("P", "R", 0), ("Q", "S", 1)):
        tiles = []
        for _ in range(3):
            one = []
            for dim in (outputs, taps):
                first = data.draw(st.integers(0, getattr(layer, dim) - 1))
                one += [first, data.draw(st.integers(1, getattr(layer, dim) - first))]
            tiles.append(one)
        first, number, tap, reach = np.array(tiles).T
        expected = [
            len(
                {
                    place
                    for i in range(p, p + n)
                    for j in range(t, t + m)
                    if (place := i * layer.stride[side] + j * layer.dilation[side] - layer.padding[side]) >= 0
                    and place < (layer.H, layer.W)[side]
                }
            )
            for p, n, t, m in tiles
        ]
        assert window_words(layer, {outputs: (first, number), taps: (tap, reach)}, side == 0).tolist() == expected
