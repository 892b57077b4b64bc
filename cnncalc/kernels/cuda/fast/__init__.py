"""The fast tier on a GPU; what it lacks, the plain tier computes."""
