"""From a trained model and held-out clips to metrics and a report.

pipeline  the nodes and what flows between them
nodes     scores of each clip, their summary, the map of voices, the report
"""
