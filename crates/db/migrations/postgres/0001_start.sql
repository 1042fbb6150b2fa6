-- The first schema, the same tables as on SQLite. Times are microseconds since 1970, names NFC and compared byte by byte.
-- Tables that will grow huge are partitioned from the start: by space what belongs to a space, by content the bytes.

CREATE TABLE setting (
    key   text PRIMARY KEY,
    value text NOT NULL
);

CREATE TABLE account (
    id            uuid PRIMARY KEY,
    name          text NOT NULL,
    name_key      text NOT NULL UNIQUE,   -- the name in lower case: names differ by more than case
    display_name  text NOT NULL,
    password_hash text NOT NULL,          -- PHC string, Argon2id
    permissions   text NOT NULL,          -- space-separated words
    created_us    bigint NOT NULL,
    disabled_us   bigint
);

CREATE TABLE session (
    id         uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account (id),
    client     text NOT NULL,             -- what the client calls itself, for the list of sessions
    created_us bigint NOT NULL,
    used_us    bigint NOT NULL,
    expires_us bigint NOT NULL,
    ended_us   bigint
);
CREATE INDEX session_account ON session (account_id, id);
CREATE INDEX session_expiry ON session (expires_us);

CREATE TABLE refresh_token (
    hash       bytea PRIMARY KEY,          -- BLAKE3 of the token; the token itself is nowhere
    session_id uuid NOT NULL REFERENCES session (id),
    issued_us  bigint NOT NULL,
    spent_us   bigint
);
CREATE INDEX refresh_token_session ON refresh_token (session_id);

CREATE TABLE space (
    id             uuid PRIMARY KEY,
    kind           text NOT NULL,
    owner_id       uuid NOT NULL REFERENCES account (id),
    name           text NOT NULL,
    root_id        uuid NOT NULL,
    sequence       bigint NOT NULL,      -- of the newest journal row; gapless
    epoch          bigint NOT NULL,      -- changes when the journal cannot be continued
    used_bytes     bigint NOT NULL,
    reserved_bytes bigint NOT NULL,
    quota_bytes    bigint,
    purging        bigint NOT NULL       -- removed folders whose trees are still being taken apart
);
CREATE INDEX space_owner ON space (owner_id, id);

CREATE TABLE entry (
    id           uuid NOT NULL,
    space_id     uuid NOT NULL,
    parent_id    uuid,                    -- null for a root, and for a removed tree that is being taken apart
    name         text COLLATE "C" NOT NULL,
    kind         bigint NOT NULL,        -- 0 folder, 1 file
    revision     bigint NOT NULL,
    version_id   uuid,
    content_id   uuid,
    size         bigint NOT NULL,
    content_type text,
    blake3       bytea,
    created_us   bigint NOT NULL,
    modified_us  bigint NOT NULL,
    PRIMARY KEY (space_id, id)
) PARTITION BY HASH (space_id);
CREATE TABLE entry_0 PARTITION OF entry FOR VALUES WITH (MODULUS 8, REMAINDER 0);
CREATE TABLE entry_1 PARTITION OF entry FOR VALUES WITH (MODULUS 8, REMAINDER 1);
CREATE TABLE entry_2 PARTITION OF entry FOR VALUES WITH (MODULUS 8, REMAINDER 2);
CREATE TABLE entry_3 PARTITION OF entry FOR VALUES WITH (MODULUS 8, REMAINDER 3);
CREATE TABLE entry_4 PARTITION OF entry FOR VALUES WITH (MODULUS 8, REMAINDER 4);
CREATE TABLE entry_5 PARTITION OF entry FOR VALUES WITH (MODULUS 8, REMAINDER 5);
CREATE TABLE entry_6 PARTITION OF entry FOR VALUES WITH (MODULUS 8, REMAINDER 6);
CREATE TABLE entry_7 PARTITION OF entry FOR VALUES WITH (MODULUS 8, REMAINDER 7);
CREATE UNIQUE INDEX entry_place ON entry (space_id, parent_id, name);
CREATE INDEX entry_folders ON entry (space_id, parent_id) WHERE kind = 0;   -- the tree without its leaves
CREATE INDEX entry_by_id ON entry (id);

