"""`python -m accel` is the command `accel`."""

from __future__ import annotations

from accel.cli import main

if __name__ == "__main__":
    main()
