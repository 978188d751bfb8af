"""Spans from probabilities, against a plain transcription that sees the whole sequence at once."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.audio.segmentation import SegmentationSettings, Segmenter
from streamer.errors import UsageError
from streamer.types import FRAME_SAMPLES, Span

PLAIN = SegmentationSettings(
    on_probability=0.5,
    off_probability=0.2,
    reach_samples=6 * FRAME_SAMPLES,
    hangover_samples=4 * FRAME_SAMPLES,
    pre_roll_samples=300,
    padding_samples=700,
    minimum_speech_samples=2 * FRAME_SAMPLES,
    minimum_utterance_samples=1500,
    maximum_utterance_samples=40 * FRAME_SAMPLES,
)

levels = st.sampled_from([0.0, 0.0, 0.05, 0.1, 0.19, 0.2, 0.3, 0.49, 0.5, 0.6, 0.9, 1.0])
runs = st.tuples(levels, st.integers(1, 12)).map(lambda run: [run[0]] * run[1])
probabilities = st.lists(st.one_of(runs, levels.map(lambda p: [p])), max_size=60).map(
    lambda parts: [p for part in parts for p in part]
)


@st.composite
def some_settings(draw: st.DrawFn) -> SegmentationSettings:
    off, on = sorted(draw(st.tuples(levels, levels)))
    hangover = draw(st.integers(FRAME_SAMPLES, 8 * FRAME_SAMPLES))
    minimum = draw(st.integers(0, 3000))
    pre_roll = draw(st.integers(0, 2000))
    return SegmentationSettings(
        on_probability=on or 0.5,
        off_probability=off or min(on or 0.5, 0.1),
        reach_samples=draw(st.integers(0, 12 * FRAME_SAMPLES)),
        hangover_samples=hangover,
        pre_roll_samples=pre_roll,
        padding_samples=draw(st.integers(0, hangover)),
        minimum_speech_samples=draw(st.integers(0, 4 * FRAME_SAMPLES)),
        minimum_utterance_samples=minimum,
        maximum_utterance_samples=max(4096, 2 * minimum, 4 * pre_roll) + draw(st.integers(0, 9000)),
    )


def spans_of(chosen: SegmentationSettings, sequence: list[float], tail: int = 0) -> list[Span]:
    segmenter = Segmenter(chosen)
    spans = [span for p in sequence for span in segmenter.push(p)]
    return spans + segmenter.finish(len(sequence) * FRAME_SAMPLES + tail)


def oracle(chosen: SegmentationSettings, sequence: list[float], tail: int) -> list[Span]:
    """The rules of the module's docstring over the whole sequence, by index arithmetic."""
    size = FRAME_SAMPLES
    reach = chosen.reach_samples // size
    total = len(sequence) * size + tail
    certain = [k for k, p in enumerate(sequence) if p >= chosen.on_probability]
    hovering = [k for k, p in enumerate(sequence) if p >= chosen.off_probability]

    def near(a: int, b: int) -> bool:
        return (b - a - 1) * size < chosen.hangover_samples

    groups: list[list[int]] = []
    closed = -1
    while any(k > closed for k in certain):
        opening = min(k for k in certain if k > closed)
        group = [opening]
        for k in reversed([h for h in hovering if closed < h < opening and opening - h <= reach]):
            if not near(k, group[0]):
                break
            group.insert(0, k)
        for k in [h for h in hovering if h > opening]:
            if not near(group[-1], k):
                break
            if any(0 <= k - c <= reach for c in certain if c >= opening):
                group.append(k)
        groups.append(group)
        closed = group[-1] + 1
        while (closed - group[-1]) * size < chosen.hangover_samples:
            closed += 1

    spans: list[Span] = []
    for group in groups:
        while group:
            before = spans[-1].end_sample if spans else 0
            start = max(0, group[0] * size - chosen.pre_roll_samples, before)
            limit = start + chosen.maximum_utterance_samples
            end = min((group[-1] + 1) * size + chosen.padding_samples, limit, total)
            part, group = group, []
            last_frame = part[-1]
            if (part[-1] + 1) * size > limit:
                middle = start + chosen.maximum_utterance_samples / 2
                fit = [k for k in range(part[-1]) if k * size >= middle and (k + 1) * size <= limit]
                least = min(sequence[k] for k in fit)
                cut = max(k for k in fit if sequence[k] == least)
                part, group = [k for k in part if k < cut], [k for k in part if k >= cut]
                end = min((part[-1] + 1) * size + chosen.padding_samples, limit, cut * size)
                last_frame = cut - 1
            spoken = sum(part[0] <= k <= last_frame for k in certain) * size
            long_enough = end - start >= chosen.minimum_utterance_samples
            if spoken >= chosen.minimum_speech_samples and long_enough:
                spans.append(Span(start, end))
    return spans


@settings(max_examples=200, deadline=None)
@given(some_settings(), probabilities, st.integers(0, FRAME_SAMPLES - 1))
def test_spans_are_those_of_the_whole_sequence(
    chosen: SegmentationSettings, sequence: list[float], tail: int
) -> None:
    assert spans_of(chosen, sequence, tail) == oracle(chosen, sequence, tail)


@settings(max_examples=120, deadline=None)
@given(some_settings(), probabilities, st.integers(0, FRAME_SAMPLES - 1))
def test_spans_are_ordered_apart_and_of_allowed_length(
    chosen: SegmentationSettings, sequence: list[float], tail: int
) -> None:
    end = 0
    for span in spans_of(chosen, sequence, tail):
        assert end <= span.start_sample < span.end_sample
        length = span.end_sample - span.start_sample
        assert chosen.minimum_utterance_samples <= length <= chosen.maximum_utterance_samples
        end = span.end_sample
    assert end <= len(sequence) * FRAME_SAMPLES + tail


