"""Each layer kind against numbers worked by hand; one file per family."""
