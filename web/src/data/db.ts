// What the drive reads: the entries of one account's spaces, the operations that wait to be sent, and where the pull is.
// One database per account, so that a second account on the same browser never sees the first one's names.
import Dexie, { type EntityTable, type Table } from 'dexie';
import type { Schemas } from '@/api/client';
import type { FileHandle } from '@/platform/web';
import type { Op } from './outbox/ops';
import type { Note } from './outbox/send';

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
  /** In people's own words. */
  description?: string | null;
  /** Ids of tags of the space. */
  tags?: string[];
  properties?: { [name: string]: Schemas['Property'] };
}

/** What somebody may do with an entry and all below it, rising. */
export const roles = ['viewer', 'commenter', 'editor', 'manager'] as const;
export type Role = (typeof roles)[number];

/** Something that others share with this account. */
export interface SharedRow {
  /** Of the grant. */
  id: string;
  entry_id: string;
  space_id: string;
  entry: Entry;
  role: Role;
  expires_at: string | null;
  shared_by: { id: string | null; name: string | null; display_name: string | null };
}

export interface SpaceRow {
  id: string;
  kind: string;
  name: string;
  /** Absent while nobody has told. */
  owner_id?: string;
  root_id: string;
  used_bytes: number;
  reserved_bytes: number;
  quota_bytes?: number | null;
  /** What this account may do with all of it. */
  role?: Role;
  /** Only a part of it is shared with this account: there is no root to begin at. */
  partial?: boolean;
  /** Where the next pull goes on; absent before the first one. */
  cursor?: string;
  /** Whether the first pull has come to its end, and nothing is news any more that comes. */
  complete?: boolean;
  /** Whether the first pull takes more than a moment: see `ahead.ts`. */
  large?: boolean;
}

/** The id of what was there already, for a folder that was made here under another one and merged with it. */
export interface Alias {
  temp: string;
  real: string;
}

export type UploadState =
  | 'waiting'
  | 'sending'
  | 'paused'
  /** Its name is taken, and a person has to say what is to become of it. */
  | 'conflict'
  /** The page was loaded anew and the browser wants to be asked before it reads the file again. */
  | 'locked'
  /** The page was loaded anew and the file has to be picked again. */
  | 'lost'
  | 'done'
  | 'failed'
  | 'skipped';

/** An upload that is not over, so that it outlives the page. */
export interface KeptUpload {
  id: string;
  /** The id that a new file gets. */
  entry: string;
  /** Under which the server knows the request again that it first went in; null before. What has the same went together. */
  operation: string | null;
  name: string;
  size: number;
  type: string;
  /** When the file on the device was changed last, in milliseconds since 1970. */
  modified: number;
  parent: string;
  /** The name of that folder, for people. */
  folder: string;
  /** The dropped folder that it came with, as which it is shown. */
  group: { id: string; name: string } | null;
  state: UploadState;
  sent: number;
  onConflict: 'fail' | 'replace' | 'rename';
  /** Where the server takes the rest of it; null before the first byte, and for files that are sent whole. */
  url: string | null;
  /** The tab that cares for it. */
  tab: string;
  /** What the bytes are, once the first of them are on their way. */
  print: string | null;
  /** How to read the file again: through the browser's handle, or the file itself while it is small. */
  handle?: FileHandle;
  file?: File;
}

/** What came of one change made here, after a time without connection. */
export interface Sent {
  op: Op;
  /** The state the server has now; null when the entry is gone. */
  entry: Entry | null;
  note?: Note;
}
/** What somebody else, or another device, did meanwhile. */
export interface Seen {
  kind: string;
  at: string;
  entry: string;
  /** What it was called and where it was before, as far as this device knew, and what it is now. */
  before: { name: string; parent: string | null } | null;
  after: { name: string; parent: string | null } | null;
}
/** A return after a time without connection, kept until a person has looked at it. */
export interface Review {
  id?: number;
  from: string;
  to: string;
  mine: Sent[];
  theirs: Seen[];
  /** Changes of others beyond those that are kept one by one. */
  more: number;
}

/** A file or folder whose bytes are to be on this device. */
export interface Pin {
  id: string;
  at: string;
}
/** A file whose bytes are on this device, in this version. */
export interface Kept {
  id: string;
  version: string;
  size: number;
  at: string;
}
/** What was chosen, which versions are here, and how many bytes they take. */
export interface KeptUse {
  pinned: ReadonlySet<string>;
  kept: ReadonlyMap<string, string>;
  bytes: number;
}

