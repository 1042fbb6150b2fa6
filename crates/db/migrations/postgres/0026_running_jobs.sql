-- Who works on a job, since when, and how far that is; null for one that nobody has leased.
ALTER TABLE job
    ADD COLUMN began_us bigint,
    ADD COLUMN worker text,
    ADD COLUMN done bigint,
    ADD COLUMN total bigint,
    ADD COLUMN unit text;
