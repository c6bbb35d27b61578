"""A fuzz of the public interface: each argument of each callable, exchanged in turn.

`table` has a row for every callable of the reference: a valid call, and for each of its arguments a
kind. A kind (`kinds`, `arrays`, `objects`) has a plain value and lists what is tried in its place,
each with what must come of it. `worker` makes the calls in a process of its own, `outcome` classes
what came of them, `run` starts the worker anew where a call kills it, and counts.
"""
