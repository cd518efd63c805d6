"""The networks of the paper and the one forward path that training and editing share.

window_encoder      LSTM over a window of MFCC.
identity_removal    `IdentityRemover`, Eq. 1.
audio_to_expression `AudioToExpression`, sound to expression (or to landmarks, the 2D ablation).
blocks              EncBlock and DecBlock of Tables 7 and 8.
renderer            `Renderer`, Table 7.
discriminator       `Discriminator`, Table 8.
speaker_classifier  `SpeakerClassifier`, VGG-M on MFCC.
speaker_judges  `StatisticsJudge`, `WindowJudge`, `JudgePanel`: judges that learn along.
vggvox              Published VGGVox weights for the speaker classifier.
perceptual          `PerceptualFeatures`: VGG-19, or a fixed filter bank where chosen.
talking_face_config `TalkingFaceConfig`, everything that shapes a model.
talking_face        `TalkingFace`: sound to expression to landmarks to pictures.
saved               Reading and writing a model as safetensors and JSON.
size                Parameter counts of the networks of a configuration.
"""
