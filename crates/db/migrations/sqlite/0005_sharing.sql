-- Roles that people have on what others own, groups of people, and what finds people.

CREATE TABLE entry_grant (
    id           BLOB PRIMARY KEY,
    space_id     BLOB NOT NULL,
    entry_id     BLOB NOT NULL,           -- the role holds for it and all below it; on a root it makes a member
    subject_kind INTEGER NOT NULL,        -- 0 an account, 1 a group, 2 everyone who is signed in
    subject_id   BLOB NOT NULL,           -- of the account or group; zeros for everyone
    role         INTEGER NOT NULL,        -- 1 viewer, 2 commenter, 3 editor, 4 manager
    expires_us   INTEGER,
    created_us   INTEGER NOT NULL,
    created_by   BLOB NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX entry_grant_subject ON entry_grant (entry_id, subject_id);
CREATE INDEX entry_grant_whose ON entry_grant (subject_id, id);
CREATE INDEX entry_grant_maker ON entry_grant (created_by, id);
CREATE INDEX entry_grant_space ON entry_grant (space_id, subject_id);

CREATE TABLE account_group (
    id         BLOB PRIMARY KEY,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL UNIQUE,      -- the name in lower case
    created_us INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE account_group_member (
    group_id   BLOB NOT NULL REFERENCES account_group (id),
    account_id BLOB NOT NULL REFERENCES account (id),
    added_us   INTEGER NOT NULL,
    PRIMARY KEY (group_id, account_id)
) WITHOUT ROWID;
CREATE INDEX account_group_of ON account_group_member (account_id, group_id);

-- The words by whose beginnings accounts and groups are found, in lower case.
CREATE TABLE people_word (
    word       TEXT NOT NULL,
    kind       INTEGER NOT NULL,          -- 0 an account, 1 a group
    subject_id BLOB NOT NULL,
    PRIMARY KEY (word, kind, subject_id)
) WITHOUT ROWID;
CREATE INDEX people_word_of ON people_word (subject_id);
INSERT INTO people_word SELECT name_key, 0, id FROM account;
INSERT INTO people_word SELECT lower(display_name), 0, id FROM account WHERE lower(display_name) <> name_key;

-- Raised whenever somebody's role on something in the space may have become another; 0 while nobody was ever given one.
ALTER TABLE space ADD COLUMN rights INTEGER NOT NULL DEFAULT 0;
