"""All cells of the simulation."""

from benchmarks.simulation import alarms, comparing, coverage, gates, maps
from benchmarks.simulation.cell import Cell

CELLS: tuple[Cell, ...] = (*coverage.CELLS, *gates.CELLS, *maps.CELLS, *alarms.CELLS, *comparing.CELLS)
