"""What was computed of a question is kept with it, and goes with it.

A class asks for the same key a thousand times. Notes are no field: objects that differ
in them alone are equal, and `dataclasses.replace` starts without.
"""

from typing import Any

from cnncalc.homework.model import NOTES


def kept(thing: Any) -> dict[Any, Any]:
    """The notes on an object, empty at first."""
    attributes = vars(thing)
    notes: dict[Any, Any] | None = attributes.get(NOTES)
    if notes is None:
        notes = attributes[NOTES] = {}
    return notes
