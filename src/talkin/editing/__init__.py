"""Editing: footage and new speech in, the same footage with a mouth that speaks it out.

- `edit_clip`: the whole way for one clip; `EditConfig`, `edit_clip`, `EditReport`.
- `request`: what is asked, checked before any work is done.
- `edit_list`, `assembling`: pieces of recordings, cut and joined to new speech.
- `following`: the first pass, the face through the footage.
- `driver`: what drives, a sound or the face of a video (`driving_video`).
- `driving`: sound to expression at every output frame; silence closes the mouth.
- `plan`: `plan_edit`, the whole edit in numbers.
- `shots`: where the footage is cut; nothing is carried across.
- `timing`: which footage frame each output frame shows.
- `speech_activity`: `is_speech`, when the new sound speaks.
- `head_motion`: `head_motion` and `is_blink`, how lively each footage frame is.
- `frame_selection`: `select_frames` (Algorithm 1).
- `landmark_smoothing`: `smooth_mouth` (Algorithm 2) and a zero-lag way that beats it.
- `rendering`: overlapping windows through the renderer, streamed.
- `engine`: the renderer run on what is shown alone, in bfloat16 where that is faster.
- `unfinished`, `pieces`: what is done is kept, so that a stopped edit goes on.
- `preview`: a small copy of the footage for a quick look.
- `painting`: `MouthPainter`, the second pass: render, post-process, paste.
- `mouth_source`: network or footage, who draws the mouth; `mouth_trial` asks both.
- `lending`, `footage_mouths`: the target's own mouths, chosen and warped to the wanted ones.
- `masks`: `mouth_mask`, where the new mouth is pasted.
- `compositing`: `composite`, Poisson blending and the way back into the frame.
- `deflicker`: `deflicker`, along the motion of the landmarks, and Eq. 7 as printed.
- `teeth`: `transfer_teeth`, the teeth proxy of appendix F; `footage_teeth` fills its database.
- `report`: `EditReport`, what an edit did and how long each stage took.
- `side_by_side`: `write_side_by_side`, clips beside each other with sound.
"""
