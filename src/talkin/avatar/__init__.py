"""Synthetic speakers: a corpus of talking faces with exact truth, and nobody's real face or voice.

- `plan`: `CorpusConfig` and its presets, `ClipPlan`, `plan_corpus`.
- `corpus`: `render_clip`, `write_manifest`, `render_with_expression` (the exact truth of an edit).
- `performance`: what a speaker says and does in a clip, before anything is drawn.
- `speaker`: who speaks; `voices`, `speech`, `espeak`, `vocal_tract`: how they sound.
- `grammar`, `lexicon`: what they say; `visemes`, `motion`: how mouth and head move.
- `person`: one speaker as a mesh, from `head`, `hair`, `texture`, `skin_marks`, `part_paint`.
- `scene`: camera, light (`studio`), baked shadows (`occlusion`) and the picture of a pose.
- `rasteriser`, `shading`, `exposure`, `surface`: the renderer.
- `calibration`: which model vertex each MediaPipe point sees.
"""
