"""Energy of the registers inside a PE."""

from __future__ import annotations

from accel.energy.base import Curve, Points, power_law_between


class RegisterFile(Curve):
    """One access per bit, by the words of the file."""

    words: Points
    fj_per_bit: Points

    @classmethod
    def _columns(cls) -> tuple[str, str]:
        return "words", "fj_per_bit"

    def access_pj(self, words: int, bits: int) -> float:
        """One read or write of a word of `bits` in a file of `words`; 0 without a file. Beyond the table: sqrt."""
        if words == 0:
            return 0.0
        return bits * power_law_between(words, self.words, self.fj_per_bit, below=0.0, above=0.5) / 1000
