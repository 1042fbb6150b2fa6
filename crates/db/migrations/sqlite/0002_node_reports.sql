-- Which process of a node reported last, and its how manyeth report that was: an older one changes nothing.
ALTER TABLE node ADD COLUMN started_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE node ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;

-- A heal asks what of its extent waits for removal.
CREATE INDEX garbage_extent ON garbage (extent_id);
