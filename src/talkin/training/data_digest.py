"""A fingerprint of what a stage learns from, so that it never goes on with other data."""

import hashlib

import numpy as np

from talkin.samples.dataset import TalkingDataset


def dataset_digest(dataset: TalkingDataset) -> str:
    """Digest of clips, speakers, fitted faces, sound and pictures.

    Pictures of a crop file count by the checksums that lie in it, others by their number alone.
    """
    digest = hashlib.sha256(dataset.config.model_dump_json(exclude={"cache_mb"}).encode())
    digest.update(repr((dataset.speakers, dataset.face_model.name)).encode())
    for clip in dataset.clips:
        n_crops = len(clip.crops) if clip.crops is not None else 0
        pictures = getattr(clip.crops, "checksum", None)
        digest.update(repr((clip.clip, clip.speaker, n_crops, pictures)).encode())
        parameters = clip.parameters
        for values in (parameters.expression, parameters.pose, parameters.geometry, clip.mfcc):
            digest.update(np.ascontiguousarray(values, dtype=np.float32).tobytes())
        digest.update(np.packbits(parameters.is_valid).tobytes())
    return digest.hexdigest()[:16]
