"""Editing: footage and new speech in, the same footage with a mouth that speaks it out.

- `edit_clip`: the whole way for one clip; `EditConfig`, `edit_clip`, `EditReport`.
- `request`: what is asked, checked before any work is done.
- `driving`: sound to expression at every output frame; silence closes the mouth.
- `plan`: `plan_edit`, the whole edit in numbers.
- `shots`: where the footage is cut; nothing is carried across.
- `timing`: which footage frame each output frame shows.
- `speech_activity`: `is_speech`, when the new sound speaks.
- `head_motion`: `head_motion` and `is_blink`, how lively each footage frame is.
- `frame_selection`: `select_frames` (Algorithm 1).
- `landmark_smoothing`: `smooth_mouth` (Algorithm 2) and a zero-lag way that beats it.
- `rendering`: overlapping windows through the renderer, streamed.
- `overlap`: decoding, painting and encoding side by side.
- `painting`: `MouthPainter`, the second pass: render, post-process, paste.
- `masks`: `mouth_mask`, where the new mouth is pasted.
- `compositing`: `composite`, Poisson blending and the way back into the frame.
- `deflicker`: `deflicker` (Eq. 7) and a faster, gentler way.
- `teeth`: `transfer_teeth`, the teeth proxy of appendix F.
- `report`: `EditReport`, what an edit did and how long each stage took.
- `side_by_side`: `write_side_by_side`, clips beside each other with sound.
"""
