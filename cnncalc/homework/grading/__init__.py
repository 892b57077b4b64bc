"""A folder of answer files to marks: who handed in what, marked, kept, counted.

- roster       the class list, with groups
- naming       whose file it is, from its name
- submissions  what lies in the folder, and what is left out
- entries      one paper for each student: the latest, the best, the group's
- digests      what a mark depends on
- worker       one process that marks file after file
- pool         several of them, each file with its time limit
- cluster      the same on a Dask cluster, through joblib
- state        what is marked already, so that an interrupted run goes on
- records      a marked paper as JSON
- statistics   which answers were wrong, how often, and why
"""
