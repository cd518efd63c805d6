"""What the catalog can load and save beside Kedro's own datasets.

    clip_files  a folder with a file a clip: sound, landmarks, face parameters, crops, ...
    kinds       the kinds of file that such a folder may hold
    table       a table whose columns are described in the catalog
    records     what a preparing step did with each clip
    video       a clip that shows itself in a notebook
    model       a trained network's folder
    variants    results of the full model and its variants, by name
    manifest    the footage manifest, the footage table and the table of edits asked for
    consent     the consent register
    documents   JSON and HTML files

Catalog entries name them by module: `type: pipelines.datasets.clip_files.ClipFilesDataset`.
"""
