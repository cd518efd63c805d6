"""One function a term of the paper's objectives; weights live in the configuration.

identity       `speaker_confusion_loss`, Eq. 2.
translation    `expression_loss`, `mouth_shape_loss`, Eq. 3.
picture        `reconstruction_loss`, `pixel_weights`, `total_variation_loss`, of Eq. 4.
perceptual     `perceptual_loss`, of Eq. 4.
adversarial    `generator_loss`, `discriminator_loss`, `gradient_penalty`, of Eq. 4.
objective      `LossWeights` and the weighted sum.
"""
