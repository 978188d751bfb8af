"""Li and Lee's protocol on IEMOCAP: learn four basic emotions, verify frustration from ten clips.

Each of the ten speakers in turn is tested: heads are trained on anger, happiness (and excitement),
neutral and sadness of the other four sessions; ten frustrated and ten neutral utterances of the
other speaker of the dyad are enrolled; all frustrated and neutral ones of the tested speaker are
verified. Features: 47 eGeMAPS functionals.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from benchmarks.iemocap import read_iemocap
from streamer.evaluation.significance import compare
from streamer.training.data.speech import Clip
from streamer.training.export.probe import standardize_speakers, unit
from streamer.training.head.episodes import Episodes
from streamer.training.head.head import HeadRecipe, PooledHead, PooledInputs, train_head
from streamer.training.head.trials import verified

BASIC = ("anger", "happiness", "neutral", "sadness")
UNSEEN, REST = "frustration", "neutral"
ENROLLED, ROUNDS = 10, 20

Vectors = np.ndarray
Make = Callable[[np.ndarray, int], Vectors]
"""Which utterances may be learned from, bool [n], and a seed -> vectors of all [n, e]."""
NAMES = {
    "ang": "anger",
    "hap": "happiness",
    "exc": "happiness",
    "neu": "neutral",
    "sad": "sadness",
    "fru": UNSEEN,
}


class Dyads:
    """The utterances as clips, and their functionals, z-scored over all or within each speaker."""

    def __init__(self) -> None:
        corpus = read_iemocap()
        self.sessions = np.array([clip.session for clip in corpus.clips])
        self.clips = [
            Clip("iemocap", c.utterance, c.speaker, NAMES.get(c.original_emotion, ""), "en", 0, 0)
            for c in corpus.clips
        ]
        self.speakers = np.array([c.speaker for c in self.clips])
        self.emotions = np.array([c.emotion for c in self.clips])
        features = np.asarray(corpus.features, np.float64)
        self.scored = (features - features.mean(0)) / features.std(0)
        self.by_speaker = standardize_speakers(self.scored, self.clips).astype(np.float64)

    def uar(self, make: Make, seed: int, enrolled: int = ENROLLED) -> list[float]:
        """UAR of each speaker in turn, in alphabetical order."""
        basic, values = np.isin(self.emotions, BASIC), []
        asked = np.isin(self.emotions, (UNSEEN, REST))
        made: dict[str, Vectors] = {}
        for speaker in np.unique(self.speakers):
            session = self.sessions[self.speakers == speaker][0]
            if session not in made:
                made[session] = unit(make(basic & (self.sessions != session), seed))
            kept = asked & (self.sessions == session)
            tested = self.speakers[kept] == speaker
            frustrated = self.emotions[kept] == UNSEEN
            rng = np.random.default_rng(seed)
            values.append(
                verified(made[session][kept], frustrated, ~tested, tested, enrolled, rng, ROUNDS)
            )
        return values

    def plain(self, features: np.ndarray) -> Make:
        return lambda allowed, seed: features

    def posteriors(self, features: np.ndarray, spread: float) -> Make:
        """Logistic regression's class probabilities, to a power of ``spread``."""

        def make(allowed: np.ndarray, seed: int) -> Vectors:
            model = LogisticRegression(C=0.1, max_iter=500, class_weight="balanced")
            model.fit(features[allowed], self.emotions[allowed])
            return np.asarray(model.predict_proba(features) ** spread)

        return make

    def heads(self, features: np.ndarray, recipe: HeadRecipe, count: int = 1) -> Make:
        """Heads of ``count`` seeds, side by side."""

        def make(allowed: np.ndarray, seed: int) -> Vectors:
            return np.concatenate(
                [self._head(features, allowed, recipe, seed * count + i) for i in range(count)],
                axis=1,
            )

        return make

    def _head(
        self, features: np.ndarray, allowed: np.ndarray, recipe: HeadRecipe, seed: int
    ) -> Vectors:
        recipe = replace(recipe, seed=seed)
        torch.manual_seed(seed)
        head = PooledHead(features.shape[1], recipe.size, recipe.hidden)
        episodes = Episodes(self.clips, allowed, recipe.examples)
        for _ in train_head(head, PooledInputs(features), episodes, recipe, recipe.steps):
            pass
        with torch.no_grad():
            return head(torch.from_numpy(features.astype(np.float32))).numpy()

    def supervised(self, seed: int) -> list[float]:
        """Not the protocol: frustration itself learned, from all of the other sessions."""
        values = []
        asked = np.isin(self.emotions, (UNSEEN, REST))
        for speaker in np.unique(self.speakers):
            own = self.speakers == speaker
            learned = asked & (self.sessions != self.sessions[own][0])
            model = LogisticRegression(C=0.1, max_iter=500, class_weight="balanced")
            model.fit(self.by_speaker[learned], self.emotions[learned])
            heard = self.emotions[own & asked]
            answer = model.predict(self.by_speaker[own & asked])
            values.append(np.mean([(answer[heard == e] == e).mean() for e in (UNSEEN, REST)]))
        return values


