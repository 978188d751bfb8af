from streamer.evaluation.readers import read_corpus
from tests.evaluation.readers.corpus_files import text, wav

HEADER = "file_id\temotion\traw_text\tnormalized_text\tspeaker_id\tgender\tage"


def row(name: str, emotion: str, speaker: str) -> str:
    return f"{name}.wav\t{emotion}\tDzień „dobry”.\tdzień dobry\t        {speaker}\tmale\t23"


def test_names_and_table_agree(tmp_path):
    for name in ("WR0_surprised_64", "EB0_neutral_13"):
        wav(tmp_path / "samples" / f"{name}.wav")
    text(
        tmp_path / "data.tsv",
        HEADER,
        row("WR0_surprised_64", "surprised", "WR0"),
        row("EB0_neutral_13", "neutral", "EB0"),
    )
    corpus = read_corpus("auto", tmp_path)
    assert corpus.emotions == ["neutral", "surprised"]
    assert not corpus.faults


def test_what_the_table_says_otherwise_is_told(tmp_path):
    for name in ("WR0_surprised_64", "EB0_neutral_13"):
        wav(tmp_path / "samples" / f"{name}.wav")
    text(
        tmp_path / "data.tsv",
        HEADER,
        row("WR0_surprised_64", "fear", "WR0"),
        row("EB0_neutral_13", "neutral", "EB0"),
        row("EB0_neutral_14", "neutral", "EB0"),
        "EB0_neutral_15.wav\tneutral",
    )
    corpus = read_corpus("auto", tmp_path)
    assert len(corpus) == 2
    assert {fault.problem for fault in corpus.faults} == {
        "a name that data.tsv contradicts",
        "a row of data.tsv without its file",
        "a row of more or fewer fields than the header",
    }
