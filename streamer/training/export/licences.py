"""Under what licence each corpus may be used, as the encoder's manifest row and card name it."""

from __future__ import annotations

from typing import Final

NOT_STATED: Final = "none stated"
RESEARCH: Final = "research only"
GAMES: Final = "GPL or freeware"
WORDS: Final = "GPL or CC BY-SA"

LICENCES: Final = {
    "ravdess": "CC BY-NC-SA 4.0",
    "tess": "CC BY-NC-ND 4.0",
    "nemo": "CC BY-NC-SA 4.0",
    "turev": "CC BY-NC-ND 4.0",
    "baved": NOT_STATED,
    "urdu": RESEARCH,
    "plain_resemblyzer": "CC BY 4.0",
    "plain_picovoice_s2i": "Apache-2.0",
    "fsdd": "CC BY-SA 4.0",
    "savee": RESEARCH,
    "emovo": RESEARCH,
    "kor_emotts": "CC BY-NC-SA 4.0",
    "emospeech_in": "CC BY-NC-SA 4.0",
    "kor_read": "CC BY-NC-ND 4.0",
    "nonverbal": "CC BY-NC-ND 4.0",
    "kor_parent_child": "CC BY-NC-ND 4.0",
    "baby": "ODbL",
    "voxceleb_sample": RESEARCH,
    "duke_accents": "MIT",
    "dail": NOT_STATED,
    "mx_students": "MIT",
    "ukr_digits": "research only or CC BY 4.0",
    "bengali_digits": "research only or CC BY 4.0",
    "arabic_commands": "research only or CC BY 4.0",
    "lt_commands": "research only or CC BY 4.0",
    "picovoice_wakewords": "Apache-2.0",
    "picovoice_multilang": "Apache-2.0",
    "precise_community": "each contributor's own",
    "mboshi": NOT_STATED,
    "iraqi": NOT_STATED,
    "bangla_sent": NOT_STATED,
    "cherokee": "CC BY",
    "pao": "CC0",
    "dona_es": "GPL-3.0",
    "gcompris": WORDS,
    "klettres": WORDS,
    "tuxpaint": WORDS,
    "artikulate": WORDS,
    "asterisk": "CC BY-SA 3.0",
    "hedgewars": GAMES,
    "game_fotaq": GAMES,
    "game_drascula": GAMES,
    "hoosier": GAMES,
}
