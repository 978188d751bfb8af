"""The tables of a profile, as a list of migrations. Never edit one: append the next.

`PRAGMA user_version` is the number of migrations applied. Vectors are little-endian float32
(embeddings) or float64 (features); times are seconds since 1970; labels keep the scale they were
given on. `labels` is a log: an undo is a row whose `retracts` names the row it takes back.
"""

import sqlite3

from streamer.errors import ProfileTooNew

MIGRATIONS = (
    """
    CREATE TABLE meta (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) WITHOUT ROWID;

    CREATE TABLE sessions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        kind TEXT NOT NULL,
        source TEXT NOT NULL,
        started_at REAL NOT NULL,
        ended_at REAL,
        accounting TEXT
    );

    CREATE TABLE utterances (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        session INTEGER NOT NULL REFERENCES sessions (id),
        source TEXT NOT NULL,
        onset_s REAL NOT NULL,
        offset_s REAL NOT NULL,
        heard_at REAL NOT NULL,
        quality TEXT NOT NULL,
        embedding BLOB NOT NULL,
        emotion BLOB NOT NULL,
        prediction TEXT NOT NULL,
        verdict TEXT NOT NULL,
        informativeness REAL,
        state TEXT NOT NULL CHECK (state IN ('buffered', 'asked', 'released')),
        selection INTEGER REFERENCES selections (id)
    );
    CREATE INDEX utterances_state ON utterances (state) WHERE state = 'buffered';

    CREATE TABLE selections (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        strategy TEXT NOT NULL,
        reason TEXT NOT NULL,
        selected_at REAL NOT NULL
    );

    CREATE TABLE queries (
        utterance INTEGER PRIMARY KEY REFERENCES utterances (id) ON DELETE CASCADE,
        score REAL NOT NULL,
        clip BLOB,
        asked_at REAL NOT NULL,
        expired_at REAL
    );

    CREATE TABLE labels (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        utterance INTEGER NOT NULL REFERENCES utterances (id) ON DELETE CASCADE,
        annotator TEXT NOT NULL,
        valence REAL,
        arousal REAL,
        dominance REAL,
        emotion TEXT,
        scale_low REAL NOT NULL,
        scale_high REAL NOT NULL,
        given_at REAL NOT NULL,
        retracts INTEGER REFERENCES labels (seq) ON DELETE CASCADE
    );
    CREATE INDEX labels_utterance ON labels (utterance, annotator, seq);
    CREATE UNIQUE INDEX labels_retracts ON labels (retracts) WHERE retracts IS NOT NULL;

    CREATE VIEW standing_labels AS
        SELECT * FROM labels AS l
        WHERE l.retracts IS NULL
          AND NOT EXISTS (SELECT 1 FROM labels AS u WHERE u.retracts = l.seq);

    CREATE VIEW effective_labels AS
        SELECT * FROM standing_labels AS l
        WHERE NOT EXISTS (
            SELECT 1 FROM standing_labels AS n
            WHERE n.utterance = l.utterance AND n.annotator = l.annotator AND n.seq > l.seq
        );

    CREATE TABLE lessons (
        label INTEGER PRIMARY KEY REFERENCES labels (seq) ON DELETE CASCADE,
        features BLOB NOT NULL
    );

    CREATE TABLE enrollments (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        emotion TEXT NOT NULL,
        utterance INTEGER REFERENCES utterances (id) ON DELETE CASCADE,
        source TEXT NOT NULL,
        vector BLOB NOT NULL,
        enrolled_at REAL NOT NULL,
        UNIQUE (emotion, utterance)
    );

    CREATE TABLE states (
        name TEXT PRIMARY KEY,
        arrays BLOB NOT NULL,
        through INTEGER NOT NULL
    ) WITHOUT ROWID;
    """,
    # explored: drawn at random, not chosen; propensity: the probability of that, the same for all
    # of its buffer, NULL for queries from before there was any.
    """
    ALTER TABLE queries ADD COLUMN explored INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE queries ADD COLUMN propensity REAL;
    """,
    # Answers that teach nothing. A repeat is the same annotator's second answer on an utterance: it
    # stands beside the first, is on [-1, 1], and measures how steady the annotator is.
    """
    CREATE TABLE asides (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        utterance INTEGER NOT NULL REFERENCES utterances (id) ON DELETE CASCADE,
        annotator TEXT NOT NULL,
        kind TEXT NOT NULL CHECK (kind IN ('skip', 'cannot tell', 'repeat')),
        valence REAL,
        arousal REAL,
        dominance REAL,
        emotion TEXT,
        given_at REAL NOT NULL,
        undone_at REAL
    );
    CREATE INDEX asides_utterance ON asides (utterance, annotator, kind);
    CREATE INDEX utterances_selection ON utterances (selection);
    """,
    # The learner keeps other arrays than it did; the labels that it is a fold of are all there.
    """
    DELETE FROM states WHERE name = 'learner';
    """,
    # And once more: it also watches its errors.
    """
    DELETE FROM states WHERE name = 'learner';
    """,
    # FLAC of what was heard, whether asked about or not: only where somebody chose to keep it all.
    """
    CREATE TABLE recordings (
        utterance INTEGER PRIMARY KEY REFERENCES utterances (id) ON DELETE CASCADE,
        audio BLOB NOT NULL,
        kept_at REAL NOT NULL
    );
    """,
    # Ratings are learned as what a voice adds to the population's, and a repetition is no longer
    # taken for something new: all that was learned is another fold of the same rows.
    """
    INSERT OR REPLACE INTO meta (key, value)
        SELECT 'learn_anew', '1' WHERE EXISTS (SELECT 1 FROM states WHERE name = 'prior');
    DELETE FROM states WHERE name IN ('learner', 'usual');
    """,
    # Files that were heard to their end, by their bytes.
    """
    CREATE TABLE heard_files (
        sha256 TEXT PRIMARY KEY,
        name TEXT NOT NULL
    ) WITHOUT ROWID;
    """,
    # The place of each emotion among the keys. AUTOINCREMENT: one that is forgotten leaves a gap,
    # so that no other emotion moves.
    """
    CREATE TABLE emotion_keys (
        place INTEGER PRIMARY KEY AUTOINCREMENT,
        emotion TEXT NOT NULL UNIQUE
    );
    """,
    # after_label: the last row of the label log before it, which gives both logs one order whatever
    # the clock does. carried_from: the encoder (sha256) whose vectors were mapped into this one's.
    # And the learner's intervals now know when something changed.
    """
    ALTER TABLE asides ADD COLUMN after_label INTEGER;
    UPDATE asides SET after_label = (
        SELECT coalesce(max(l.seq), 0) FROM labels AS l WHERE l.given_at <= asides.given_at
    );
    ALTER TABLE utterances ADD COLUMN carried_from TEXT;
    DELETE FROM states WHERE name = 'learner';
    """,
    # What can be heard of an utterance, by which it is said how it differs from the usual.
    """
    CREATE TABLE acoustics (
        utterance INTEGER PRIMARY KEY REFERENCES utterances (id) ON DELETE CASCADE,
        level_dbfs REAL,
        pitch_mean_st REAL,
        energy_peaks_per_s REAL,
        pitch_deviation_st REAL,
        harmonics_db_mean REAL,
        alpha_db_mean REAL,
        pause_mean_s REAL
    );
    """,
    # What happened around the speech; at_s: on the clock of the source.
    """
    CREATE TABLE markers (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        session INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
        name TEXT NOT NULL,
        origin TEXT NOT NULL,
        source TEXT NOT NULL,
        at_s REAL NOT NULL,
        error_s REAL,
        given_at REAL NOT NULL
    );
    CREATE INDEX markers_session ON markers (session);
    """,
    # What somebody notes about an utterance.
    """
    CREATE TABLE notes (
        utterance INTEGER PRIMARY KEY REFERENCES utterances (id) ON DELETE CASCADE,
        text TEXT NOT NULL,
        noted_at REAL NOT NULL
    );
    """,
)


def is_outdated(connection: sqlite3.Connection) -> bool:
    """Whether there are migrations to apply. Raises ProfileTooNew for a newer schema."""
    version = _version(connection)
    if version > len(MIGRATIONS):
        raise ProfileTooNew(
            f"the profile has schema {version}, this version knows {len(MIGRATIONS)}: "
            "upgrade streamer (pip install --upgrade streamer), or use another --profile"
        )
    return version < len(MIGRATIONS)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a database to the newest schema. Call it inside a transaction: all steps or none."""
    for script in MIGRATIONS[_version(connection) :]:
        # Not executescript: it would commit the transaction that makes this atomic.
        for statement in script.split(";"):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
