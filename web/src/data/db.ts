// What the drive reads: the entries of one account's spaces, the operations that wait to be sent, and where the pull is.
// One database per account, so that a second account on the same browser never sees the first one's names.
import Dexie, { type EntityTable, type Table } from 'dexie';
import type { Op } from './outbox/ops';

/** A folder or file as the server last told it. The fields from `size` on are those of files. */
export interface Entry {
  id: string;
  space_id: string;
  parent_id?: string | null;
  name: string;
  kind: 'folder' | 'file';
  revision: number;
  created_at: string;
  modified_at: string;
  size?: number;
  content_type?: string;
  blake3?: string | null;
  version_id?: string;
  etag?: string;
}

export interface SpaceRow {
  id: string;
  kind: string;
  name: string;
  root_id: string;
  used_bytes: number;
  reserved_bytes: number;
  quota_bytes?: number | null;
  /** Where the next pull goes on; absent before the first one. */
  cursor?: string;
  /** Whether the first pull has come to its end: until then an empty folder may only look empty. */
  complete?: boolean;
}

/** The real id of an entry that was made here before the server knew it. */
export interface Alias {
  temp: string;
  real: string;
}

export class DriveDb extends Dexie {
  entries!: EntityTable<Entry, 'id'>;
  spaces!: EntityTable<SpaceRow, 'id'>;
  ops!: Table<Op, number>;
  aliases!: EntityTable<Alias, 'temp'>;

  constructor(userId: string) {
    super(`holdfast-${userId}`);
    this.version(1).stores({
      entries: 'id, parent_id, [parent_id+kind]',
      spaces: 'id',
      ops: '++seq, state',
      aliases: 'temp',
    });
  }
}
