"""The face in three dimensions: model, camera, and fitting to landmarks.

- `camera`: the weak-perspective camera and its axes
- `model`: `MorphableModel`, `load_model_file`: the one layout of every model
- `loading`: `FaceModelConfig`, `load_face_model`: the embedded or an imported model, cached
- `parameters`: `FaceParameters`: what fitting found in one clip
- `fitting`: `FitConfig`, `fit_clip`: landmarks in, `FaceParameters` out
- `fitting_start`, `fitting_solver`, `fitting_terms`: its closed-form start and its equations
- `projection`: `MouthProjector`: coefficients to the 39 mouth landmarks, differentiable
- `overlay`: `mesh_overlay`: the fitted face drawn over the picture
- `gaussian_process`: `build_gaussian_process_model`, `face_anatomy`, `action_units`
- `face_anatomy`: `FaceAnatomy`, `chart_to_uv`, `uv_to_chart`: which vertex is what
- `anatomy`, `surface`, `topology`, `inner_parts`: the embedded model's mean face
- `identity_modes`, `mouth_frame`, `expression_fields`: its modes and actions
"""