CREATE TABLE version (
    id           uuid NOT NULL,
    entry_id     uuid NOT NULL,
    space_id     uuid NOT NULL,
    content_id   uuid NOT NULL,
    size         bigint NOT NULL,
    content_type text NOT NULL,
    blake3       bytea,
    created_us   bigint NOT NULL,
    created_by   uuid,
    PRIMARY KEY (space_id, entry_id, id)
) PARTITION BY HASH (space_id);
CREATE TABLE version_0 PARTITION OF version FOR VALUES WITH (MODULUS 8, REMAINDER 0);
CREATE TABLE version_1 PARTITION OF version FOR VALUES WITH (MODULUS 8, REMAINDER 1);
CREATE TABLE version_2 PARTITION OF version FOR VALUES WITH (MODULUS 8, REMAINDER 2);
CREATE TABLE version_3 PARTITION OF version FOR VALUES WITH (MODULUS 8, REMAINDER 3);
CREATE TABLE version_4 PARTITION OF version FOR VALUES WITH (MODULUS 8, REMAINDER 4);
CREATE TABLE version_5 PARTITION OF version FOR VALUES WITH (MODULUS 8, REMAINDER 5);
CREATE TABLE version_6 PARTITION OF version FOR VALUES WITH (MODULUS 8, REMAINDER 6);
CREATE TABLE version_7 PARTITION OF version FOR VALUES WITH (MODULUS 8, REMAINDER 7);

CREATE TABLE content (
    id         uuid PRIMARY KEY,
    size       bigint NOT NULL,
    refs       bigint NOT NULL,          -- versions that have these bytes
    blake3     bytea,
    extents    bigint NOT NULL,
    inline     bytea,                      -- the bytes themselves where there is no extent
    created_us bigint NOT NULL
) PARTITION BY HASH (id);
CREATE TABLE content_0 PARTITION OF content FOR VALUES WITH (MODULUS 8, REMAINDER 0);
CREATE TABLE content_1 PARTITION OF content FOR VALUES WITH (MODULUS 8, REMAINDER 1);
CREATE TABLE content_2 PARTITION OF content FOR VALUES WITH (MODULUS 8, REMAINDER 2);
CREATE TABLE content_3 PARTITION OF content FOR VALUES WITH (MODULUS 8, REMAINDER 3);
CREATE TABLE content_4 PARTITION OF content FOR VALUES WITH (MODULUS 8, REMAINDER 4);
CREATE TABLE content_5 PARTITION OF content FOR VALUES WITH (MODULUS 8, REMAINDER 5);
CREATE TABLE content_6 PARTITION OF content FOR VALUES WITH (MODULUS 8, REMAINDER 6);
CREATE TABLE content_7 PARTITION OF content FOR VALUES WITH (MODULUS 8, REMAINDER 7);

CREATE TABLE extent (
    id          uuid NOT NULL,
    content_id  uuid NOT NULL,
    position    bigint NOT NULL,         -- among the content's extents, from 0
    start       bigint NOT NULL,         -- of its first byte in the content
    length      bigint NOT NULL,
    group_no    bigint NOT NULL,
    state       bigint NOT NULL,         -- 0 writing (this row is the intent), 1 ready
    manifest    bytea NOT NULL,            -- stripe::Manifest; while writing, the nodes without checksums
    deadline_us bigint,                  -- while writing: after this the clean-up removes parts and row
    verified_us bigint,
    PRIMARY KEY (content_id, position)
) PARTITION BY HASH (content_id);
CREATE TABLE extent_0 PARTITION OF extent FOR VALUES WITH (MODULUS 8, REMAINDER 0);
CREATE TABLE extent_1 PARTITION OF extent FOR VALUES WITH (MODULUS 8, REMAINDER 1);
CREATE TABLE extent_2 PARTITION OF extent FOR VALUES WITH (MODULUS 8, REMAINDER 2);
CREATE TABLE extent_3 PARTITION OF extent FOR VALUES WITH (MODULUS 8, REMAINDER 3);
CREATE TABLE extent_4 PARTITION OF extent FOR VALUES WITH (MODULUS 8, REMAINDER 4);
CREATE TABLE extent_5 PARTITION OF extent FOR VALUES WITH (MODULUS 8, REMAINDER 5);
CREATE TABLE extent_6 PARTITION OF extent FOR VALUES WITH (MODULUS 8, REMAINDER 6);
CREATE TABLE extent_7 PARTITION OF extent FOR VALUES WITH (MODULUS 8, REMAINDER 7);
CREATE INDEX extent_id ON extent (id);
CREATE INDEX extent_intent ON extent (deadline_us) WHERE state = 0;

