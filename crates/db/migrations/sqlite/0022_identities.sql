-- Ways to sign in beside a password: accounts of identity providers, and passkeys.

CREATE TABLE identity (
    id         BLOB PRIMARY KEY,
    account_id BLOB NOT NULL REFERENCES account (id),
    provider   TEXT NOT NULL,             -- its id in the configuration
    subject    TEXT NOT NULL,             -- who somebody is there; never another person
    shown      TEXT NOT NULL,             -- what the provider called them last
    created_us INTEGER NOT NULL,
    used_us    INTEGER,
    UNIQUE (provider, subject)
) WITHOUT ROWID;
CREATE INDEX identity_account ON identity (account_id, id);

CREATE TABLE passkey (
    id            BLOB PRIMARY KEY,
    account_id    BLOB NOT NULL REFERENCES account (id),
    credential_id BLOB NOT NULL UNIQUE,   -- what the authenticator calls it
    data          TEXT NOT NULL,          -- public key, counter and flags, as JSON
    name          TEXT NOT NULL,
    created_us    INTEGER NOT NULL,
    used_us       INTEGER
) WITHOUT ROWID;
CREATE INDEX passkey_account ON passkey (account_id, id);

-- What was good once and was used: the states of sign-ins at providers, and the challenges of passkeys.
CREATE TABLE spent (
    hash       BLOB PRIMARY KEY,
    expires_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX spent_expiry ON spent (expires_us);

-- By which identity a session began, and what its provider calls the session there: for signing out from there.
ALTER TABLE session ADD COLUMN identity_id BLOB;
ALTER TABLE session ADD COLUMN provider_session TEXT;
CREATE INDEX session_identity ON session (identity_id) WHERE identity_id IS NOT NULL;
