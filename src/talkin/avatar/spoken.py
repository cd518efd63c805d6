"""A clip's sound and exact face without a picture: all that the audio networks learn from.

Drawing is nine tenths of a clip's cost. Where only hearing is trained or compared (voices, accents,
turned views), corpora of this kind cost a synthesised sentence and no more.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

from pydantic import BaseModel, ConfigDict, Field

from talkin.avatar.performance import perform, truth_of
from talkin.avatar.person import face_model
from talkin.avatar.plan import ClipPlan, CorpusConfig, plan_corpus, speakers_of
from talkin.avatar.speech import Phoneme
from talkin.face3d.parameters import FaceParameters
from talkin.footage.audio import Audio
from talkin.footage.mfcc import MfccConfig, compute_mfcc
from talkin.samples.alignment import CropConfig, crop_transforms
from talkin.samples.dataset import PreparedClip


class SpokenConfig(BaseModel):
    """Synthetic speech to learn from before the footage."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    is_used: bool = Field(default=False, description="Needs espeak-ng (extra `demo`).")
    corpus: CorpusConfig = Field(
        default=CorpusConfig(
            seed=100, n_speakers=40, train_clips=10, sentences_per_clip=2, views=("front",)
        ),
        description="Its training clips are spoken; nothing is drawn. Give it another seed than "
        "the footage's, where that is synthetic too: other people, other sentences.",
    )


@dataclass(frozen=True, eq=False)
class SpokenClip:
    """One planned clip, heard but not seen.

    Attributes:
        plan: Who says what, seen from where.
        sound: At the asked rate; time 0 is the first frame.
        face: The exact face, crop px.
        phonemes: What is said when.
    """

    plan: ClipPlan
    sound: Audio
    face: FaceParameters
    phonemes: list[Phoneme]


def speak_clip(
    plan: ClipPlan,
    config: CorpusConfig,
    crop: CropConfig,
    sample_rate: int = 16000,
    language: str | None = None,
) -> SpokenClip:
    """Perform a clip and frame its face as preparation would.

    Args:
        plan: One of `plan_corpus(config)`.
        config: The corpus that the plan belongs to.
        crop: Where the face lies in the crop.
        sample_rate: Of the sound.
        language: espeak-ng voice of another accent than the speaker's own.

    Raises:
        TalkinError: If speech cannot be made.
    """
    import librosa

    performance = perform(plan, config, language)
    geometry = speakers_of(config)[plan.speaker_index].draw_geometry(face_model().n_geometry)
    face = truth_of(performance.expression, performance.poses, geometry, config.fps)
    speech = performance.speech
    samples = librosa.resample(speech.samples, orig_sr=speech.sample_rate, target_sr=sample_rate)
    return SpokenClip(
        plan=plan,
        sound=Audio(samples, sample_rate),
        face=face.in_crop(crop_transforms(face, crop)),
        phonemes=speech.phonemes,
    )


def spoken_training_clips(
    config: CorpusConfig, crop: CropConfig, mfcc: MfccConfig
) -> list[PreparedClip]:
    """All training clips of a corpus, as the audio networks read them.

    Raises:
        TalkinError: If speech cannot be made.
    """
    plans = [plan for plan in plan_corpus(config) if plan.split == "train"]
    speak = partial(speak_clip, config=config, crop=crop, sample_rate=mfcc.sample_rate)
    with ThreadPoolExecutor(2) as pool:  # espeak-ng runs in processes of its own
        return [as_prepared(clip, mfcc) for clip in pool.map(speak, plans)]


def as_prepared(clip: SpokenClip, mfcc: MfccConfig) -> PreparedClip:
    """A spoken clip as preparation would leave it, without crops."""
    return PreparedClip(
        clip=clip.plan.clip,
        speaker=clip.plan.speaker,
        parameters=clip.face,
        mfcc=compute_mfcc(clip.sound, mfcc),
        crops=None,
    )
