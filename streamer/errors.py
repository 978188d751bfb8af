"""The exceptions of Streamer.

    StreamerError            exit code 1
    +-- UsageError           2   an invalid value, flag or file of labels
    |   +-- CorpusError          a corpus without its original layout
    |   +-- AlreadyAnswered      an answer that was given elsewhere meanwhile, by the same name
    +-- AudioError           3   a source that cannot be opened or read
    |   +-- PortAudioMissing     the PortAudio library is not installed
    |   +-- NoDevice             no microphone, or none with that name
    |   +-- UnreadableAudio      a file or stream that is not audio
    +-- ServiceError         1   systemd is missing or refuses
    +-- ContractBroken       1   a custom learner or strategy that breaks a rule
    +-- EncoderError         4   a model that is missing, altered, or of the wrong shape
    +-- ProfileError         5   the profile's store
        +-- ProfileBusy          another process is using this profile
        |   +-- ProfileLocked    another program is writing to its database
        +-- ProfileDamaged       the database cannot be read
        +-- ProfileTooNew        written by a newer version
        +-- OtherEncoder         the profile belongs to another encoder
        +-- NotFound             no such utterance, label or emotion
        +-- ProfileReplaced      numbers that were shown mean other utterances by now
        +-- DiskFull             no room to store it

A message is one line: what went wrong, the value, the remedy.
"""


class StreamerError(Exception):
    """Base of all errors; `exit_code` is what the command line returns."""

    exit_code = 1


class UsageError(StreamerError):
    exit_code = 2


class CorpusError(UsageError):
    pass


class AlreadyAnswered(UsageError):
    pass


class AudioError(StreamerError):
    exit_code = 3


class PortAudioMissing(AudioError):
    pass


class NoDevice(AudioError):
    pass


class UnreadableAudio(AudioError):
    pass


class ServiceError(StreamerError):
    pass


class ContractBroken(StreamerError, AssertionError):
    pass


class EncoderError(StreamerError):
    exit_code = 4


class ProfileError(StreamerError):
    exit_code = 5


class ProfileBusy(ProfileError):
    pass


class ProfileLocked(ProfileBusy):
    pass


class ProfileDamaged(ProfileError):
    pass


class ProfileTooNew(ProfileError):
    pass


class OtherEncoder(ProfileError):
    pass


class NotFound(ProfileError):
    pass


class ProfileReplaced(ProfileError):
    pass


class DiskFull(ProfileError):
    pass
