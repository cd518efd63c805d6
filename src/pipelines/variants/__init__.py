"""From prepared footage and the full model to the models that the paper's tables set beside it.

Hours of training that only the tables need, so no part of a plain `kedro run` nor of `dvc repro`.

pipeline  the nodes and what flows between them
nodes     every chosen variant trained, scored and filed; what is up to date is left alone
plan      which models a variant consists of, from which clips and with which settings
learning  one model: what it takes over from the full one, what it learns itself
"""
