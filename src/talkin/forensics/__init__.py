"""Telling edited pictures from filmed ones: a baseline, trained on this project's own edits.

- `features`: what a frame's mouth has more or less of than the face around it.
- `detector`: a logistic regression on those, scored on speakers it has not seen; its ROC.
"""
