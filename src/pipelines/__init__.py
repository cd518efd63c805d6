"""The Kedro package: wiring, datasets and tracking around the library `talkin`.

demo        render the synthetic corpus: the default input
preprocess  footage -> sound, landmarks, face parameters, crops, MFCC, training index
training    training index -> trained, registered model
editing     model and jobs -> edited clips
evaluation  model and held-out clips -> metrics and report

clips              "for every clip": in parallel, skipping what is up to date, keeping rejects
step_records       what a step did with a clip, and the fingerprint that says what is up to date
cluster            clips on many machines, by Dask
code_version       a digest of the code behind a result, which decides what is up to date
datasets           what the catalog can load and save
hooks, tracking    MLflow
local_database     the project's own MLflow database: locked? moved?
model_command      `talkin model`: list, compare, promote, repair
model_contest      two versions of the model on the same clips
model_versions     the registry's versions and aliases
versions           what a run was made from: code, data, packages
notebooks          the catalog of the project around a notebook
rows               tables row by row
refusals           one line for what a user can mend, no traceback
arithmetic         the same sums on every processor
lazy               names of heavy modules that are imported when a run needs them
pipeline_registry  the folders above, by name
results            where the results lie, for `make demo`
settings           Kedro's settings
"""

from pipelines.arithmetic import choose_kernel

choose_kernel()
