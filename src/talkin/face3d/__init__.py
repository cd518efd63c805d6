"""The face in three dimensions: model, camera, and fitting to landmarks.

- `camera`: the weak-perspective camera and its axes
- `model`: `MorphableModel`, `load_model_file`: the one layout of every model
- `loading`: `FaceModelConfig`, `load_face_model`: the embedded or an imported model, cached
- `parameters`: `FaceParameters`: what fitting found in one clip
- `fitting`: `FitConfig`, `fit_clip`: landmarks in, `FaceParameters` out
- `fitting_clip`, `fitting_config`: its stages over one clip, block by block; its settings
- `fitting_start`, `fitting_solver`, `fitting_terms`: its closed-form start and its equations
- `fitting_points`: where each landmark lies on the model and what it weighs
- `detector_habits`: how the landmark nets misplace points, learned from drawn people
- `projection`: `MouthProjector`: coefficients to the 39 mouth landmarks, differentiable
- `importing`: `import_face_model`: Basel Face Models, FLAME, ICT FaceKit to `MorphableModel`
- `basel_models`, `flame_model`, `ict_model`, `restricted_pickle`: their files, read safely
- `foreign_model`, `correspondence`: units, axes, landmarks of a foreign model
- `mesh_export`: `export_frame`: the fitted face as `.obj` or `.ply`
- `overlay`: `mesh_overlay`: the fitted face drawn over the picture
- `gaussian_process`: `build_gaussian_process_model`, `face_anatomy`, `action_units`
- `face_anatomy`: `FaceAnatomy`, `chart_to_uv`, `uv_to_chart`: which vertex is what
- `anatomy`, `surface`, `topology`, `inner_parts`: the embedded model's mean face
- `identity_modes`, `mouth_frame`, `expression_fields`: its modes and actions
"""
