"""Mean and deviation of the acoustic encoder's functionals in a population of voices.

Measured on 540 utterances, 60 drawn from each of RAVDESS, TESS, nEMO, TurEV-DB, BAVED, the Urdu
corpus, LibriSpeech excerpts, Picovoice's commands and spoken digits; utterances without a value
left out, three digits kept (`python -m benchmarks.population`). It sets the first scale of every
feature and nothing else: no label was read, and a profile's own voice replaces it within a few
utterances.
"""

from collections.abc import Mapping
from typing import Final

from streamer.learners.explanation import FEWEST, NAMES, Usual

UTTERANCES: Final = 540
POPULATION: Final = {
    "level_dbfs": (-28.5, 8.22),
    "energy_deviation_db": (8.45, 1.15),
    "energy_p20_db": (-11.7, 3.85),
    "energy_p50_db": (-1.83, 3.39),
    "energy_p80_db": (4.09, 1.99),
    "energy_rise_db_s": (149.0, 49.0),
    "energy_fall_db_s": (-116.0, 32.8),
    "energy_trend_db_s": (-7.67, 18.0),
    "energy_peaks_per_s": (3.88, 1.52),
    "pitch_mean_st": (32.0, 6.73),
    "pitch_deviation_st": (3.31, 1.81),
    "pitch_p20_st": (29.3, 6.82),
    "pitch_p50_st": (31.9, 6.82),
    "pitch_p80_st": (34.7, 7.33),
    "pitch_rise_st_s": (19.7, 9.62),
    "pitch_fall_st_s": (-19.3, 8.08),
    "pitch_trend_st_s": (-2.9, 10.3),
    "jitter_st_mean": (0.0793, 0.0429),
    "jitter_st_deviation": (0.153, 0.131),
    "shimmer_db_mean": (0.503, 0.161),
    "shimmer_db_deviation": (0.529, 0.205),
    "harmonics_db_mean": (10.8, 3.63),
    "harmonics_db_deviation": (5.43, 1.27),
    "active_share": (0.707, 0.231),
    "voiced_share": (0.737, 0.142),
    "voiced_per_s": (3.7, 2.24),
    "voiced_mean_s": (0.197, 0.17),
    "voiced_deviation_s": (0.134, 0.107),
    "pause_mean_s": (0.0638, 0.0458),
    "pause_deviation_s": (0.0569, 0.0758),
    "centroid_khz_mean": (1.22, 0.352),
    "centroid_khz_deviation": (0.597, 0.311),
    "bandwidth_khz_mean": (1.3, 0.238),
    "bandwidth_khz_deviation": (0.344, 0.116),
    "rolloff_khz_mean": (0.925, 0.422),
    "rolloff_khz_deviation": (0.934, 0.527),
    "flatness_db_mean": (-27.0, 4.19),
    "flatness_db_deviation": (5.94, 1.66),
    "flux_db_mean": (1.53, 0.33),
    "flux_db_deviation": (1.71, 0.609),
    "zero_crossings_khz_mean": (1.36, 0.528),
    "zero_crossings_khz_deviation": (1.08, 0.698),
    "alpha_db_mean": (14.3, 5.02),
    "alpha_db_deviation": (7.76, 2.53),
    "hammarberg_db_mean": (24.4, 6.32),
    "hammarberg_db_deviation": (9.09, 2.89),
    "slope_low_db_mean": (33.0, 24.4),
    "slope_low_db_deviation": (26.6, 6.99),
    "slope_high_db_mean": (-16.5, 6.66),
    "slope_high_db_deviation": (10.4, 2.79),
    "contrast1_db_mean": (14.5, 3.5),
    "contrast1_db_deviation": (4.8, 0.903),
    "contrast2_db_mean": (11.3, 3.64),
    "contrast2_db_deviation": (3.9, 0.993),
    "contrast3_db_mean": (16.0, 3.12),
    "contrast3_db_deviation": (4.57, 0.908),
    "contrast4_db_mean": (15.7, 2.7),
    "contrast4_db_deviation": (4.56, 1.04),
    "contrast5_db_mean": (17.3, 2.13),
    "contrast5_db_deviation": (4.6, 1.25),
    "contrast6_db_mean": (17.9, 3.38),
    "contrast6_db_deviation": (5.17, 1.57),
    "unvoiced_centroid_khz_mean": (2.31, 0.948),
    "unvoiced_zero_crossings_khz_mean": (3.7, 2.12),
    "unvoiced_alpha_db_mean": (2.82, 8.41),
    "unvoiced_hammarberg_db_mean": (13.0, 9.38),
    "unvoiced_slope_low_db_mean": (7.16, 29.0),
    "unvoiced_slope_high_db_mean": (-8.7, 7.13),
    "mfcc1_mean": (64.8, 21.3),
    "mfcc1_deviation": (32.6, 11.9),
    "mfcc2_mean": (3.14, 15.0),
    "mfcc2_deviation": (18.3, 4.88),
    "mfcc3_mean": (20.1, 14.0),
    "mfcc3_deviation": (16.4, 4.6),
    "mfcc4_mean": (-0.375, 9.38),
    "mfcc4_deviation": (13.3, 3.73),
    "mfcc5_mean": (1.54, 6.75),
    "mfcc5_deviation": (9.73, 2.69),
    "mfcc6_mean": (-1.75, 7.47),
    "mfcc6_deviation": (9.6, 2.58),
    "mfcc7_mean": (-3.4, 6.44),
    "mfcc7_deviation": (8.0, 1.87),
    "mfcc8_mean": (-0.784, 5.32),
    "mfcc8_deviation": (7.42, 1.92),
    "mfcc9_mean": (-2.11, 4.95),
    "mfcc9_deviation": (7.06, 1.82),
    "mfcc10_mean": (-0.981, 3.88),
    "mfcc10_deviation": (6.48, 1.9),
    "mfcc11_mean": (-0.988, 3.93),
    "mfcc11_deviation": (6.26, 1.93),
    "mfcc12_mean": (-0.891, 3.8),
    "mfcc12_deviation": (5.88, 1.89),
    "mfcc1_delta_per_s": (479.0, 156.0),
    "mfcc2_delta_per_s": (324.0, 80.2),
    "mfcc3_delta_per_s": (264.0, 59.3),
    "mfcc4_delta_per_s": (232.0, 51.7),
    "mfcc5_delta_per_s": (185.0, 35.3),
    "mfcc6_delta_per_s": (183.0, 36.4),
    "mfcc7_delta_per_s": (163.0, 32.4),
    "mfcc8_delta_per_s": (152.0, 30.6),
    "mfcc9_delta_per_s": (147.0, 28.6),
    "mfcc10_delta_per_s": (136.0, 30.7),
    "mfcc11_delta_per_s": (134.0, 33.6),
    "mfcc12_delta_per_s": (128.0, 30.8),
    "band1_deviation_db": (11.1, 3.12),
    "band2_deviation_db": (12.6, 2.65),
    "band3_deviation_db": (12.0, 2.72),
    "band4_deviation_db": (11.4, 2.59),
    "band5_deviation_db": (10.9, 2.66),
    "band6_deviation_db": (10.8, 2.85),
    "band7_deviation_db": (10.0, 3.22),
    "band8_deviation_db": (9.38, 3.7),
}


def usual_or_many_voices(usual: Mapping[str, Usual]) -> dict[str, Usual]:
    """What a profile knows as usual; where that is of few utterances, this population.

    >>> usual_or_many_voices({"pitch_mean_st": Usual(20.0, 2.0, 9)})["pitch_mean_st"].mean
    20.0
    >>> usual_or_many_voices({})["pitch_mean_st"]
    Usual(mean=32.0, deviation=6.73, count=540)
    """
    many = {name: Usual(*POPULATION[name], UTTERANCES) for name in NAMES}
    return many | {name: one for name, one in usual.items() if one.count >= FEWEST}
