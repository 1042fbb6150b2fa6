-- The first schema. Ids are 16-byte blobs, times microseconds since 1970, names NFC and compared byte by byte.
-- Tables keyed by UUIDv7 are WITHOUT ROWID: one b-tree instead of two, and inserts go to its end.

CREATE TABLE setting (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE account (
    id            BLOB PRIMARY KEY,
    name          TEXT NOT NULL,
    name_key      TEXT NOT NULL UNIQUE,   -- the name in lower case: names differ by more than case
    display_name  TEXT NOT NULL,
    password_hash TEXT NOT NULL,          -- PHC string, Argon2id
    permissions   TEXT NOT NULL,          -- space-separated words
    created_us    INTEGER NOT NULL,
    disabled_us   INTEGER
) WITHOUT ROWID;

CREATE TABLE session (
    id         BLOB PRIMARY KEY,
    account_id BLOB NOT NULL REFERENCES account (id),
    client     TEXT NOT NULL,             -- what the client calls itself, for the list of sessions
    created_us INTEGER NOT NULL,
    used_us    INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    ended_us   INTEGER
) WITHOUT ROWID;
CREATE INDEX session_account ON session (account_id, id);
CREATE INDEX session_expiry ON session (expires_us);

CREATE TABLE refresh_token (
    hash       BLOB PRIMARY KEY,          -- BLAKE3 of the token; the token itself is nowhere
    session_id BLOB NOT NULL REFERENCES session (id),
    issued_us  INTEGER NOT NULL,
    spent_us   INTEGER
) WITHOUT ROWID;
CREATE INDEX refresh_token_session ON refresh_token (session_id);

CREATE TABLE space (
    id             BLOB PRIMARY KEY,
    kind           TEXT NOT NULL,
    owner_id       BLOB NOT NULL REFERENCES account (id),
    name           TEXT NOT NULL,
    root_id        BLOB NOT NULL,
    sequence       INTEGER NOT NULL,      -- of the newest journal row; gapless
    epoch          INTEGER NOT NULL,      -- changes when the journal cannot be continued
    used_bytes     INTEGER NOT NULL,
    reserved_bytes INTEGER NOT NULL,
    quota_bytes    INTEGER,
    purging        INTEGER NOT NULL       -- removed folders whose trees are still being taken apart
) WITHOUT ROWID;
CREATE INDEX space_owner ON space (owner_id, id);

CREATE TABLE entry (
    id           BLOB PRIMARY KEY,
    space_id     BLOB NOT NULL,
    parent_id    BLOB,                    -- null for a root, and for a removed tree that is being taken apart
    name         TEXT NOT NULL,
    kind         INTEGER NOT NULL,        -- 0 folder, 1 file
    revision     INTEGER NOT NULL,
    version_id   BLOB,
    content_id   BLOB,
    size         INTEGER NOT NULL,
    content_type TEXT,
    blake3       BLOB,
    created_us   INTEGER NOT NULL,
    modified_us  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX entry_place ON entry (parent_id, name);
CREATE INDEX entry_folders ON entry (parent_id) WHERE kind = 0;   -- the tree without its leaves

CREATE TABLE version (
    id           BLOB NOT NULL,
    entry_id     BLOB NOT NULL,
    space_id     BLOB NOT NULL,
    content_id   BLOB NOT NULL,
    size         INTEGER NOT NULL,
    content_type TEXT NOT NULL,
    blake3       BLOB,
    created_us   INTEGER NOT NULL,
    created_by   BLOB,
    PRIMARY KEY (entry_id, id)
) WITHOUT ROWID;

CREATE TABLE content (
    id         BLOB PRIMARY KEY,
    size       INTEGER NOT NULL,
    refs       INTEGER NOT NULL,          -- versions that have these bytes
    blake3     BLOB,
    extents    INTEGER NOT NULL,
    inline     BLOB,                      -- the bytes themselves where there is no extent
    created_us INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE extent (
    id          BLOB NOT NULL,
    content_id  BLOB NOT NULL,
    position    INTEGER NOT NULL,         -- among the content's extents, from 0
    start       INTEGER NOT NULL,         -- of its first byte in the content
    length      INTEGER NOT NULL,
    group_no    INTEGER NOT NULL,
    state       INTEGER NOT NULL,         -- 0 writing (this row is the intent), 1 ready
    manifest    BLOB NOT NULL,            -- stripe::Manifest; while writing, the nodes without checksums
    deadline_us INTEGER,                  -- while writing: after this the clean-up removes parts and row
    verified_us INTEGER,
    PRIMARY KEY (content_id, position)
) WITHOUT ROWID;
CREATE UNIQUE INDEX extent_id ON extent (id);
CREATE INDEX extent_intent ON extent (deadline_us) WHERE state = 0;

CREATE TABLE upload (
    id           BLOB PRIMARY KEY,
    account_id   BLOB NOT NULL,
    space_id     BLOB NOT NULL,
    parent_id    BLOB NOT NULL,
    name         TEXT NOT NULL,
    content_type TEXT NOT NULL,
    on_conflict  TEXT NOT NULL,
    kind         TEXT NOT NULL,           -- whole, partial, final
    state        TEXT NOT NULL,           -- open, finished
    length       INTEGER,                 -- null while deferred
    received     INTEGER NOT NULL,        -- durable bytes
    extents      INTEGER NOT NULL,
    hash_state   BLOB,                    -- stripe::ResumableHash over the durable bytes
    generation   INTEGER NOT NULL,        -- of the lease: whoever resumes raises it
    content_id   BLOB NOT NULL,
    reserved     INTEGER NOT NULL,        -- bytes it holds of the space's reservation
    entry_id     BLOB,                    -- the result, once finished
    metadata     TEXT NOT NULL,           -- as the client sent it
    created_us   INTEGER NOT NULL,
    expires_us   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX upload_expiry ON upload (expires_us);

CREATE TABLE journal (
    space_id     BLOB NOT NULL,
    sequence     INTEGER NOT NULL,
    kind         TEXT NOT NULL,
    entry_id     BLOB NOT NULL,
    revision     INTEGER NOT NULL,
    actor        BLOB,
    operation_id BLOB,
    at_us        INTEGER NOT NULL,
    state        TEXT,                    -- JSON: the entry after the change
    inverse      TEXT,                    -- JSON: what takes it back
    PRIMARY KEY (space_id, sequence)
) WITHOUT ROWID;

CREATE TABLE job (
    id         BLOB PRIMARY KEY,
    kind       TEXT NOT NULL,
    version    INTEGER NOT NULL,          -- of the payload's form
    dedup_key  TEXT UNIQUE,               -- at most one job has it; asking again changes that one
    payload    TEXT NOT NULL,
    priority   INTEGER NOT NULL,          -- higher first
    state      INTEGER NOT NULL,          -- 0 waiting or leased, 1 dead
    attempts   INTEGER NOT NULL,
    due_us     INTEGER NOT NULL,          -- not before; while leased, when the lease ends
    lease      INTEGER NOT NULL,          -- generation: a worker that lost its lease cannot finish the job
    again      INTEGER NOT NULL,          -- 1: asked for again since the lease began, so finishing it makes it wait once more
    error      TEXT,
    created_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX job_next ON job (state, priority DESC, due_us);

CREATE TABLE position (
    name       TEXT PRIMARY KEY,          -- a reader of the journal, or a recurring pass over all extents
    value      TEXT NOT NULL,
    updated_us INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE node (
    id          BLOB PRIMARY KEY,
    address     TEXT NOT NULL,            -- empty: a node of the gateway's own process
    state       TEXT NOT NULL,            -- active, draining, removed
    version     TEXT NOT NULL,
    beat        INTEGER NOT NULL,         -- raised by each heartbeat; observers time it with their own clocks
    seen_us     INTEGER NOT NULL,
    joined_us   INTEGER NOT NULL,
    total_bytes INTEGER NOT NULL,
    free_bytes  INTEGER NOT NULL,
    part_bytes  INTEGER NOT NULL,
    part_count  INTEGER NOT NULL,
    disk        TEXT NOT NULL,
    writable    INTEGER NOT NULL,
    trouble     TEXT
) WITHOUT ROWID;

CREATE TABLE garbage (
    id        BLOB PRIMARY KEY,
    extent_id BLOB NOT NULL,
    parts     BLOB NOT NULL,              -- 17 bytes each: index, node
    bytes     INTEGER NOT NULL,
    due_us    INTEGER NOT NULL,
    attempts  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX garbage_due ON garbage (due_us);

CREATE TABLE orphan (
    part_id    BLOB NOT NULL,
    node_id    BLOB NOT NULL,
    seen_us    INTEGER NOT NULL,          -- first look; the second decides
    PRIMARY KEY (part_id, node_id)
) WITHOUT ROWID;
