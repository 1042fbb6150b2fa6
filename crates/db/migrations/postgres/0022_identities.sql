-- Ways to sign in beside a password: accounts of identity providers, and passkeys.

CREATE TABLE identity (
    id         uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account (id),
    provider   text NOT NULL,             -- its id in the configuration
    subject    text NOT NULL,             -- who somebody is there; never another person
    shown      text NOT NULL,             -- what the provider called them last
    created_us bigint NOT NULL,
    used_us    bigint,
    UNIQUE (provider, subject)
);
CREATE INDEX identity_account ON identity (account_id, id);

CREATE TABLE passkey (
    id            uuid PRIMARY KEY,
    account_id    uuid NOT NULL REFERENCES account (id),
    credential_id bytea NOT NULL UNIQUE,   -- what the authenticator calls it
    data          text NOT NULL,          -- public key, counter and flags, as JSON
    name          text NOT NULL,
    created_us    bigint NOT NULL,
    used_us       bigint
);
CREATE INDEX passkey_account ON passkey (account_id, id);

-- What was good once and was used: the states of sign-ins at providers, and the challenges of passkeys.
CREATE TABLE spent (
    hash       bytea PRIMARY KEY,
    expires_us bigint NOT NULL
);
CREATE INDEX spent_expiry ON spent (expires_us);

-- By which identity a session began, and what its provider calls the session there: for signing out from there.
ALTER TABLE session ADD COLUMN identity_id uuid;
ALTER TABLE session ADD COLUMN provider_session text;
CREATE INDEX session_identity ON session (identity_id) WHERE identity_id IS NOT NULL;
