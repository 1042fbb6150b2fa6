-- A link to a file that is still being uploaded leads to the entry that the upload will become.
ALTER TABLE upload ADD COLUMN promised_id uuid;
CREATE INDEX upload_promised ON upload (promised_id) WHERE promised_id IS NOT NULL;

-- A link that is asked for twice by one request is made once.
ALTER TABLE link ADD COLUMN operation_id uuid;
CREATE UNIQUE INDEX link_operation ON link (account_id, operation_id, entry_id) WHERE operation_id IS NOT NULL;
