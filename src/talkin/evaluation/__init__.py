"""How good it is, in numbers and to look at.

metrics            expression and landmark errors (Eq. 5), LMD, mouth opening
articulation       lips that meet on p, b and m; movement in silence
lip_sync           offset of sound and lips, without trained weights
picture_metrics    PSNR, SSIM, sharpness, flicker
blur               CPBD: the share of sharp edges
pretrained_metrics, onnx_embedder, syncnet, pretrained_watch
                   LPIPS, FID, identity, LSE-D and LSE-C, from local weight files
clip_scores        `evaluate_clip`: one held-out clip beside doing nothing and the truth
heard_faces        what the audio networks hear in a clip
painted_frames     what the renderer paints of it
held_out_windows   a clip through the renderer, and through the encoder
leaks              that nothing of the test split was in training
crossings, crossed_pictures
                   every sound on every face, against an exact truth: landmarks, pictures
breakdown          the error by view, sound, speaker and time
summary            corpus figures with intervals, as a table and as flat keys
conditions         region, codec, point set and seed of the figures
clip_pairs, clip_folders, pair_tables
                   `talkin score`: clips of any system beside the real ones
grid_corpus, grid_sounds
                   GRID as published, the paper's splits of it, and the sounds of its words
tsne, voice_page   what identity removal does to the voices (Fig. 9), with a speaker probe
paper_figures      what the paper published for its full model
paper_tables, table_rows, contrasts, table_writing
                   the paper's tables, filled with our figures, how far rows lie apart, and both
                   as Markdown and LaTeX
paper_variants     the models that the tables set beside the full one
charts             the figures of the report
embedding          pictures and clips as parts of a page
report_tables, report_groups
                   what of a summary is shown, and how it is written
report             `write_report`: one self-contained HTML page
"""
