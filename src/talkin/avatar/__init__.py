"""Synthetic speakers with exact truth: the embedded default corpus.

- `plan`, `corpus`: what the corpus holds (`CorpusConfig`, `plan_corpus`), and rendering it clip by
  clip (`render_clip`, `write_manifest`, `render_with_expression`: the exact truth of an edit).
- `spoken`: a clip's sound and exact face without drawing it (`speak_clip`).
- `grammar`, `lexicon`, `speech`, `voices`, `espeak`, `vocal_tract`: what is
  said, and how it sounds.
- `visemes`, `motion`, `performance`: how mouth, lids, brows and head move with it.
- `speaker`, `person`, `head`, `hair`, `texture`, `skin_marks`, `part_paint`: who speaks.
- `scene`, `studio`, `rasteriser`, `shading`, `occlusion`, `exposure`, `surface`: the picture.
- `calibration`: which model vertex each MediaPipe point sees, measured on renders.
"""
