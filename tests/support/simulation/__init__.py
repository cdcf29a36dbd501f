"""A world in which the real sequencer runs: simulated database, network, clock and anchor.

Nothing here waits or forks: a run is one thread, and everything that happens in it is drawn from
one seed. Processes interleave at the calls that they make to their store and between their steps.
"""
