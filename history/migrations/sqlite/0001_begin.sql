-- Small rows lie in the order of their key (WITHOUT ROWID), by which they are read. Events are larger and come in the
-- order of their seq anyway: appended, with an index beside them, they cost a fifth less to write.

CREATE TABLE events (
    lot TEXT NOT NULL,
    day INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    at_ms INTEGER NOT NULL,
    position INTEGER NOT NULL,
    type TEXT NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (lot, day, seq)
) STRICT;

CREATE TABLE stays (
    lot TEXT NOT NULL,
    day INTEGER NOT NULL,
    session BLOB NOT NULL,
    seq INTEGER NOT NULL,
    credential BLOB NOT NULL,
    token BLOB NOT NULL,
    area TEXT NOT NULL,
    spot TEXT NOT NULL,
    entered_ms INTEGER,
    left_ms INTEGER,
    how TEXT NOT NULL,
    PRIMARY KEY (lot, day, session)
) STRICT, WITHOUT ROWID;

CREATE INDEX stays_of_credential ON stays (credential, day);
CREATE INDEX stays_with_token ON stays (left_ms) WHERE length(token) > 0;

CREATE TABLE cells (
    lot TEXT NOT NULL,
    area TEXT NOT NULL,
    cell INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    entered INTEGER NOT NULL,
    gone INTEGER NOT NULL,
    corrected INTEGER NOT NULL,
    PRIMARY KEY (lot, area, cell)
) STRICT, WITHOUT ROWID;

CREATE TABLE days (
    lot TEXT NOT NULL,
    area TEXT NOT NULL,
    day INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    entered INTEGER NOT NULL,
    gone INTEGER NOT NULL,
    corrected INTEGER NOT NULL,
    PRIMARY KEY (lot, area, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE feeds (
    feed TEXT PRIMARY KEY,
    position INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE folds (
    feed TEXT NOT NULL,
    lot TEXT NOT NULL,
    seq INTEGER NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (feed, lot)
) STRICT;
