"""Training: speaker classifier, then audio networks, renderer, and all of them jointly.

config              `TrainingConfig`: stages, optimisers, losses, machine.
events              `TrainingEvent`: what a report callback is told.
audio_corpus        Sound and face of all frames as flat arrays; the audio stages need no pictures.
cepstral_warp       Another voice, as a matrix on cepstra.
data_digest         Fingerprint of the data, so that no stage goes on with other data.
checkpoint          State of a stage in one safetensors file; exact resume.
best_state          The state of a stage that did best on held-out data.
parallel            Several processes that behave as one with a larger batch.
stage               `Stage` and `run_stage`: the loop that all stages share.
speaker_classifier  `train_speaker_classifier`.
audio               `train_audio`.
pictures            Batches, losses and adversary that both picture stages share.
kept_adversary      The discriminator between two picture stages.
picture_stage       The step that both picture stages share.
renderer            `train_renderer`.
joint               `train_jointly`: end to end, picture gradients reaching the audio networks.
validation          Errors of sound and pictures on held-out samples.
whole               `new_talking_face`, `train_talking_face`: the chosen stages in a row.
"""
