"""The fast tier: what a module here lacks, the plain tier supplies."""
