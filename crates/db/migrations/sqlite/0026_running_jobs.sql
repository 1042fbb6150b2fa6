-- Who works on a job, since when, and how far that is; null for one that nobody has leased.
ALTER TABLE job ADD COLUMN began_us INTEGER;
ALTER TABLE job ADD COLUMN worker TEXT;
ALTER TABLE job ADD COLUMN done INTEGER;
ALTER TABLE job ADD COLUMN total INTEGER;
ALTER TABLE job ADD COLUMN unit TEXT;
