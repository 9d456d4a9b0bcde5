"""All cells of the simulation."""

from benchmarks.simulation import coverage
from benchmarks.simulation.cell import Cell

CELLS: tuple[Cell, ...] = (*coverage.CELLS,)
