-- Plans: named limits that spaces are given. What holds for a space stands in its own row, so that whoever takes the row sees
-- the limits in force; a change of a plan changes the rows of its spaces in the same unit of work.

CREATE TABLE plan (
    id            uuid PRIMARY KEY,
    name          text NOT NULL,
    name_key      text COLLATE "C" NOT NULL UNIQUE,      -- the name in lower case
    storage_bytes bigint,                   -- null, here and below: no limit
    file_bytes    bigint,
    versions_kept bigint,
    trash_days    bigint,
    links         bigint,
    members       bigint,
    for_personal  bigint NOT NULL,          -- 1: new personal spaces get it
    for_team      bigint NOT NULL,          -- 1: new team spaces get it
    created_us    bigint NOT NULL
);
CREATE UNIQUE INDEX plan_for_personal ON plan (for_personal) WHERE for_personal = 1;
CREATE UNIQUE INDEX plan_for_team ON plan (for_team) WHERE for_team = 1;

ALTER TABLE space ADD COLUMN plan_id uuid;
ALTER TABLE space ADD COLUMN quota_own bigint NOT NULL DEFAULT 0;   -- 1: quota_bytes was set for this space alone
ALTER TABLE space ADD COLUMN file_bytes_max bigint;                 -- from here on: of its plan
ALTER TABLE space ADD COLUMN versions_max bigint;
ALTER TABLE space ADD COLUMN trash_days_max bigint;
ALTER TABLE space ADD COLUMN links_max bigint;
ALTER TABLE space ADD COLUMN members_max bigint;
CREATE INDEX space_plan ON space (plan_id, id) WHERE plan_id IS NOT NULL;

CREATE INDEX link_space ON link (space_id);
CREATE INDEX upload_space ON upload (space_id);
