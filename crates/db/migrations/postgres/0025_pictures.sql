-- Pictures of people, as they were sent. A table of its own: whoever lists accounts reads past no bytes.
CREATE TABLE picture (
    account_id uuid PRIMARY KEY REFERENCES account (id),
    version    text NOT NULL,             -- other bytes have another one
    media_type text NOT NULL,
    changed_us bigint NOT NULL,
    bytes      bytea NOT NULL
);
-- They are compressed already.
ALTER TABLE picture ALTER COLUMN bytes SET STORAGE EXTERNAL;
