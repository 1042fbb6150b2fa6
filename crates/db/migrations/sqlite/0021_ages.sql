-- A space may say itself how long it keeps its trash and its versions: what is too old is looked for space by space.

DROP INDEX trash_age;
CREATE INDEX trash_age ON trash (space_id, trashed_us);

DROP INDEX version_age;
CREATE INDEX version_age ON version (space_id, replaced_us)
WHERE replaced_us IS NOT NULL AND pinned = 0 AND name IS NULL;
