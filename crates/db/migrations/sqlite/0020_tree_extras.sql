-- What people say of entries, what is below each folder, and what an account keeps at hand.

-- Of all that is below a folder, however deep. A folder without a row has nothing below it.
CREATE TABLE folder_total (
    space_id  BLOB NOT NULL,
    folder_id BLOB NOT NULL,
    bytes     INTEGER NOT NULL,           -- of current versions
    files     INTEGER NOT NULL,
    folders   INTEGER NOT NULL,
    PRIMARY KEY (space_id, folder_id)
) WITHOUT ROWID;

INSERT INTO folder_total (space_id, folder_id, bytes, files, folders)
WITH RECURSIVE own (space_id, folder_id, bytes, files, folders) AS (
    SELECT space_id, parent_id, SUM(size), SUM(kind), SUM(1 - kind)
    FROM entry WHERE parent_id IS NOT NULL GROUP BY space_id, parent_id
), up (space_id, folder_id, bytes, files, folders) AS (
    SELECT space_id, folder_id, bytes, files, folders FROM own
    UNION ALL
    SELECT up.space_id, e.parent_id, up.bytes, up.files, up.folders
    FROM up JOIN entry e ON e.space_id = up.space_id AND e.id = up.folder_id WHERE e.parent_id IS NOT NULL
)
SELECT space_id, folder_id, SUM(bytes), SUM(files), SUM(folders) FROM up GROUP BY space_id, folder_id;

ALTER TABLE entry ADD COLUMN extras TEXT;   -- JSON: description, tags, properties; null where nothing was said

-- Nothing is ever removed from here: what was deleted or merged can come back, with all entries that had it.
CREATE TABLE tag (
    id         BLOB PRIMARY KEY,
    space_id   BLOB NOT NULL,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL,             -- the name in lower case
    colour     TEXT NOT NULL,
    merged_id  BLOB,                      -- the tag that it became a part of
    deleted    INTEGER NOT NULL,          -- 1: it is gone
    created_us INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX tag_space ON tag (space_id, id);
CREATE UNIQUE INDEX tag_name ON tag (space_id, name_key) WHERE merged_id IS NULL AND deleted = 0;

-- Which entries have a tag; the same as in their extras.
CREATE TABLE entry_tag (
    tag_id   BLOB NOT NULL,
    entry_id BLOB NOT NULL,
    space_id BLOB NOT NULL,
    PRIMARY KEY (tag_id, entry_id)
) WITHOUT ROWID;
CREATE INDEX entry_tag_entry ON entry_tag (entry_id);

CREATE TABLE favourite (
    account_id BLOB NOT NULL,
    entry_id   BLOB NOT NULL,
    added_us   INTEGER NOT NULL,
    PRIMARY KEY (account_id, entry_id)
) WITHOUT ROWID;
CREATE INDEX favourite_entry ON favourite (entry_id);

-- The newest opening of each entry by an account; only so many of each account are kept.
CREATE TABLE opening (
    account_id BLOB NOT NULL,
    entry_id   BLOB NOT NULL,
    opened_us  INTEGER NOT NULL,
    PRIMARY KEY (account_id, entry_id)
) WITHOUT ROWID;
CREATE INDEX opening_age ON opening (account_id, opened_us);

-- The changes of an operation, by what they were made to: a request that is repeated looks for one of up to a thousand.
DROP INDEX journal_operation;
CREATE INDEX journal_operation ON journal (operation_id, entry_id) WHERE operation_id IS NOT NULL;

-- What a space says of its own otherwise than the server does; null where it says nothing.
ALTER TABLE space ADD COLUMN trash_days INTEGER;       -- 0: until somebody empties it
ALTER TABLE space ADD COLUMN versions_kept INTEGER;
ALTER TABLE space ADD COLUMN version_days INTEGER;     -- 0: no bound by age
