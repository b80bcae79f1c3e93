"""The zoo against the figures of the papers and of the definitions in general use.

Parameters count as in torchvision's and Caffe's listings: every weight, one bias a channel of a convolution or fully
connected layer without batch norm, and a scale and a shift a channel for a batch norm. GMAC are 10^9
multiply-accumulates of convolutions and fully connected layers for one input; pools, adds, biases and norms are free.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from workloads.layer import Layer
from workloads.network import Network
from workloads.parameters import node_parameter_count, parameter_count
from workloads.zoo import ALIASES, ZOO
from workloads.zoo.mobilenet_v1 import mobilenet_v1
from workloads.zoo.squeezenet import squeezenet, squeezenet1_1

# name: (parameters in millions, GMAC), to the digits in print.
FIGURES = {
    # Krizhevsky et al., NIPS 2012: 60 million parameters, two groups; from its layers 60.965 M and 0.7244 GMAC at 227.
    "alexnet": ("60.965", "0.7244"),
    # Simonyan and Zisserman, ICLR 2015, table 2: 138 million parameters for configuration D.
    "vgg16": ("138.358", "15.4703"),
    # He et al., CVPR 2016, table 1: 1.8 and 3.8 GMAC; torchvision's definitions for the parameters and for v1.5.
    "resnet18": ("11.690", "1.8141"),
    "resnet50": ("25.557", "4.0892"),
    "resnet50_v1": ("25.557", "3.8580"),
    # Howard et al., arXiv 1704.04861, table 8: 4.2 million parameters, 569 million multiply-adds.
    "mobilenet_v1": ("4.232", "0.5687"),
    # Sandler et al., CVPR 2018, table 4: 3.4 million parameters (torchvision counts 3.505), 300 million multiply-adds.
    "mobilenet_v2": ("3.505", "0.3008"),
    # Szegedy et al., CVPR 2015, table 1: 6.8 million parameters and 1.5 billion multiply-adds; Caffe's model for both.
    "googlenet": ("6.999", "1.5827"),
    # Caffe's MNIST example: 431 thousand parameters, as in Han et al., NIPS 2015, table 1.
    "lenet5": ("0.4311", "0.0023"),
    # LeCun et al., Proc. IEEE 1998, with C3 connected in full and a fully connected output.
    "lenet5_1998": ("0.0617", "0.000417"),
    # Iandola et al., arXiv 1602.07360: 1.25 M parameters; torchvision's definitions at 224 x 224.
    "squeezenet": ("1.248", "0.8189"),
    "squeezenet1_1": ("1.235", "0.3492"),
}


def _printed(value: float, like: str) -> str:
    """`value` with as many decimals as `like` has."""
    return f"{value:.{len(like.partition('.')[2])}f}"


@pytest.mark.parametrize("name", list(FIGURES))
def test_parameters_and_macs_are_those_in_print(name: str) -> None:
    network = ZOO[name]()
    millions, gmac = FIGURES[name]
    assert _printed(parameter_count(network) / 1e6, millions) == millions
    assert _printed(network.macs / 1e9, gmac) == gmac


def test_every_network_has_figures() -> None:
    assert set(FIGURES) == set(ZOO)
    assert set(ALIASES.values()) <= set(ZOO)
    assert not set(ALIASES) & set(ZOO)


@pytest.mark.parametrize(
    ("make", "gmac"), [(squeezenet, "0.8327"), (squeezenet1_1, "0.3877")], ids=["1.0 at 227", "1.1 at 227"]
)
def test_squeezenet_at_the_papers_resolution(make: Callable[[int], Network], gmac: str) -> None:
    assert _printed(make(227).macs / 1e9, gmac) == gmac


@pytest.mark.parametrize(
    ("name", "millions"),
    [("alexnet", ("2.333", "58.622")), ("vgg16", ("14.710", "123.634")), ("resnet50", ("23.455", "2.048"))],
)
def test_split_of_weights_between_convolutions_and_fully_connected(name: str, millions: tuple[str, str]) -> None:
    """Cheng et al., Frontiers of IT & EE 2018, table 1, gives the shares; the weights follow from the layers."""
    weights = {"conv": 0, "matmul": 0}
    for layer in ZOO[name]().layers:
        weights[layer.op] += layer.G * layer.K * layer.C * layer.R * layer.S
    assert (f"{weights['conv'] / 1e6:.3f}", f"{weights['matmul'] / 1e6:.3f}") == millions


def test_mobilenet_v2_macs_by_kind() -> None:
    """267.9 M in 1 x 1 convolutions, 20.7 M in depthwise ones; the stem and the classifier are the rest."""
    layers = ZOO["mobilenet_v2"]().layers
    depthwise = sum(layer.macs for layer in layers if layer.G > 1)
    stem = next(layer.macs for layer in layers if layer.name == "conv1")
    pointwise = sum(layer.macs for layer in layers if layer.op == "conv" and layer.G == 1) - stem
    assert (f"{depthwise / 1e6:.1f}", f"{stem / 1e6:.1f}", f"{pointwise / 1e6:.1f}") == ("20.7", "10.8", "267.9")


def test_alexnet_layers_are_the_papers() -> None:
    """Krizhevsky et al., section 3.5 and figure 2: kernels, halves of the maps, and the maps' sides."""
    layers = {layer.name: layer for layer in ZOO["alexnet"]().layers}
    kernels = {name: (layer.G * layer.K, layer.R, layer.S, layer.C) for name, layer in layers.items()}
    assert kernels["conv1"] == (96, 11, 11, 3)
    assert kernels["conv2"] == (256, 5, 5, 48)
    assert kernels["conv3"] == (384, 3, 3, 256)
    assert kernels["conv4"] == (384, 3, 3, 192)
    assert kernels["conv5"] == (256, 3, 3, 192)
    assert [layers[f"conv{i}"].P for i in range(1, 6)] == [55, 27, 13, 13, 13]
    assert [layers[f"fc{i}"].C for i in (6, 7, 8)] == [9216, 4096, 4096]


