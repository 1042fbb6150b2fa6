-- Which process of a node reported last, and its how manyeth report that was: an older one changes nothing.
ALTER TABLE node ADD COLUMN started_us INTEGER NOT NULL DEFAULT 0;
ALTER TABLE node ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
