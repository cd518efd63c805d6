"""The user study (B.2): clips for people to rate.

Exported once and on purpose, so it is no part of a plain `kedro run` nor of `dvc repro`: a study
that people are answering must not change under them. Serving and reporting are `talkin study`.
"""
