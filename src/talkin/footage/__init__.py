"""Footage: from a file to pictures, sound, cepstra and landmarks on one clock.

- `video`: probe, read at a constant rate, write (`VideoInfo`, `probe_video`, `Frame`,
  `iter_frames`, `VideoWriter`); `video_writer` and `sound_track` are its writing half,
  `picture_clock` keeps the times of its reading half.
- `audio`: mono samples whose time 0 is the first picture (`Audio`, `read_audio`, `write_wav`).
- `mfcc`: cepstral coefficients, 100 rows a second (`MfccConfig`, `compute_mfcc`).
- `detection`: what finds faces and points in a picture, and which one to load
  (`DetectionConfig`, `load_detector`, `FaceDetector`, `LandmarkSource`, `find_nets`, `fetch_nets`).
- `mediapipe`, `face_alignment_backend`, `dlib_backend`, `landmarks_file`: the sources of landmarks.
- `nets`: the landmark nets' files, where they come from and their checksums.
- `landmarks`: what tracking found (`LandmarkTrack`) and the 68-point layout.
- `tracking`: one person's landmarks through a clip (`TrackingConfig`, `track_landmarks`);
  `cuts` finds where the shot changes, `track_notes` says in words what went wrong.
- `manifest`: which clips there are, who speaks in them (`read_manifest`); `skeleton`
  writes one to be filled in (`manifest_skeleton`).
- `colour`: RGB from and to what is stored (`Colours`).
- `overlap`: decoding, work and encoding side by side, each in a thread (`ahead`).
- `media`: opening files, FFmpeg's errors in words.
"""