CREATE TABLE upload (
    id           uuid PRIMARY KEY,
    account_id   uuid NOT NULL,
    space_id     uuid NOT NULL,
    parent_id    uuid NOT NULL,
    name         text NOT NULL,
    content_type text NOT NULL,
    on_conflict  text NOT NULL,
    kind         text NOT NULL,           -- whole, partial, final
    state        text NOT NULL,           -- open, finished
    length       bigint,                 -- null while deferred
    received     bigint NOT NULL,        -- durable bytes
    extents      bigint NOT NULL,
    hash_state   bytea,                    -- stripe::ResumableHash over the durable bytes
    generation   bigint NOT NULL,        -- of the lease: whoever resumes raises it
    content_id   uuid NOT NULL,
    reserved     bigint NOT NULL,        -- bytes it holds of the space's reservation
    entry_id     uuid,                    -- the result, once finished
    metadata     text NOT NULL,           -- as the client sent it
    created_us   bigint NOT NULL,
    expires_us   bigint NOT NULL
);
CREATE INDEX upload_expiry ON upload (expires_us);

CREATE TABLE journal (
    space_id     uuid NOT NULL,
    sequence     bigint NOT NULL,
    kind         text NOT NULL,
    entry_id     uuid NOT NULL,
    revision     bigint NOT NULL,
    actor        uuid,
    operation_id uuid,
    at_us        bigint NOT NULL,
    state        text,                    -- JSON: the entry after the change
    inverse      text,                    -- JSON: what takes it back
    PRIMARY KEY (space_id, sequence)
) PARTITION BY HASH (space_id);
CREATE TABLE journal_0 PARTITION OF journal FOR VALUES WITH (MODULUS 8, REMAINDER 0);
CREATE TABLE journal_1 PARTITION OF journal FOR VALUES WITH (MODULUS 8, REMAINDER 1);
CREATE TABLE journal_2 PARTITION OF journal FOR VALUES WITH (MODULUS 8, REMAINDER 2);
CREATE TABLE journal_3 PARTITION OF journal FOR VALUES WITH (MODULUS 8, REMAINDER 3);
CREATE TABLE journal_4 PARTITION OF journal FOR VALUES WITH (MODULUS 8, REMAINDER 4);
CREATE TABLE journal_5 PARTITION OF journal FOR VALUES WITH (MODULUS 8, REMAINDER 5);
CREATE TABLE journal_6 PARTITION OF journal FOR VALUES WITH (MODULUS 8, REMAINDER 6);
CREATE TABLE journal_7 PARTITION OF journal FOR VALUES WITH (MODULUS 8, REMAINDER 7);

CREATE TABLE job (
    id         uuid PRIMARY KEY,
    kind       text NOT NULL,
    version    bigint NOT NULL,          -- of the payload's form
    dedup_key  text UNIQUE,               -- at most one job has it; asking again changes that one
    payload    text NOT NULL,
    priority   bigint NOT NULL,          -- higher first
    state      bigint NOT NULL,          -- 0 waiting or leased, 1 dead
    attempts   bigint NOT NULL,
    due_us     bigint NOT NULL,          -- not before; while leased, when the lease ends
    lease      bigint NOT NULL,          -- generation: a worker that lost its lease cannot finish the job
    again      bigint NOT NULL,          -- 1: asked for again since the lease began, so finishing it makes it wait once more
    error      text,
    created_us bigint NOT NULL
);
CREATE INDEX job_next ON job (state, priority DESC, due_us);

CREATE TABLE position (
    name       text PRIMARY KEY,          -- a reader of the journal, or a recurring pass over all extents
    value      text NOT NULL,
    updated_us bigint NOT NULL
);

CREATE TABLE node (
    id          uuid PRIMARY KEY,
    address     text NOT NULL,            -- empty: a node of the gateway's own process
    state       text NOT NULL,            -- active, draining, removed
    version     text NOT NULL,
    beat        bigint NOT NULL,         -- raised by each heartbeat; observers time it with their own clocks
    seen_us     bigint NOT NULL,
    joined_us   bigint NOT NULL,
    total_bytes bigint NOT NULL,
    free_bytes  bigint NOT NULL,
    part_bytes  bigint NOT NULL,
    part_count  bigint NOT NULL,
    disk        text NOT NULL,
    writable    boolean NOT NULL,
    trouble     text
);

CREATE TABLE garbage (
    id        uuid PRIMARY KEY,
    extent_id uuid NOT NULL,
    parts     bytea NOT NULL,              -- 17 bytes each: index, node
    bytes     bigint NOT NULL,
    due_us    bigint NOT NULL,
    attempts  bigint NOT NULL
);
CREATE INDEX garbage_due ON garbage (due_us);

CREATE TABLE orphan (
    part_id    uuid NOT NULL,
    node_id    uuid NOT NULL,
    seen_us    bigint NOT NULL,          -- first look; the second decides
    PRIMARY KEY (part_id, node_id)
);
