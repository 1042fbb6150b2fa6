-- What people sign in with beside a password, links by mail, and the audit log.

ALTER TABLE account ADD COLUMN language text NOT NULL DEFAULT 'en';
ALTER TABLE account ADD COLUMN email text;                -- as its owner wrote it; only once it was verified
ALTER TABLE account ADD COLUMN email_key text;            -- the form that is unique
CREATE UNIQUE INDEX account_email ON account (email_key) WHERE email_key IS NOT NULL;

-- Making links is a permission of its own from now on; who has files has had it.
UPDATE account SET permissions = permissions || ' share' WHERE ' ' || permissions || ' ' LIKE '% files %';

CREATE TABLE credential (
    id         uuid  PRIMARY KEY,
    account_id uuid  NOT NULL REFERENCES account (id),
    kind       text NOT NULL,             -- token, s3
    hash       bytea NOT NULL UNIQUE,      -- BLAKE3 of the token, or of the S3 key's public part
    shown      text NOT NULL,             -- the beginning of the token, or the S3 key's public part
    sealed     bytea,                      -- the S3 key's secret, encrypted; a token's is nowhere
    name       text NOT NULL,
    scopes     text NOT NULL,             -- space-separated words
    created_us bigint NOT NULL,
    expires_us bigint,
    used_us    bigint                    -- to the hour
);
CREATE INDEX credential_account ON credential (account_id, kind, id);
CREATE INDEX credential_expiry ON credential (expires_us);

CREATE TABLE second_factor (
    account_id   uuid  PRIMARY KEY REFERENCES account (id),
    sealed       bytea NOT NULL,           -- the TOTP secret, encrypted
    created_us   bigint NOT NULL,
    confirmed_us bigint,                 -- null while it is being set up
    last_step    bigint NOT NULL         -- of the newest code that was taken: none is taken twice
);

CREATE TABLE recovery_code (
    account_id uuid  NOT NULL REFERENCES account (id),
    hash       bytea NOT NULL,
    PRIMARY KEY (account_id, hash)
);

CREATE TABLE ticket (
    id          uuid  PRIMARY KEY,
    kind        text NOT NULL,            -- verify, reset, invite
    token_hash  bytea NOT NULL UNIQUE,     -- BLAKE3; the token is made from the id and the server's key
    account_id  uuid  REFERENCES account (id),
    email       text,
    permissions text,                     -- of the account that an invitation makes
    language    text NOT NULL,
    made_by     uuid,
    created_us  bigint NOT NULL,
    expires_us  bigint NOT NULL,
    used_us     bigint
);
CREATE INDEX ticket_account ON ticket (account_id, kind);
CREATE INDEX ticket_kind ON ticket (kind, id);
CREATE INDEX ticket_expiry ON ticket (expires_us);

CREATE TABLE audit (
    id         uuid  PRIMARY KEY,
    at_us      bigint NOT NULL,
    action     text NOT NULL,
    actor_id   uuid,                      -- who did it; null for somebody unknown and for the server itself
    account_id uuid,                      -- whose account it was done to
    address    text,
    detail     text NOT NULL              -- JSON
);
CREATE INDEX audit_actor ON audit (actor_id, id);
CREATE INDEX audit_account ON audit (account_id, id);
CREATE INDEX audit_action ON audit (action, id);
