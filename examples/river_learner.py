"""River's regressors against the product's learner, one label at a time.

    python examples/river_learner.py

Each predicts an utterance's arousal, then learns it: prequential CCC. The speech is made up, and
so are the labels: what each emotion's speech is on average like. On the command line, live:
`streamer run --learner river:linear_model.BayesianLinearRegression`.
"""

import numpy as np

import streamer
from streamer.learners.affective_norms import affective_norm
from streamer.learners.metrics import RunningAgreement
from streamer.testing import MANNERS, SPEAKERS, synthetic_speech

LEARNERS = (
    "bayesian",
    "river:linear_model.BayesianLinearRegression",
    "river:neighbors.KNNRegressor(n_neighbors=3)",
    "river:tree.HoeffdingTreeRegressor(grace_period=10)",
)

rng = np.random.default_rng(0)
encoder = streamer.load_encoder("acoustic")
spoken = [str(rng.choice(list(MANNERS))) for _ in range(60)]
heard = [encoder(synthetic_speech(rng, name, 1.0, SPEAKERS[0]), 16_000) for name in spoken]
for learner in LEARNERS:
    model, agreement = streamer.OnlineModel(encoder, learner), RunningAgreement()
    for emotion, encoding in zip(spoken, heard, strict=True):
        model.adapt(encoding)
        valence, arousal, _ = affective_norm(emotion) or (0.0, 0.0, 0.0)
        agreement.observe(model.predict(encoding).arousal.mean, arousal)
        model.learn(encoding, valence=valence, arousal=arousal)
    print(f"{learner}: arousal, prequential CCC {agreement.ccc:.2f} over {len(heard)} labels")
