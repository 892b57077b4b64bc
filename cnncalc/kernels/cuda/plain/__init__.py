"""The plain tier on a GPU: each operation one short kernel, one thread to an output.

A thread reads what its output depends on and writes that output alone; gradients are
gathered, never scattered with atomic additions. So no result depends on the order
in which threads run. Values are float64 from the first operation to the last and rounded once,
whatever the arrays hold.
"""
