"""Do the published densities give the weights and the work the paper prints?"""

from __future__ import annotations

import pytest

from workloads import InputError, load
from workloads.pruning import HAN_2015, pruned


@pytest.mark.parametrize(("name", "weights_percent", "work_percent"), [("alexnet", 11, 30), ("vgg16", 7.5, 21)])
def test_totals_of_han_2015(name: str, weights_percent: float, work_percent: float) -> None:
    network = pruned(load(name), "han2015")
    assert [layer.name for layer in network.layers] == list(HAN_2015[name])
    weights = sum(layer.density.weight * layer.words(1) for layer in network.layers)
    work = sum(layer.density.weight * layer.density.input * layer.macs for layer in network.layers)
    assert 100 * weights / network.weights == pytest.approx(weights_percent, abs=0.6)
    assert 100 * work / network.macs == pytest.approx(work_percent, abs=1.5)


def test_what_was_not_pruned_is_refused() -> None:
    with pytest.raises(InputError, match='unknown densities "han": one of han2015'):
        pruned(load("alexnet"), "han")
    with pytest.raises(InputError, match='densities "han2015": of alexnet and vgg16, not of lenet5'):
        pruned(load("lenet5"), "han2015")
