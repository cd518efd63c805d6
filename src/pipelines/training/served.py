"""The registered model's code: MLflow runs this file when the model is loaded.

Its one input is a table with a row an edit: `video`, `audio` and `output` are paths. It answers
with a row an edit: `output`, `n_frames`, `n_edited`, `duration_s`.
"""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd


class ServedTalkingFace(mlflow.pyfunc.PythonModel):
    """A trained talking face behind MLflow's common interface."""

    def load_context(self, context: Any) -> None:
        """Read the networks from the registered folder."""
        from talkin.networks.talking_face import TalkingFace

        self.model = TalkingFace.load(Path(context.artifacts["talking_face"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """Make each edit."""
        from talkin.editing.edit_clip import edit_clip
        from talkin.footage.detection import DetectionConfig, load_detector

        del context, params
        detector = load_detector(DetectionConfig())
        rows = []
        for row in model_input.to_dict("records"):
            video, audio, output = (Path(row[name]) for name in ("video", "audio", "output"))
            report = edit_clip(video, audio, output, self.model, self.model.face_model, detector)
            rows.append(
                {
                    "output": str(report.output),
                    "n_frames": report.n_frames,
                    "n_edited": report.n_edited,
                    "duration_s": report.duration_s,
                }
            )
        return pd.DataFrame(rows)


mlflow.models.set_model(ServedTalkingFace())
