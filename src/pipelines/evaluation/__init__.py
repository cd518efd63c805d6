"""From a trained model and held-out clips to metrics and a report.

pipeline     the nodes and what flows between them
nodes        the check for leaks, scores of each clip and crossing, their summary, the map of voices
report_node  the report, and where everything in it came from
"""
