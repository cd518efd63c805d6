"""From raw footage to what training reads: sound, landmarks, face parameters, crops, MFCC.

pipeline  the nodes and what flows between them
nodes     every node: which clips, in what order, with which fingerprint
steps     one clip's work in each step
tables    the footage table, the training index and the rejects
"""
