"""A file of questions, read and judged, every value with its line."""

from cnncalc.homework.questions.sheet import read_sheet, sheet_from_text

__all__ = ["read_sheet", "sheet_from_text"]
