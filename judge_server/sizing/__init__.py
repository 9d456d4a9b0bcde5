"""How large an installation must be: a workload, an engine, and a simulation of one on the other."""
