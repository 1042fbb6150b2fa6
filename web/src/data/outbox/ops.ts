// The operations a person can do to the tree, as rows: each is one call to the server, and knows what it was based on.

import type { Schemas } from '@/api/client';
import type { Entry } from '../db';

/** What somebody else made of the same thing meanwhile. Their text, where it is one, is kept beside ours: see `texts.ts`. */
export interface Theirs {
  /** It is in the trash, or gone for good. */
  gone?: 'trash' | 'ever';
  revision: number;
  at: string;
  etag?: string;
  version?: string;
  size?: number;
  description?: string | null;
  properties?: Properties;
}

export interface Failure {
  /** The server's code, or one of ours: `depends`, `conflict`. */
  code: string;
  detail: string;
  /** Of a conflict: the other side of it. */
  theirs?: Theirs;
}

export type Properties = Record<string, Schemas['Property']>;

interface Base {
  /** The order in which operations were made and are sent. */
  seq?: number;
  /** The client's own name of the operation. */
  id: string;
  at: string;
  /** `waiting` to be sent; `parked` when the server refused and a person has to decide. */
  state: 'waiting' | 'parked';
  attempts: number;
  /** Milliseconds since 1970 before which it is not tried again. */
  notBefore: number;
  failure?: Failure;
}

export interface CreateFolder extends Base {
  kind: 'create-folder';
  /** The id it is made under, which the server takes over. Only where it merges with what is there it gets another one. */
  temp: string;
  space: string;
  parent: string;
  name: string;
}

export interface Update extends Base {
  kind: 'update';
  entry: string;
  /** New name and folder; what is absent stays as it is. */
  name?: string;
  parent?: string;
  /** What the person saw when deciding. */
  before: { name: string; parent: string; revision: number };
}

export interface Copy extends Base {
  kind: 'copy';
  entry: string;
  temp: string;
  space: string;
  parent: string;
  name: string;
  /** What the copy looks like until the server has made it. */
  like: { kind: 'folder' | 'file'; size?: number; content_type?: string };
}

export interface Delete extends Base {
  kind: 'delete';
  entry: string;
  /** `version` is the bytes that were seen, for files. */
  before: { name: string; parent: string; revision: number; version?: string };
}

export interface Restore extends Base {
  kind: 'restore';
  entry: string;
  /** What came out of sight, so that it is back at once. */
  was: Entry;
}

/** Tags are a set: whoever puts one on where it is already has nothing to settle with anybody. */
export interface Tagging extends Base {
  kind: 'tag';
  entries: string[];
  tag: string;
  /** Ids of tags that were merged into it: what has one of them has it. */
  merged: string[];
  /** The tag's name and that of the first entry, for people. */
  tagName: string;
  name: string;
  on: boolean;
}

export interface Starring extends Base {
  kind: 'star';
  entries: string[];
  name: string;
  on: boolean;
}

export interface Describe extends Base {
  kind: 'describe';
  entry: string;
  /** What is absent stays as it is; null takes it away. */
  description?: string | null;
  properties?: Record<string, Schemas['Property'] | null>;
  /** What the person saw when they began to type. */
  before: { name: string; parent: string; revision: number; description: string | null; properties: Properties };
}

/** A new version of a text. The words themselves are kept under the operation's id: see `texts.ts`. */
export interface Write extends Base {
  kind: 'write';
  entry: string;
  size: number;
  content_type: string;
  /** The version that was read. */
  base: { name: string; parent: string; space: string; version: string; etag: string };
  /** The waiting operation on whose text this one was typed: what that one becomes is what this one is based on. */
  after?: string;
}

/** A text as a file of its own. The words are kept under the operation's id. */
export interface CreateFile extends Base {
  kind: 'create-file';
  temp: string;
  space: string;
  parent: string;
  name: string;
  size: number;
  content_type: string;
}

export type Op = CreateFolder | Update | Copy | Delete | Restore | Tagging | Starring | Describe | Write | CreateFile;
/** `id` is given where it was tried under one already, or where something else is kept under it. */
export type OpInput<T extends Op = Op> = T extends Op ? Omit<T, keyof Base> & { id?: string } : never;

/**
 * An id for what is made here, which the server takes as its own: so a folder can be filled, renamed and moved before the
 * server has heard of it. A UUIDv7: the milliseconds since 1970, then chance.
 */
export function newEntryId(now: number = Date.now()): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, Math.floor(now / 2 ** 32));
  view.setUint32(2, now % 2 ** 32);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  return `ent_${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

export function newOp(input: OpInput): Op {
  return {
    ...input,
    id: input.id ?? crypto.randomUUID(),
    at: new Date().toISOString(),
    state: 'waiting',
    attempts: 0,
    notBefore: 0,
  };
}

export const isConflict = (op: Op) => op.state === 'parked' && op.failure?.code === 'conflict';
