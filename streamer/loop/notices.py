"""The kinds of notices: what each tells, what is done about it, and what helps.

A notice says its text once; its kind is for programs, and stays as it is. `Notice` and `Noticed`
take no other kind than these, and the table of the reference of events is this one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from streamer.types import NoticeKind


@dataclass(frozen=True, slots=True)
class KindOfNotice:
    """What a kind means, in the words of the reference.

    Attributes
    ----------
    found : str
        What was noticed.
    done : str
        What is done about it without anybody's help.
    remedy : str
        What a person can do.
    is_of_sound : bool
        About the sound that a microphone delivers: also sent to an MQTT broker.
    """

    found: str
    done: str
    remedy: str
    is_of_sound: bool = False


def _sound(found: str, done: str, remedy: str) -> KindOfNotice:
    return KindOfNotice(found, done, remedy, is_of_sound=True)


NOTICE_KINDS: Final[Mapping[NoticeKind, KindOfNotice]] = {
    "silent_input": _sound(
        "three seconds of digital silence, or of one value",
        "nothing can be",
        "unmute or plug in the microphone; allow it to this program",
    ),
    "low_level": _sound(
        "speech below about -50 dBFS, or 15 dB below what the profile knows; nothing above -70 "
        "dBFS in half a minute",
        "raised, by one gain an utterance",
        "turn the microphone up",
    ),
    "high_level": _sound(
        "speech 15 dB above what the profile knows",
        "lowered, by one gain an utterance",
        "turn the microphone down",
    ),
    "clipping": _sound(
        "utterances with flat tops, at full scale or below it; samples beyond full scale",
        "`trust` falls; samples beyond full scale are scaled",
        "turn the microphone down, or move away from it",
    ),
    "offset": _sound("a constant offset", "removed", "none needed"),
    "hum": _sound(
        "mains hum of 50 or 60 Hz, with its harmonics",
        "removed",
        "another power supply, cable or socket",
    ),
    "rumble": _sound(
        "wind, traffic, handling below the voice",
        "damped",
        "shield the microphone from wind, its stand from knocks",
    ),
    "noise": _sound(
        "speech hardly above the noise",
        "`trust` falls; such utterances are not asked about",
        "move closer to the microphone",
    ),
    "channels": _sound(
        "a channel that is dead, much noisier than the best one, or in opposite phase",
        "left out",
        "`--channel` chooses another",
    ),
    "low_rate": _sound(
        "sound that ends at 4 kHz: telephones, headsets that play and record at once",
        "none",
        "another microphone",
    ),
    "wrong_rate": _sound(
        "a device that delivers 3 % more or fewer samples a second than it says, for ten seconds",
        "none: speech is heard too fast or too slow",
        "choose another rate in its settings, or another device",
    ),
    "not_a_number": KindOfNotice(
        "samples that are infinite or not a number", "replaced by silence", "record it again"
    ),
    "undecoded": KindOfNotice(
        "a file that is truncated, damaged, or contains bytes that are not audio",
        "used as far as it can be decoded",
        "convert or copy the file again",
    ),
    "skipped_file": KindOfNotice(
        "files of a folder that are no audio or cannot be read",
        "left out",
        "convert them, for example with `ffmpeg -i FILE FILE.flac`",
    ),
    "already_heard": KindOfNotice(
        "a recording whose bytes this profile has processed to the end",
        "skipped",
        "`--again` processes it again",
    ),
    "device_lost": KindOfNotice(
        "a microphone, or an address in the network, went away, does not answer, or is back",
        "waited for; what was lost is counted as dropped",
        "plug it in again; restart the audio system",
    ),
    "overflow": KindOfNotice(
        "samples that were lost, as this machine was too busy",
        "counted as dropped",
        "close other programs; a faster encoder (`streamer bench`)",
    ),
    "playback": KindOfNotice(
        "a question is being played beside the microphone",
        "what is recorded meanwhile is not heard; counted as dropped",
        "headphones",
    ),
    "encoder_slow": KindOfNotice(
        "the encoder is slower than people speak, or this machine too hot",
        "utterances are shortened, then given up, and counted as dropped",
        "a faster encoder (`streamer bench`)",
    ),
    "profile_locked": KindOfNotice(
        "another program keeps the profile's database locked",
        "utterances wait in memory, 120 s of speech at most; what a microphone records beyond is "
        "counted as dropped (`not_stored`), recordings and pipes wait",
        "close that program",
    ),
    "drift": KindOfNotice(
        "the voice, the microphone or the meaning of labels has changed; the event `drift` before "
        "it tells more",
        "predictions follow what is usual",
        "label some utterances more",
    ),
    "privacy": KindOfNotice(
        "the intended use, once a profile; which audio is kept, was deleted, or leaves the device",
        "as the settings say",
        "`--privacy`, `streamer forget --audio`",
    ),
    "licence": KindOfNotice(
        "the licence of the encoder allows no commercial use, once a profile",
        "none",
        "`streamer models list` shows others",
    ),
    "protocol": KindOfNotice(
        "a phase of the protocol begins, or the last one has ended",
        "its prompt is shown; a marker is stored",
        "as the prompt says",
    ),
    "general": KindOfNotice("anything else", "as it says", "as it says"),
}