def test_mobilenet_of_half_width_at_128() -> None:
    """Howard et al., tables 6 and 7: 149 million multiply-adds at width 0.5, 186 at resolution 128; both together,
    49 million in Chen et al., JETCAS 2019."""
    found = {key: round(mobilenet_v1(*key).macs / 1e6) for key in ((0.5, 224), (1.0, 128), (0.5, 128))}
    assert found == {(0.5, 224): 149, (1.0, 128): 186, (0.5, 128): 49}


def test_googlenet_is_table_1_of_the_paper() -> None:
    """Szegedy et al., CVPR 2015: operations of each inception module, maps that halve."""
    network = ZOO["googlenet"]()
    layers = {layer.name: layer for layer in network.layers}
    # Millions of operations as printed, rounded and not counted alike everywhere.
    printed = {"3a": 128, "3b": 304, "4a": 73, "4b": 88, "4c": 100, "4d": 119, "4e": 170, "5a": 54, "5b": 71}
    for module, millions in printed.items():
        mine = [layer for name, layer in layers.items() if name.startswith(f"inception_{module}.")]
        assert len(mine) == 6
        assert sum(layer.macs for layer in mine) == pytest.approx(millions * 1e6, rel=0.06)
    sides = {"conv1": 112, "conv2": 56, "inception_3a.1x1": 28, "inception_4a.1x1": 14, "inception_5b.1x1": 7}
    assert {name: layers[name].P for name in sides} == sides


def test_resnet50_versions_differ_in_where_they_stride() -> None:
    v1, v1_5 = ({layer.name: layer for layer in ZOO[name]().layers} for name in ("resnet50_v1", "resnet50"))
    assert v1.keys() == v1_5.keys()
    strided = {name for name in v1 if v1[name].stride != v1_5[name].stride}
    assert strided == {f"layer{stage}.0.conv{i}" for stage in (2, 3, 4) for i in (1, 2)}


@pytest.mark.parametrize("name", list(ZOO))
def test_layers_follow_each_other(name: str) -> None:
    """A layer's input is what its producer makes, less what its windows never reach; batch grows all of it."""
    network = ZOO[name]()
    for node in network.nodes:
        if node.layer is None:
            continue
        made = network.shape_of(node.inputs[0])
        layer: Layer = node.layer
        rows_and_columns = made[2:] if len(made) == 4 else (1, 1)
        assert made[1] == layer.G * layer.C
        assert all(
            0 <= have - used < step
            for have, used, step in zip(rows_and_columns, (layer.H, layer.W), layer.stride, strict=True)
        )
        assert node.words == layer.G * layer.N * layer.K * layer.P * layer.Q
    assert network.citation
    assert network.with_batch(3).macs == 3 * network.macs
    assert sum(node_parameter_count(node) for node in network.with_batch(3).nodes) == parameter_count(network)
