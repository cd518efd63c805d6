"""From the results of runs to the paper's tables.

pipeline  the nodes and what flows between them
nodes     filling the tables, and writing them as Markdown and LaTeX
variants  the dataset of results by variant: the full model and its ablations
"""
