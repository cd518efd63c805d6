"""From a trained model and a table of jobs to edited clips.

pipeline  the nodes and what flows between them
requests  the list of edits that a user asks for, read and checked
people    who is seen and heard in the files that it names
tasks     what each edit depends on
nodes     which edits to make, and making them
steps     one edit: the clip, its truth where that is known, both beside the target
"""
