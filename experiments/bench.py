"""How fast it is: medians of CPU and wall seconds on this machine, targets and other simulators beside them.

Times in this process are warm: one run before the first that counts. What the first use on a machine costs (compiling
the kernels into an empty cache), memory and start-up are measured in processes of their own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median

import numpy as np

from accel import load
from accel.assignment import assign
from accel.closed_form import costs
from accel.compute import compute
from accel.evaluation import evaluate
from accel.machine import play
from accel.mapper import explore
from accel.program import TileProgram
from accel.simulation import simulate_layer
from accel.sparse_work import match_work
from accel.spec import preset_names
from accel.task import array_shape
from experiments.compare import show
from experiments.start import start
from mappings import Budget, Loop, Mapping, MapSpace
from mappings.dataflows import candidates
from workloads import Density, Layer, Tensors
from workloads import load as load_network
from workloads.operands import draw
from workloads.pruning import pruned

PEERS = (
    "SCALE-Sim: 125 CPU seconds and 2.6 GB for AlexNet on 32x32, 10 CPU minutes for ResNet-50",
    "STONNE: 0.5 to 2.8 million MACs a CPU second",
    "ZigZag: 68 to 110 CPU seconds to map AlexNet or ResNet-18, 150 to 230 mappings a CPU second",
    "nn_dataflow: 0.8 to 1.4 CPU seconds with its solver for one fixed dataflow, 23 to 76 exhaustively",
    "AccelForge: one 3x3 convolution on its own Eyeriss not finished in 14 CPU minutes",
    "Timeloop: 140 to 480 mappings a CPU second, 50 to 130 valid; 16 to 43 CPU seconds a layer for 2,000 of those",
)
"""Measured for scale, once, on another machine."""

ACCEL = (sys.executable, "-c", "import sys; from accel.cli import main; sys.exit(main())")
"""The command `accel`, also where it is not installed."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Median seconds of a task; `rate` in `unit` is its throughput, or what else the task says."""

    task: str
    cpu_s: float
    wall_s: float
    runs: int
    rate: float | None = None
    unit: str = ""
    target: str = ""

    def row(self) -> dict[str, object]:
        """As a line of the table."""
        result = "" if self.rate is None else f"{self.rate:,.{0 if self.rate >= 100 else 2}f} {self.unit}"
        times = {"CPU s": self.cpu_s, "wall s": self.wall_s, "runs": self.runs}
        return {"task": self.task, **times, "result": result, "target": self.target}


def timed(
    task: str, work: Callable[[], object], runs: int, amount: float | None = None, unit: str = "", target: str = ""
) -> Timing:
    """Run once to warm up, then `runs` times."""
    work()
    cpu, wall = [], []
    for _ in range(runs):
        started, used = time.perf_counter(), time.process_time()
        work()
        wall.append(time.perf_counter() - started)
        cpu.append(time.process_time() - used)
    # One thread waits for other processes in wall time, several threads add up in CPU time.
    rate = None if amount is None else amount / min(median(wall), median(cpu))
    return Timing(task, median(cpu), median(wall), runs, rate, unit, target)


def network(name: str, runs: int, target: str = "") -> Timing:
    """A whole network with the mapping search, without tensors; no mapping or result is kept from run to run."""
    net, chip = load_network(name), load("eyeriss_v1")
    return timed(f"{name} on eyeriss_v1, search and simulation", lambda: evaluate(net, chip), runs, target=target)


