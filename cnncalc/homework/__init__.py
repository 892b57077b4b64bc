"""Homework: a key that is computed from the givens, and answers that are understood.

- questions/   a file of questions, read and judged, with its positions
- key/         what is asked, computed from what is given
- answers/     what a student wrote, read as people write it
- marking      an answer against the key: outcome, points, reason
- diagnosis/   the mistake that a wrong answer comes from
- grading/     a folder of answers to marks, feedback, gradebook and statistics
- quiz/        new questions, the same for the same student everywhere
"""
