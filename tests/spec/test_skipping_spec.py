"""Does the spec refuse skipping machines that make no sense, in one line that says why?"""

from __future__ import annotations

from typing import Any

import pytest

from accel.spec import Accelerator, dump, load
from workloads import InputError
from workloads.toml_file import read_toml

SKIPS = {"pe_array.zero_handling.input": "skip", "pe_array.zero_handling.weight": "skip"}
MULTICAST = load("systolic_32x32").with_values({"pe_array.arrangement": "multicast"})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"pe_array.slack": 8}, 'slack = 8: needs zero_handling "skip"'),
        ({"pe_array.matching.chunk": 16}, 'matching: needs zero_handling.input or .weight = "skip"'),
        ({"pe_array.distribution.K": "balanced"}, 'distribution.K = "balanced": needs zero_handling'),
        ({"pe_array.distribution.P": "blocked"}, 'distribution.P = "blocked": needs zero_handling'),
        ({"pe_array.distribution.C": "balanced"}, 'C = "balanced": only K can be balanced'),
        (SKIPS | {"pe_array.arrangement": "systolic"}, 'needs arrangement = "multicast"'),
        (SKIPS | {"pe_array.matching.banks": 32}, 'banks = 32: style = "inner" has no such field'),
        (SKIPS | {"pe_array.matching.width": 4}, "matching.width = 4: needs 1 or all 1 lanes"),
        (
            SKIPS | {"pe_array.matching.style": "column", "pe_array.lanes": 2},
            "matching.width = 1: needs the 2 lanes of a PE",
        ),
        (
            SKIPS | {"pe_array.matching.style": "plane", "pe_array.matching.inputs": 4},
            "matching.inputs x matching.weights = 4 x 1: needs the 1 lanes",
        ),
        (
            SKIPS | {"pe_array.matching.style": "plane", "pe_array.matching.bank_queue": 4},
            "bank_queue = 4: needs banks",
        ),
        (
            SKIPS | {"pe_array.matching.style": "plane", "pe_array.matching.halo_words_per_cycle": 1},
            'halo_words_per_cycle = 1: needs distribution.P and .Q = "blocked"',
        ),
        ({"pe_array.barrier": "window"}, 'barrier = "window": needs zero_handling "skip"'),
        ({"pe_array.lockstep": 4}, "lockstep = 4: needs slack"),
        (SKIPS | {"pe_array.slack": 8, "pe_array.lockstep": 3}, "lockstep = 3: needs a divisor of the 1024 PEs"),
        (SKIPS | {"pe_array.barrier": "chunk"}, 'barrier = "chunk": needs matching.chunk'),
        (SKIPS | {"pe_array.matching.style": "column", "pe_array.barrier": "window"}, 'needs matching.style = "inner"'),
        (SKIPS | {"pe_array.distribution.K": "bricks"}, 'K = "bricks": only C can be dealt so'),
        (SKIPS | {"pe_array.matching.style": "structured"}, 'needs zero_handling.weight = "skip" and .input = "none"'),
        (SKIPS | {"pe_array.matching.n": 1}, 'n = 1: style = "inner" has no such field'),
        ({"dma.codec.weight": "codebook"}, 'formats.codebook_bits = 0: codec "codebook" needs 1 up'),
        ({"dma.formats.n": 5}, "n = 5: needs at most m = 4"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError) as error:
        MULTICAST.with_values(changes)
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_a_skipping_machine_goes_through_toml(tmp_path: Any) -> None:
    spec = MULTICAST.with_values(
        SKIPS | {"pe_array.slack": 8, "pe_array.matching.chunk": 128, "pe_array.distribution.K": "balanced"}
    )
    path = tmp_path / "chip.toml"
    path.write_text(dump(spec), encoding="utf-8")
    assert Accelerator.from_values(read_toml(path)) == spec
    assert spec.pe_array.skips and not MULTICAST.pe_array.skips
