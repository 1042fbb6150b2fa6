-- The trash, what people say of versions, and what undo and history ask of the journal.

CREATE TABLE trash (
    space_id   BLOB NOT NULL,
    sequence   INTEGER NOT NULL,          -- of the change that put it there, which is the order of the trash
    entry_id   BLOB NOT NULL,             -- the top of what was removed; its own parent is null while it is here
    parent_id  BLOB NOT NULL,             -- the folder it was in
    path       TEXT NOT NULL,             -- where it was then, for people
    trashed_us INTEGER NOT NULL,
    trashed_by BLOB,
    PRIMARY KEY (space_id, sequence)
) WITHOUT ROWID;
CREATE UNIQUE INDEX trash_entry ON trash (entry_id);
CREATE INDEX trash_age ON trash (trashed_us);

-- Rows of the trash: while there are any, an entry may be unreachable.
ALTER TABLE space ADD COLUMN trashed INTEGER NOT NULL DEFAULT 0;

ALTER TABLE version ADD COLUMN name TEXT;                            -- that somebody gave it; such a version is kept
ALTER TABLE version ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;    -- 1: kept
ALTER TABLE version ADD COLUMN replaced_us INTEGER;                  -- when it stopped being the current one
UPDATE version SET replaced_us = created_us
WHERE NOT EXISTS (SELECT 1 FROM entry e WHERE e.id = version.entry_id AND e.version_id = version.id);
CREATE INDEX version_age ON version (replaced_us) WHERE replaced_us IS NOT NULL AND pinned = 0 AND name IS NULL;

ALTER TABLE journal ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;      -- 0 a change of its own, 1 an undo, 2 a redo
ALTER TABLE journal ADD COLUMN undoes INTEGER;                       -- the number of the change that this one takes back
ALTER TABLE journal ADD COLUMN undone_by INTEGER;                    -- the number of the change that took this one back
CREATE INDEX journal_actor ON journal (space_id, actor, sequence);
CREATE INDEX journal_entry ON journal (space_id, entry_id, sequence);
CREATE INDEX journal_operation ON journal (operation_id) WHERE operation_id IS NOT NULL;
-- Until now an inverse had no version and nothing read it.
UPDATE journal SET inverse = NULL;
