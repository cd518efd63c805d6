"""A baseline that tells edits from footage, trained on the edits that `editing` has made.

pipeline  the nodes and what flows between them
nodes     features of edits and of the same footage encoded alike; the detector, its ROC
page      the ROC as a page
"""
