"""The plain tier: each operation a short loop nest that reads like its formula.

The loops run unchanged without compilation, as their own oracle. Sums are taken in
float64 and rounded once, whatever the arrays hold. A parallel loop runs over
independent outputs only, so that any number of threads gives the same bits.
"""
