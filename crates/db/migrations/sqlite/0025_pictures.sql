-- Pictures of people, as they were sent. A table of its own: whoever lists accounts reads past no bytes.
CREATE TABLE picture (
    account_id BLOB PRIMARY KEY REFERENCES account (id),
    version    TEXT NOT NULL,             -- other bytes have another one
    media_type TEXT NOT NULL,
    changed_us INTEGER NOT NULL,
    bytes      BLOB NOT NULL
);