def program(steps: int, seed: int = 0) -> TileProgram:
    """A program in which nothing repeats: every step loads inputs and weights of another size, most store outputs."""
    generator = np.random.default_rng(seed)
    bits = generator.integers(1, 1 << 16, (steps, 4))
    bits[:, 2] = 0
    bits[generator.random(steps) < 0.3, 3] = 0
    waits = np.zeros((steps, 4), dtype=np.int64)
    waits[2:] = np.where(bits[2:] > 0, 2, 0)
    resident = np.zeros((steps, 2), dtype=np.int64)
    compute_cycles = generator.integers(100, 2000, steps)
    return TileProgram(bits, -(-bits // 64), compute_cycles, waits, resident, 4, 100, 20, 6, 2)


def machine(steps: int, runs: int) -> Timing:
    """The five parts, event by event."""
    columns = program(steps)
    return timed(
        f"machine, {steps} tile steps without repetition", lambda: play(columns), runs, steps, "steps/s", ">= 20,000"
    )


def kernel(size: int, runs: int) -> Timing:
    """The exact integer kernel on a 3x3 layer of `size` x `size` maps."""
    generator = np.random.default_rng(0)
    layer = Layer("conv", K=128, C=128, P=size, Q=size, R=3, S=3, padding=(1, 1, 1, 1))
    words, weights = (
        generator.integers(-128, 128, shape, dtype=np.int16) for shape in (layer.input_shape, layer.weight_shape)
    )
    layer = layer.with_tensors(Tensors(words, weights))
    mapping = Mapping(
        "bench",
        off_chip=(Loop("K", 8),),
        on_chip=(Loop("C", 8),),
        registers=(Loop("P", size), Loop("Q", size), Loop("R", 3), Loop("S", 3)),
        rows=(Loop("K", 16),),
        columns=(Loop("C", 16),),
    )
    task = f"integer kernel, 3x3, 128 to 128 channels, {size}x{size}"
    return timed(task, lambda: compute(layer, mapping), runs, layer.macs / 1e9, "GMAC/s", ">= 1")


def two_sided(size: int, runs: int) -> Timing:
    """The kernel that matches nonzero inputs with nonzero weights, values and cycles of every PE in one walk."""
    layer = Layer(
        "conv", K=128, C=128, P=size, Q=size, R=3, S=3, padding=(1, 1, 1, 1), density=Density(input=0.3, weight=0.3)
    )
    layer = replace(layer, tensors=draw(layer))
    mapping = Mapping(
        "bench",
        on_chip=(Loop("K", 16), Loop("P", size)),
        registers=(Loop("Q", size), Loop("C", 128), Loop("R", 3), Loop("S", 3)),
        rows=(Loop("K", 8),),
    )
    place = assign(layer, mapping)
    return timed(
        f"both operands skipped, values and cycles, 30 % x 30 %, 3x3, 128 channels, {size}x{size}",
        lambda: match_work(layer, place, values=True), runs, layer.macs / 1e9, "G MAC slots/s", ">= 1",
    )  # fmt: skip


def fully_connected(runs: int) -> Timing:
    """VGG-16's largest layer on EIE, its 103 million weights drawn, coded and dealt to the PEs."""
    chip = load("eie")
    layer = next(layer for layer in pruned(load_network("vgg16"), "han2015").layers if layer.name == "fc6")
    mapping = candidates("input_broadcast", layer, array_shape(chip))[0][0]
    return timed("vgg16 fc6 on eie", lambda: simulate_layer(layer, mapping, chip), runs, target="< 2 s")


def presets(names: Sequence[str], name: str, targets: tuple[str, str]) -> list[Timing]:
    """A network on every preset, mapping search included, nothing kept; pruned as published where the array skips.

    Every preset runs at its own bits. Compiling is done before, on a smaller network; the last row is the sum.
    """
    found = []
    for preset in names:
        chip, handling = load(preset), load(preset).pe_array.zero_handling
        net = load_network(name)
        if "skip" in (handling.input, handling.weight):
            net = pruned(net, "han2015")
        evaluate(load_network("lenet5"), chip)
        started, used = time.perf_counter(), time.process_time()
        evaluate(net, chip)
        wall, cpu = time.perf_counter() - started, time.process_time() - used
        found.append(Timing(f"{name} on {preset}", cpu, wall, 1, target=targets[0]))
    total = Timing(f"{name} on all presets", 0.0, 0.0, 1, target=targets[1])
    return [*found, replace(total, cpu_s=sum(one.cpu_s for one in found), wall_s=sum(one.wall_s for one in found))]


def closed_form(passes: int, tilings: int, runs: int) -> Timing:
    """Closed-form costs on one thread: random passes of one layer, each with random tilings of them into tiles."""
    chip = load("eyeriss_v1")
    layer = next(layer for layer in load_network("resnet50").layers if layer.R == 3)
    space = MapSpace(layer, array_shape(chip))
    column = space.sample(next(space.shapes()), passes * tilings, np.random.default_rng(0), tilings)
    task = f"estimate of {layer.name}, one thread, {tilings} tilings a pass"
    return timed(task, lambda: costs(layer, column, chip, threads=1), runs, len(column), "mappings/s", ">= 1,000,000")


def mapping(name: str, runs: int, target: str = "") -> Timing:
    """Search every distinct layer for the least energy-delay product, and simulate the best few; nothing is cached."""
    chip = load("eyeriss_v1")
    layers = list(dict.fromkeys(replace(layer, name="layer") for layer in load_network(name).layers))
    budget = Budget(20_000)
    number = sum(explore(layer, chip, budget=budget).costed for layer in layers)
    task = f"mapping the {len(layers)} distinct layers of {name} for eyeriss_v1"
    return timed(
        task, lambda: [explore(layer, chip, budget=budget) for layer in layers], runs, number, "mappings/s", target
    )


def peak_memory() -> Timing:
    """The largest resident set of a process that simulates vgg16."""
    # Linux's ru_maxrss counts the process that started this one too, which is as large as the tasks before left it.
    code = (
        "import pathlib, resource, sys, workloads, accel; from accel.evaluation import evaluate;"
        "evaluate(workloads.load('vgg16'), accel.load('eyeriss_v1'));"
        "status = pathlib.Path('/proc/self/status');"
        "lines = status.read_text().splitlines() if status.exists() else [];"
        "kib = [int(line.split()[1]) for line in lines if line.startswith('VmHWM:')];"
        "most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "print(kib[0] if kib else most / 1024 if sys.platform == 'darwin' else most)"
    )
    wall, cpu, output = _process([sys.executable, "-c", code])
    return Timing("vgg16 on eyeriss_v1, whole process", cpu, wall, 1, float(output) / 1024, "MiB peak", "< 1 GB")


def first_run() -> Timing:
    """The command line's first network on a machine: kernels are compiled and cached."""
    with tempfile.TemporaryDirectory() as cache:
        command = [*ACCEL, "run", "alexnet", "--on", "eyeriss_v1"]
        folders = {"NUMBA_CACHE_DIR": cache, "XDG_CACHE_HOME": cache}
        wall, cpu, _ = _process(command, **folders)
        again, _, _ = _process(command, **folders)
    return Timing("accel run alexnet, the first time ever", cpu, wall, 1, again, "s the second time", "< 60 s")


def help_text(runs: int) -> Timing:
    """`accel --help` from a cold start of Python."""
    found = [_process([*ACCEL, "--help"])[:2] for _ in range(runs + 1)][1:]
    wall, cpu = (median(times) for times in zip(*found, strict=True))
    return Timing("accel --help", cpu, wall, runs, target="< 0.3 s")


def _process(command: list[str], **environment: str) -> tuple[float, float, str]:
    """Wall and CPU seconds of a process, and what it printed."""
    import resource

    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=os.environ | environment)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def run(quick: bool = False) -> list[Timing]:
    """Every task; `quick` takes smaller ones, once, and leaves out the processes."""
    if quick:
        return [network("lenet5", 1), machine(2_000, 1), kernel(14, 1), two_sided(14, 1), closed_form(8, 256, 1)]
    return [
        network("resnet50", 3, "< 5 s"),
        network("alexnet", 3),
        network("resnet18", 3),
        machine(20_000, 3),
        kernel(56, 5),
        two_sided(56, 3),
        fully_connected(3),
        *presets(preset_names(), "alexnet", ("< 8 s", "< 60 s")),
        closed_form(800, 256, 3),
        closed_form(12_500, 16, 3),
        mapping("resnet18", 3, "< 3 s"),
        mapping("resnet50", 3, "< 10 s"),
        peak_memory(),
        first_run(),
        help_text(5),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Speed and memory on this machine.")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--quick", action="store_true", help="smaller tasks, once")
    arguments = parser.parse_args()
    timings = run(arguments.quick)
    about = {"cores": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
    if arguments.json:
        print(json.dumps({**about, "timings": [asdict(timing) for timing in timings], "peers": PEERS}, indent=1))
        return
    title = f"Medians on {about['cores']} cores ({about['machine']}, Python {about['python']})"
    show(title, [timing.row() for timing in timings])
    print("For scale, measured once on another machine:")
    for peer in PEERS:
        print(f"  {peer}")


if __name__ == "__main__":
    start(main)
