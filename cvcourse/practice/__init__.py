"""Exercises that check an answer by what it does: one module a chapter, named after its notebook.

::

    from cvcourse.practice import one_layer as practice

    practice.parameters.check(7_000)  # what is wrong, and which mistake it most likely is
    practice.parameters.hint()
    practice.parameters.solution()
    practice.quiz  # in a notebook: the questions that end the chapter

A wrong answer never raises. What exercises are made of: `exercise` (feedback, hint, solution), and
its kinds `number`, `function` and `project`; `quiz`.
"""
