"""The examples of these pages are run by tests/test_docs.py, not one by one as doctests.

They need the specs that their page defines, and cover more than Python.
"""

collect_ignore_glob = ["*.md"]
