"""From the training index to a trained and registered model.

pipeline  the nodes and what flows between them
nodes     a stage of training each
finished  which code finished a stage, so that changed code trains it anew
corpus    prepared clips of a split as a dataset for training
start     the trained model from which fine-tuning goes on
launch    a stage by several processes
judge     the speaker classifier on disk, or the fact that there is none
progress  what training tells: progress bar, curves, MLflow
registry  the model registry: versions, the alias `champion`
served    the registered model's code: edits clips through MLflow's common interface
"""