/** A link that this account has made, as the server told it last. */
export type KeptLink = Schemas['Link'];

/** An entry that is among one's favourites. */
export interface Star {
  id: string;
}

/** An entry that this account had to do with lately, and what that was. */
export interface RecentRow {
  id: string;
  did: 'changed' | 'opened';
  at: string;
}

/** A person whose name was asked for. */
export interface Person {
  id: string;
  name: string;
  /** The version of their picture. */
  picture?: string | null;
  /** When they were asked for, in milliseconds since 1970. */
  at?: number;
}

/** A search that is kept as a place. The server has no room for them, so they are this account's on this device only. */
export interface SavedSearch {
  id: string;
  name: string;
  /** As it stands in the address. */
  query: string;
  at: string;
}

/** What a person is told of in the bell. Kept here only: it is made from what the server tells anyway. */
export interface Notice {
  id: string;
  /** What comes again under the same key is told as one, while it is new. */
  key: string;
  kind:
    | 'changes'
    | 'shared'
    | 'team'
    | 'dropped'
    | 'quota'
    | 'uploaded'
    | 'failed'
    | 'conflict'
    | 'kept'
    | 'refused'
    | 'met'
    | 'job';
  at: string;
  read: boolean;
  /** Who did it. */
  actor: string | null;
  /** What it is about: the folder, the entry, the link. */
  name: string;
  count: number;
  /** Of changes: what was done, and the one entry where there was only one. */
  did?: { added: number; changed: number; removed: number; only: string | null };
  /** Folders that came with it: what happens in them belongs to it. */
  made?: string[];
  /** The last change that is counted in. */
  sequence?: number;
  /** The address where it can be seen. */
  to: string | null;
}
/** Whether a person wants to be told of what happens in a folder and below it. */
export interface Follow {
  id: string;
  on: boolean;
}
/** What was seen last of something, so that only what is new is told. */
export interface SeenRow {
  id: string;
  seen: Record<string, number>;
}

/** A text that an operation carries, or the one it met. */
export interface KeptText {
  id: string;
  text: string;
}
/** What somebody is typing, so that it outlives the page. */
export interface TextDraft {
  /** Of the file. */
  id: string;
  /** What the file was called; drafts of older pages do not tell. */
  name?: string;
  text: string;
  at: string;
  /** The text it began from, as its lines ended, and which version that was. */
  from: { text: string; crlf: boolean; version: string; etag: string; after?: string };
}

export class DriveDb extends Dexie {
  entries!: EntityTable<Entry, 'id'>;
  spaces!: EntityTable<SpaceRow, 'id'>;
  ops!: Table<Op, number>;
  aliases!: EntityTable<Alias, 'temp'>;
  uploads!: EntityTable<KeptUpload, 'id'>;
  reviews!: Table<Review, number>;
  links!: EntityTable<KeptLink, 'id'>;
  shared!: EntityTable<SharedRow, 'id'>;
  pins!: EntityTable<Pin, 'id'>;
  kept!: EntityTable<Kept, 'id'>;
  tags!: EntityTable<Schemas['Tag'], 'id'>;
  stars!: EntityTable<Star, 'id'>;
  recent!: EntityTable<RecentRow, 'id'>;
  people!: EntityTable<Person, 'id'>;
  searches!: EntityTable<SavedSearch, 'id'>;
  notices!: EntityTable<Notice, 'id'>;
  follows!: EntityTable<Follow, 'id'>;
  seen!: EntityTable<SeenRow, 'id'>;
  texts!: EntityTable<KeptText, 'id'>;
  drafts!: EntityTable<TextDraft, 'id'>;

  constructor(readonly userId: string) {
    super(`holdfast-${userId}`);
    this.version(1).stores({
      entries: 'id, parent_id, [parent_id+kind]',
      spaces: 'id',
      ops: '++seq, state',
      aliases: 'temp',
    });
    this.version(2).stores({ uploads: 'id', reviews: '++id' });
    this.version(3).stores({ links: 'id, entry_id' });
    this.version(4).stores({ shared: 'id, entry_id' });
    this.version(5).stores({ pins: 'id', kept: 'id' });
    this.version(6).stores({ tags: 'id, space_id', stars: 'id' });
    this.version(8).stores({ people: 'id', searches: 'id', notices: 'id, key, at', follows: 'id', seen: 'id' });
    this.version(9).stores({ recent: 'id' });
    this.version(10).stores({ texts: 'id', drafts: 'id' });
  }
}
