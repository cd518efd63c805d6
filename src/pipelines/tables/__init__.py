"""From the results of runs to the paper's tables.

pipeline  the nodes and what flows between them
nodes     filling the tables, and writing them as Markdown and LaTeX
"""
