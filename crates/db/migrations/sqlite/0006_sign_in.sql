-- What people sign in with beside a password, links by mail, and the audit log.

ALTER TABLE account ADD COLUMN language TEXT NOT NULL DEFAULT 'en';
ALTER TABLE account ADD COLUMN email TEXT;                -- as its owner wrote it; only once it was verified
ALTER TABLE account ADD COLUMN email_key TEXT;            -- the form that is unique
CREATE UNIQUE INDEX account_email ON account (email_key) WHERE email_key IS NOT NULL;

-- Making links is a permission of its own from now on; who has files has had it.
UPDATE account SET permissions = permissions || ' share' WHERE ' ' || permissions || ' ' LIKE '% files %';

CREATE TABLE credential (
    id         BLOB PRIMARY KEY,
    account_id BLOB NOT NULL REFERENCES account (id),
    kind       TEXT NOT NULL,             -- token, s3
    hash       BLOB NOT NULL UNIQUE,      -- BLAKE3 of the token, or of the S3 key's public part
    shown      TEXT NOT NULL,             -- the beginning of the token, or the S3 key's public part
    sealed     BLOB,                      -- the S3 key's secret, encrypted; a token's is nowhere
    name       TEXT NOT NULL,
    scopes     TEXT NOT NULL,             -- space-separated words
    created_us INTEGER NOT NULL,
    expires_us INTEGER,
    used_us    INTEGER                    -- to the hour
) WITHOUT ROWID;
CREATE INDEX credential_account ON credential (account_id, kind, id);
CREATE INDEX credential_expiry ON credential (expires_us);

CREATE TABLE second_factor (
    account_id   BLOB PRIMARY KEY REFERENCES account (id),
    sealed       BLOB NOT NULL,           -- the TOTP secret, encrypted
    created_us   INTEGER NOT NULL,
    confirmed_us INTEGER,                 -- null while it is being set up
    last_step    INTEGER NOT NULL         -- of the newest code that was taken: none is taken twice
) WITHOUT ROWID;

CREATE TABLE recovery_code (
    account_id BLOB NOT NULL REFERENCES account (id),
    hash       BLOB NOT NULL,
    PRIMARY KEY (account_id, hash)
) WITHOUT ROWID;

CREATE TABLE ticket (
    id          BLOB PRIMARY KEY,
    kind        TEXT NOT NULL,            -- verify, reset, invite
    token_hash  BLOB NOT NULL UNIQUE,     -- BLAKE3; the token is made from the id and the server's key
    account_id  BLOB REFERENCES account (id),
    email       TEXT,
    permissions TEXT,                     -- of the account that an invitation makes
    language    TEXT NOT NULL,
    made_by     BLOB,
    created_us  INTEGER NOT NULL,
    expires_us  INTEGER NOT NULL,
    used_us     INTEGER
) WITHOUT ROWID;
CREATE INDEX ticket_account ON ticket (account_id, kind);
CREATE INDEX ticket_kind ON ticket (kind, id);
CREATE INDEX ticket_expiry ON ticket (expires_us);

CREATE TABLE audit (
    id         BLOB PRIMARY KEY,
    at_us      INTEGER NOT NULL,
    action     TEXT NOT NULL,
    actor_id   BLOB,                      -- who did it; null for somebody unknown and for the server itself
    account_id BLOB,                      -- whose account it was done to
    address    TEXT,
    detail     TEXT NOT NULL              -- JSON
) WITHOUT ROWID;
CREATE INDEX audit_actor ON audit (actor_id, id);
CREATE INDEX audit_account ON audit (account_id, id);
CREATE INDEX audit_action ON audit (action, id);
