"""The synthetic corpus: footage of speakers who do not exist, with exact truth.

pipeline  the nodes and what flows between them
nodes     rendering every clip, and the manifest and consent register that go with them
"""
