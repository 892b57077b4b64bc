"""What is computed of a question is computed once, goes with it and does not travel."""

import gc
import pickle
import weakref

from cnncalc.homework.key import right
from tests.homework.asked import marks, sheet

QUESTION = """
- id: pad
  input: 1@16x16
  layers: [{conv: 1, kernel: 5, pad: "?"}]
  ask: pad
  target: same
"""


def test_a_key_is_computed_once():
    (question,) = sheet(QUESTION).questions
    assert right(question, question.parts[0]) is right(question, question.parts[0])


def test_sheets_with_keys_are_equal_and_travel_without_them():
    one, other = sheet(QUESTION), sheet(QUESTION)
    right(one.questions[0], one.questions[0].parts[0])
    assert one.questions[0].parts == other.questions[0].parts
    sent = pickle.loads(pickle.dumps(one))
    assert right(sent.questions[0], sent.questions[0].parts[0]).value == (2,)


def test_nothing_is_kept_of_a_sheet_that_is_gone():
    one = sheet(QUESTION)
    marks(one, "2")
    gone = weakref.ref(one.questions[0])
    del one
    gc.collect()
    assert gone() is None