@settings(max_examples=120, deadline=None)
@given(some_settings(), probabilities)
def test_no_span_starts_before_the_oldest_needed_sample(
    chosen: SegmentationSettings, sequence: list[float]
) -> None:
    segmenter = Segmenter(chosen)
    oldest = 0
    most = (
        chosen.maximum_utterance_samples
        + chosen.hangover_samples
        + chosen.reach_samples
        + chosen.pre_roll_samples
        + 2 * FRAME_SAMPLES
    )
    for k, p in enumerate(sequence):
        for span in segmenter.push(p):
            assert span.start_sample >= oldest
            assert span.end_sample <= (k + 1) * FRAME_SAMPLES
        assert segmenter.oldest_needed_sample >= oldest
        oldest = segmenter.oldest_needed_sample
        assert (k + 1) * FRAME_SAMPLES - oldest <= most
    for span in segmenter.finish(len(sequence) * FRAME_SAMPLES):
        assert span.start_sample >= oldest


def test_the_end_is_the_last_speech_frame_and_padding_not_the_hangover() -> None:
    spans = spans_of(PLAIN, [0.0] * 10 + [0.9] * 8 + [0.0] * 10)
    assert spans == [Span(10 * FRAME_SAMPLES - 300, 18 * FRAME_SAMPLES + 700)]


def test_hovering_frames_count_beside_certain_speech_only() -> None:
    alone = [0.0] * 10 + [0.4] * 10 + [0.0] * 10
    beside = [0.0] * 10 + [0.4] * 4 + [0.9] * 4 + [0.3] * 3 + [0.0] * 10
    assert spans_of(PLAIN, alone) == []
    assert spans_of(PLAIN, beside) == [Span(10 * FRAME_SAMPLES - 300, 21 * FRAME_SAMPLES + 700)]


def test_long_hovering_noise_before_speech_is_left_out() -> None:
    (span,) = spans_of(PLAIN, [0.3] * 30 + [0.9] * 5 + [0.0] * 10)
    assert span.start_sample == (30 - 6) * FRAME_SAMPLES - 300


def test_a_burst_is_silence() -> None:
    assert spans_of(PLAIN, [0.0] * 10 + [0.99] + [0.0] * 20) == []


def test_a_pause_shorter_than_the_hangover_joins_and_a_longer_one_parts() -> None:
    assert len(spans_of(PLAIN, [0.9] * 5 + [0.0] * 3 + [0.9] * 5 + [0.0] * 9)) == 1
    assert len(spans_of(PLAIN, [0.9] * 5 + [0.0] * 4 + [0.9] * 5 + [0.0] * 9)) == 2


def test_a_long_utterance_is_cut_before_its_least_likely_frame() -> None:
    sequence = [0.9] * 60
    sequence[31] = 0.6
    sequence[5] = 0.5
    assert spans_of(PLAIN, sequence) == [
        Span(0, 31 * FRAME_SAMPLES),
        Span(31 * FRAME_SAMPLES, 60 * FRAME_SAMPLES),
    ]


def test_hours_of_speech_are_tiled_without_a_gap() -> None:
    spans = spans_of(SegmentationSettings(), [0.95] * 10_000)
    assert spans[0].start_sample == 0
    assert spans[-1].end_sample == 10_000 * FRAME_SAMPLES
    assert all(a.end_sample == b.start_sample for a, b in pairwise(spans))


def test_the_tail_belongs_to_the_open_utterance() -> None:
    (span,) = spans_of(PLAIN, [0.0] * 5 + [0.9] * 5, tail=100)
    assert span.end_sample == 10 * FRAME_SAMPLES + 100


def test_speaking_once_there_is_enough_speech_until_the_hangover_is_over() -> None:
    segmenter = Segmenter(PLAIN)
    states = []
    for p in [0.0, 0.9, 0.9, 0.0, 0.0, 0.0, 0.0, 0.0]:
        segmenter.push(p)
        states.append(segmenter.speaking)
    assert states == [False, False, True, True, True, True, False, False]


def test_a_new_timeline_begins_after_finish() -> None:
    segmenter = Segmenter(PLAIN)
    sequence = [0.9] * 6
    first = [s for p in sequence for s in segmenter.push(p)] + segmenter.finish(6 * FRAME_SAMPLES)
    again = [s for p in sequence for s in segmenter.push(p)] + segmenter.finish(6 * FRAME_SAMPLES)
    assert first == again == [Span(0, 6 * FRAME_SAMPLES)]


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("on_probability", 1.5, "off_probability <= on_probability <= 1"),
        ("off_probability", 0.0, "0 < off_probability"),
        ("off_probability", 0.9, "off_probability <= on_probability"),
        ("hangover_samples", 100, "give 512 or more"),
        ("padding_samples", 20_000, "hangover_samples = 9600"),
        ("pre_roll_samples", -1, "whole number"),
        ("pre_roll_samples", 0.5, "whole number"),
        ("maximum_utterance_samples", 5_000, "give 9600 or more"),
        ("maximum_utterance_samples", 4_800_001, "no more than 4800000"),
    ],
)
def test_settings_that_cannot_be_meant_name_value_and_remedy(
    name: str, value: float, remedy: str
) -> None:
    with pytest.raises(UsageError, match=remedy) as caught:
        SegmentationSettings(**{name: value})  # type: ignore[arg-type]
    assert f"{name} = {value}" in str(caught.value)


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_what_is_no_probability_is_refused(probability: float) -> None:
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        Segmenter().push(probability)


def test_a_total_that_does_not_fit_the_frames_is_refused() -> None:
    segmenter = Segmenter()
    segmenter.push(0.0)
    with pytest.raises(ValueError, match="do not fit"):
        segmenter.finish(2 * FRAME_SAMPLES)
