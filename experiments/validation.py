"""The validation table of README.md, worst cases first: `python -m experiments.validation` writes it there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from accel.output import write_text
from experiments import eie, eyeriss_v1, eyeriss_v2, scalesim, scnn, zhang_fpga15
from experiments.compare import Verdict, bound, signed
from experiments.start import start

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- validation: begin -->\n", "<!-- validation: end -->\n"


def verdicts() -> list[Verdict]:
    """Every comparison with a published figure or a closed form."""
    systolic = scalesim.verdicts(scalesim.run())
    sparse = [*eie.verdicts(eie.run()), *scnn.verdicts(scnn.networks(), scnn.densities(), [])]
    dense = [*eyeriss_v1.verdicts(eyeriss_v1.run()), *eyeriss_v2.verdicts(eyeriss_v2.run())]
    return [*dense, *zhang_fpga15.verdicts(zhang_fpga15.run()), *sparse, *systolic]


def table(found: Iterable[Verdict]) -> str:
    """A Markdown table; the largest error first."""
    lines = [
        "| reference | quantity | cases | worst error | mean error | bound: each, mean |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for one in sorted(found, key=lambda one: -abs(one.worst[1])):
        each, mean = bound(one.each_percent), bound(one.mean_percent)
        bounds = each if each == mean else f"{each}, {mean}"
        name = f" ({one.worst_case.split(',')[0]})" if len(one.cases) > 1 and one.worst[1] else ""
        worst = f"{signed(one.worst[1])}{name}" if one.worst[1] else "none"
        average = f"{one.mean:.1f} %" if one.mean else "none"
        failed = "" if one.passed else " **FAIL**"
        lines.append(f"| {one.against} | {one.quantity} | {len(one.cases)} | {worst} | {average} | {bounds}{failed} |")
    return "\n".join(lines) + "\n"


def replaced(text: str, new: str) -> str:
    """The text with what stands between the markers replaced."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + new + END + rest.split(END)[1]


def main() -> None:
    found = table(verdicts())
    write_text(README, replaced(README.read_text(encoding="utf-8"), found))
    print(found)


if __name__ == "__main__":
    start(main)
