"""Training and editing samples: aligned crops, windows and heatmaps.

- `alignment`: where the face crop lies in each frame, cutting it out, the mouth mask.
- `crops`: one clip's face crops in one memory-mapped file, readable at random.
- `windows`: the 1 s of sound around a picture.
- `voice`: a clip's cepstra without its speaker's own average.
- `sync`: how late a clip's sound is against its lips, and moving it back.
- `heatmaps`: landmarks as pictures, differentiable.
- `mouth_warp`: a picture's mouth drawn in the shape of another moment.
- `lent_mouths`: other moments of the same person whose mouth is like a wanted one.
- `dataset`: prepared clips as a torch dataset.
- `sample`: one window of frames with its sound and face, and batches of them.
- `order`: which samples a step sees.
"""