def iemocap_rows(seeds: int) -> Iterator[dict[str, Any]]:
    """A row a way to make vectors: mean UAR over speakers, deviation over seeds and speakers."""
    dyads = Dyads()
    linear = HeadRecipe(size=47, steps=300, rate=3e-3)
    hidden = replace(linear, size=32, hidden=64)
    many = replace(hidden, examples=40)
    makes = {
        "functionals, z-scored": dyads.plain(dyads.scored),
        "functionals, z-scored by speaker": dyads.plain(dyads.by_speaker),
        "NAMP, linear, z-scored": dyads.heads(dyads.scored, linear),
        "NAMP, linear, by speaker": dyads.heads(dyads.by_speaker, linear),
        "NAMP, hidden, by speaker": dyads.heads(dyads.by_speaker, hidden),
        "NAMP, hidden, by speaker, 40 a class": dyads.heads(dyads.by_speaker, many),
        "NAMP, 5 hidden heads, by speaker, 40 a class": dyads.heads(dyads.by_speaker, many, 5),
        "posteriors of a logistic regression, by speaker": dyads.posteriors(dyads.by_speaker, 1.0),
    }
    for name, make in makes.items():
        for enrolled in (ENROLLED, 50):
            found = np.array([dyads.uar(make, seed, enrolled) for seed in range(seeds)])
            yield _row(name, enrolled, found)
    yield _row("frustration learned itself (no enrolment)", 0, np.array([dyads.supervised(0)]))


def _row(name: str, enrolled: int, found: np.ndarray) -> dict[str, Any]:
    return {
        "vectors": name,
        "enrolled": enrolled,
        "uar": round(float(found.mean()), 4),
        "deviation over seeds": round(float(found.mean(axis=1).std()), 4),
        "deviation over speakers": round(float(found.mean(axis=0).std()), 4),
    }


FORMS = {
    "margin 0": ("negative-margin", 0.0),
    "w cos(theta + m), m = -0.4": ("negative-margin", -0.4),
    "w cos(theta + m), m = -0.2": ("negative-margin", -0.2),
    "w cos(theta + m), m = 0.2": ("negative-margin", 0.2),
    "w cos(theta + m), m learned below 0": ("learned-margin", None),
    "w (cos + m) as printed, m = -0.4": ("printed-margin", -0.4),
    "w (cos + m) as printed, m = -0.2": ("printed-margin", -0.2),
    "w (cos + m) as printed, m = 0.2": ("printed-margin", 0.2),
    "w (cos + m) as printed, m learned below 0": ("printed-learned-margin", None),
}


def margin_rows(seeds: int) -> Iterator[dict[str, Any]]:
    """Both readings of equation 4, fixed and learned, against no margin: paired over speakers.

    A linear head with a margin loss and cross-entropy, functionals by speaker, ten enrolled.
    """
    dyads = Dyads()
    found = {}
    for name, (loss, margin) in FORMS.items():
        recipe = HeadRecipe(loss, margin, size=47, steps=300, rate=3e-3)
        make = dyads.heads(dyads.by_speaker, recipe)
        found[name] = np.array([dyads.uar(make, seed) for seed in range(seeds)])
        print(f"{name}: {found[name].mean():.4f}", flush=True)
    means = {name: values.mean(axis=0) for name, values in found.items()}
    compared = compare(means, "margin 0")
    for name, values in found.items():
        row = _row(name, ENROLLED, values)
        if name in compared:
            row |= {"gain": round(compared[name].gain, 4), "p": round(compared[name].p, 4)}
        yield row
