"""Question sheets from templates: a seed and a student give the givens, everywhere the same.

- drawing      the numbers: a hash of what they are for
- template     what a template is; `parsing` and `reading` its YAML, templates/ the shipped ones
- values       the rules followed: names and their values
- filling      the question with the values put in, as YAML again
- judging      what speaks against a draw: it does not fit, is trivial, hides a mistake
- generation   the sheet of a student and its key; `selection` which templates it has
- paper        what of it students get to see
- roster       the students; `folder` the files they get
"""
