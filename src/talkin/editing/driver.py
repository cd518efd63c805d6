"""What drives the mouth: sound, or the face of another video with the sound it has."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from talkin.editing.driving import DrivenMouth, DrivingConfig, mouth_of_speech
from talkin.editing.driving_video import DrivingVideo, mouth_of_video
from talkin.editing.following import FaceFollower
from talkin.editing.request import read_speech
from talkin.editing.unfinished import FollowedFace
from talkin.face3d.fitting import FitConfig
from talkin.face3d.model import MorphableModel
from talkin.footage.audio import Audio
from talkin.footage.tracking import TrackingConfig
from talkin.footage.video import VideoInfo, probe_video

if TYPE_CHECKING:
    from talkin.networks.talking_face import TalkingFace


@dataclass(frozen=True)
class Driver:
    """What drives the mouth of one edit.

    Attributes:
        sound: The file that is heard; None of a driving video without sound.
        sample_rate: The networks' rate, at which it is heard.
        video: The driving video; None where sound alone drives.
    """

    sound: Path | None
    sample_rate: int
    video: VideoInfo | None

    @classmethod
    def of(cls, audio: Path | DrivingVideo, model: "TalkingFace") -> "Driver":
        """See that it can be read, before any work is done.

        The samples are not kept meanwhile (ten minutes take 38 MB) but read again when their turn
        comes.

        Raises:
            FootageError: If it cannot be read, or drives by sound and has none.
        """
        rate = model.config.mfcc.sample_rate
        if not isinstance(audio, DrivingVideo):
            read_speech(audio, rate)
            return cls(audio, rate, None)
        video = probe_video(audio.path)
        if not video.has_audio:
            return cls(None, rate, video)
        read_speech(audio.path, rate)
        return cls(audio.path, rate, video)

    @property
    def is_seen(self) -> bool:
        """Whether a face drives."""
        return self.video is not None

    def mouth(
        self,
        face: FollowedFace,
        follower: FaceFollower,
        model: "TalkingFace",
        face_model: MorphableModel,
        config: DrivingConfig,
        fit: FitConfig,
    ) -> DrivenMouth:
        """What the target's mouth does.

        Args:
            face: The target's, followed through the footage.
            follower: Follows the driving face, if one drives.
            model: Trained networks.
            face_model: The face model of networks and fits.
            config: How it moves the mouth.
            fit: How a driving face is fitted; its largest face is taken.

        Raises:
            FootageError: If what drives is shorter than half a frame.
            NoFaceError: If the driving video shows no face.
        """
        target = face.parameters
        if self.video is None:
            sound = self._heard()
            assert sound is not None
            return mouth_of_speech(sound, target, model, face_model, config)
        seen = follower.follow(self.video, "driving video", TrackingConfig(), fit)
        return mouth_of_video(seen.parameters, target, face_model, self._heard(), config)

    def _heard(self) -> Audio | None:
        return None if self.sound is None else read_speech(self.sound, self.sample_rate)
