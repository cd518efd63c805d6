"""How good it is, in numbers and to look at.

metrics            expression and landmark errors (Eq. 5), mouth opening, silence, lip closure
picture_metrics    PSNR, SSIM, sharpness, flicker
clip_scores        `evaluate_clip`: one held-out clip beside doing nothing and the truth
heard_faces        what the audio networks hear in a clip
painted_frames     what the renderer paints of it
held_out_windows   a clip through the renderer, and through the encoder
summary            corpus figures with intervals, as a table and as flat keys
tsne               what identity removal does to the voices (Fig. 9), with a speaker probe
paper_figures      what the paper published
charts             the figures of the report
embedding          pictures and clips as parts of a page
report_tables      what of a summary is shown, and how it is written
report             `write_report`: one self-contained HTML page
"""
