-- Plans: named limits that spaces are given. What holds for a space stands in its own row, so that whoever takes the row sees
-- the limits in force; a change of a plan changes the rows of its spaces in the same unit of work.

CREATE TABLE plan (
    id            BLOB PRIMARY KEY,
    name          TEXT NOT NULL,
    name_key      TEXT NOT NULL UNIQUE,      -- the name in lower case
    storage_bytes INTEGER,                   -- null, here and below: no limit
    file_bytes    INTEGER,
    versions_kept INTEGER,
    trash_days    INTEGER,
    links         INTEGER,
    members       INTEGER,
    for_personal  INTEGER NOT NULL,          -- 1: new personal spaces get it
    for_team      INTEGER NOT NULL,          -- 1: new team spaces get it
    created_us    INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX plan_for_personal ON plan (for_personal) WHERE for_personal = 1;
CREATE UNIQUE INDEX plan_for_team ON plan (for_team) WHERE for_team = 1;

ALTER TABLE space ADD COLUMN plan_id BLOB;
ALTER TABLE space ADD COLUMN quota_own INTEGER NOT NULL DEFAULT 0;   -- 1: quota_bytes was set for this space alone
ALTER TABLE space ADD COLUMN file_bytes_max INTEGER;                 -- from here on: of its plan
ALTER TABLE space ADD COLUMN versions_max INTEGER;
ALTER TABLE space ADD COLUMN trash_days_max INTEGER;
ALTER TABLE space ADD COLUMN links_max INTEGER;
ALTER TABLE space ADD COLUMN members_max INTEGER;
CREATE INDEX space_plan ON space (plan_id, id) WHERE plan_id IS NOT NULL;

CREATE INDEX link_space ON link (space_id);
CREATE INDEX upload_space ON upload (space_id);
