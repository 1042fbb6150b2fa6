-- Links by which people without an account reach an entry, what happened through them, and a checksum for archives.

CREATE TABLE link (
    id             uuid PRIMARY KEY,
    token_hash     bytea NOT NULL UNIQUE,    -- BLAKE3 of the token; the token itself is nowhere
    space_id       uuid NOT NULL,
    entry_id       uuid NOT NULL,
    account_id     uuid NOT NULL,            -- who made it, and with whose rights it works
    name           text,                     -- for its owner
    note           text,                     -- for its visitors
    mode           text NOT NULL,            -- view, download, upload
    password_hash  text,                     -- PHC string, Argon2id
    generation     bigint NOT NULL,          -- of the password: sessions of an older one have ended
    expires_us     bigint,
    download_limit bigint,
    downloads      bigint NOT NULL,
    opens          bigint NOT NULL,
    uploads        bigint NOT NULL,
    created_us     bigint NOT NULL,
    used_us        bigint
);
CREATE INDEX link_entry ON link (entry_id, id);
CREATE INDEX link_account ON link (account_id, id);

CREATE TABLE link_event (
    link_id    uuid NOT NULL,
    id         uuid NOT NULL,
    kind       text NOT NULL,                -- opened, downloaded, uploaded
    at_us      bigint NOT NULL,
    entry_id   uuid,
    entry_name text,
    bytes      bigint,
    visitor    text,                         -- what they call themselves
    client     text NOT NULL,                -- coarse: program and system
    address    text NOT NULL,                -- a network, never the whole address
    PRIMARY KEY (link_id, id)
);
CREATE INDEX link_event_age ON link_event (at_us);

ALTER TABLE content ADD COLUMN crc32 bigint;    -- as zip has it; null until an archive needed it
