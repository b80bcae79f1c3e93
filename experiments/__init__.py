"""Published measurements and other simulators beside this one: `python -m experiments.NAME`.

Each module has a function that returns a table (the tests call it) and a `main` that prints it. Figures of papers are
in `data/`, with the paper; nothing here is fitted.

Reading order: `start` (each of them as a program), `compare` (errors and bounds), `eyeriss_v1`, `zhang_fpga15`,
`scalesim`, `dataflows`, `bench`, `validation` (all of them as the table in README.md), `pictures` (those in docs/).
"""
