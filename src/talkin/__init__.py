"""Edit what a person says in a video.

The rooms, in the order in which data flows through them:

    footage     decode and encode video and sound, MFCC, landmark detection and tracking
    face3d      the morphable model, its camera, fitting it to a clip
    samples     face crops, audio windows, heatmaps, masks: what a network sees
    networks    identity removal, audio to expression, renderer, discriminator, speaker classifier
    losses      one function a term of the paper's objective
    training    the loop, its schedule, checkpoints with exact resume
    editing     frame selection, smoothing, rendering, compositing: footage in, edited video out
    avatar      synthetic speakers with exact truth: the embedded demo corpus
    evaluation  metrics, plots, report
    provenance  consent of the people in the footage
"""

from talkin.compiled_code import find_place_for_compiled_code

__version__ = "0.1.0"

find_place_for_compiled_code()
