-- Links by which people without an account reach an entry, what happened through them, and a checksum for archives.

CREATE TABLE link (
    id             BLOB PRIMARY KEY,
    token_hash     BLOB NOT NULL UNIQUE,     -- BLAKE3 of the token; the token itself is nowhere
    space_id       BLOB NOT NULL,
    entry_id       BLOB NOT NULL,
    account_id     BLOB NOT NULL,            -- who made it, and with whose rights it works
    name           TEXT,                     -- for its owner
    note           TEXT,                     -- for its visitors
    mode           TEXT NOT NULL,            -- view, download, upload
    password_hash  TEXT,                     -- PHC string, Argon2id
    generation     INTEGER NOT NULL,         -- of the password: sessions of an older one have ended
    expires_us     INTEGER,
    download_limit INTEGER,
    downloads      INTEGER NOT NULL,
    opens          INTEGER NOT NULL,
    uploads        INTEGER NOT NULL,
    created_us     INTEGER NOT NULL,
    used_us        INTEGER
) WITHOUT ROWID;
CREATE INDEX link_entry ON link (entry_id, id);
CREATE INDEX link_account ON link (account_id, id);

CREATE TABLE link_event (
    link_id    BLOB NOT NULL,
    id         BLOB NOT NULL,
    kind       TEXT NOT NULL,                -- opened, downloaded, uploaded
    at_us      INTEGER NOT NULL,
    entry_id   BLOB,
    entry_name TEXT,
    bytes      INTEGER,
    visitor    TEXT,                         -- what they call themselves
    client     TEXT NOT NULL,                -- coarse: program and system
    address    TEXT NOT NULL,                -- a network, never the whole address
    PRIMARY KEY (link_id, id)
) WITHOUT ROWID;
CREATE INDEX link_event_age ON link_event (at_us);

ALTER TABLE content ADD COLUMN crc32 INTEGER;   -- as zip has it; null until an archive needed it
