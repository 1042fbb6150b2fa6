// The queue of uploads of this tab: a few requests at a time, each file with its own fate. One that waits for an answer or
// has failed never holds up the others. All of it is in the local database too, so that it goes on after a reload.
import { computed, reactive, shallowRef, watch } from 'vue';
import { Problem, isProblem } from '@/api/problem';
import { drive, type Drive } from '@/data/drive';
import { newEntryId } from '@/data/outbox/ops';
import type { Item } from '@/data/project';
import * as read from '@/data/read';
import { freeName } from '@/lib/names';
import { carryMany, carryOne, type Carrying } from './carry';
import { Keep, plain, type Bytes } from './keep';
import { nextLoad } from './loads';
import { unfinished, type UploadRow, type UploadState } from './rows';
import { folderOnServer } from './parent';
import { isReadable, isSame, reopen, type Handle } from './source';
import { Speed } from './speed';

export interface Wanted {
  file: File;
  handle?: Handle;
  parent: Pick<Item, 'id' | 'name'>;
  /** The dropped folder it came with. */
  group: UploadRow['group'];
}
type Answer = 'replace' | 'rename' | 'skip';

const maxAtOnce = 3;
const offlinePauseMs = 3_000;
/** How long the queue rests when the server is in trouble: longer each time, until something has got through. */
const firstRestMs = 2_000;
const longestRestMs = 60_000;
/** What a server may ask for at most. */
const longestAskedMs = 300_000;
/** How often a file is sent by itself to a server in trouble. */
const maxTries = 6;

class Uploads {
  readonly rows: UploadRow[] = reactive([]);
  readonly active = computed(() => this.rows.filter((row) => unfinished.has(row.state)));
  readonly conflict = computed(() => this.rows.find((row) => row.state === 'conflict') ?? null);
  readonly conflicts = computed(() => this.rows.filter((row) => row.state === 'conflict').length);
  readonly speed = new Speed();
  /** Whether leaving the page now would lose an upload, because nothing of it could be kept. */
  readonly fragile = shallowRef(false);
  private readonly bytes = new Map<string, Bytes>();
  /** What is being sent, by the request that sends it. */
  private readonly stops = new Map<string, AbortController>();
  private readonly requests = new Set<AbortController>();
  /** Set while the server could not be reached just now, or was in trouble. */
  private rest: ReturnType<typeof setTimeout> | null = null;
  private restUntil = 0;
  /** How often it rested since something got through to a server in trouble. */
  private rests = 0;
  /** How often a file met such a server. */
  private readonly tries = new Map<string, number>();
  private answerForAll: Answer | null = null;
  private owner: Drive | null = null;
  private keep: Keep | null = null;

  /** Another account sees nothing of this one's uploads: they stay in its own database and go on when it is back. */
  follow(now: Drive | null): void {
    if (now === this.owner) return;
    for (const request of this.requests) request.abort();
    this.requests.clear();
    this.stops.clear();
    this.rows.splice(0);
    this.bytes.clear();
    this.tries.clear();
    this.rests = 0;
    this.endRest();
    this.owner = now;
    this.keep = now && new Keep(now.db);
    this.answerForAll = null;
  }

  /** The account is the one that the files were chosen in: none of them may go to another one. */
  async add(wanted: readonly Wanted[], owner: Drive | null = this.owner): Promise<void> {
    const { keep } = this;
    if (!owner || !keep || this.owner !== owner || wanted.length === 0) return;
    if (this.active.value.length === 0) this.answerForAll = null;
    const namesIn = new Map<string, Set<string>>();
    const added: { row: UploadRow; bytes: Bytes }[] = [];
    for (const { file, handle, parent, group } of wanted) {
      let names = namesIn.get(parent.id);
      if (!names) {
        const there = await read.children(owner.db, parent.id).catch((error: unknown) => {
          // The database was closed with the account.
          if (this.owner === owner) throw error;
          return [];
        });
        if (this.owner !== owner) return;
        names = new Set(there.map((item) => item.name));
        namesIn.set(parent.id, names);
      }
      const row: UploadRow = {
        id: crypto.randomUUID(),
        entry: newEntryId(),
        operation: null,
        name: file.name.normalize('NFC'),
        size: file.size,
        type: file.type,
        modified: file.lastModified,
        parent: parent.id,
        folder: parent.name,
        group,
        state: 'waiting',
        sent: 0,
        onConflict: 'fail',
        url: null,
        problem: null,
      };
      const bytes = handle ? { file, handle } : { file };
      this.bytes.set(row.id, bytes);
      if (names.has(row.name)) this.meetConflict(row);
      added.push({ row, bytes });
    }
    for (const { row } of added) this.rows.push(row);
    // What the answer for all has skipped already is over.
    await keep.add(added.filter(({ row }) => row.state !== 'skipped'));
    if (this.owner !== owner) return;
    const survives = await keep.survives(this.active.value.map((row) => row.id)).catch(() => false);
    if (this.owner !== owner) return;
    this.fragile.value = !survives;
    this.pump();
  }

  /** Takes up what an earlier page left, or this one when its account went, as far as its bytes can be had. */
  async restore(): Promise<void> {
    const { keep } = this;
    /** What is cancelled while the database answers is not to come back. */
    const seen = new Set(this.rows.map((row) => row.id));
    const isNew = (id: string) => this.keep === keep && !seen.has(id) && !this.rows.some((row) => row.id === id);
    for (const kept of (await keep?.adopt()) ?? []) {
      if (!isNew(kept.id)) continue;
      const { print, file, handle } = kept;
      const row: UploadRow = reactive({ ...plain(kept), problem: null });
      if (row.state === 'sending') this.again(row);
      let bytes: Bytes | null = file ? { file } : null;
      if (!bytes && unfinished.has(row.state)) {
        const opened = await reopen(handle, row, print, false);
        if ('file' in opened) bytes = { file: opened.file, handle };
        else row.state = opened.state;
        if (!isNew(row.id)) continue;
      }
      if (bytes) this.bytes.set(row.id, bytes);
      this.rows.push(row);
    }
    this.pump();
  }

  /** Asks the browser for a file that was begun by an earlier page. Has to come from a click. */
  async unlock(row: UploadRow): Promise<void> {
    const kept = await this.keep?.get(row.id);
    const opened = await reopen(kept?.handle, row, kept?.print ?? null, true);
    if ('file' in opened) this.take(row, { file: opened.file, handle: kept?.handle });
    else row.state = opened.state;
    void this.note([row]);
  }

  /** A file that was picked again. Answers whether it is the one. */
  async offer(row: UploadRow, file: File): Promise<boolean> {
    const kept = await this.keep?.get(row.id);
    if (!(await isSame(file, row, kept?.print ?? null))) return false;
    this.take(row, { file });
    return true;
  }

  private take(row: UploadRow, bytes: Bytes): void {
    this.bytes.set(row.id, bytes);
    row.state = 'waiting';
    void this.note([row]);
    this.pump();
  }

  private note(rows: readonly UploadRow[]): Promise<void> {
    return (this.keep?.update(rows) ?? Promise.resolve()).catch((error: unknown) =>
      console.warn('the queue could not be written down', error),
    );
  }

  private meetConflict(row: UploadRow): void {
    if (this.answerForAll) this.settle(row, this.answerForAll);
    else row.state = 'conflict';
  }

  private settle(row: UploadRow, answer: Answer): void {
    if (answer === 'skip') {
      row.state = 'skipped';
      this.bytes.delete(row.id);
    } else {
      row.onConflict = answer;
      // Under another rule it is another request to the server.
      row.operation = null;
      row.state = this.bytes.has(row.id) ? 'waiting' : 'lost';
    }
    void this.note([row]);
  }

  answer(row: UploadRow, answer: Answer, forAll: boolean): void {
    if (forAll) this.answerForAll = answer;
    for (const other of forAll ? this.rows.filter((one) => one.state === 'conflict') : [row])
      this.settle(other, answer);
    this.pump();
  }

  /** The name that keeping both would give, as far as this device can tell. */
  async keptName(row: UploadRow): Promise<string> {
    const names = new Set(this.owner ? (await read.children(this.owner.db, row.parent)).map((item) => item.name) : []);
    return freeName(row.name, 'file', (name) => names.has(name));
  }

  pump(): void {
    if (this.owner && !this.rest && this.owner.sync.state.link !== 'offline')
      while (this.requests.size < maxAtOnce) {
        const load = nextLoad(this.rows);
        if (load.length === 0) break;
        void this.send(load);
      }
    this.speed.run(this.requests.size > 0);
  }

  /** There is reason to think that the server can be reached again. */
  wake(): void {
    this.endRest();
    this.pump();
  }

  private endRest(): void {
    if (this.rest) clearTimeout(this.rest);
    this.rest = null;
    this.restUntil = 0;
  }

  /** Sends nothing for so long, or for longer if that was asked for before. */
  private restFor(ms: number): void {
    const until = performance.now() + ms;
    if (until <= this.restUntil) return;
    this.endRest();
    this.restUntil = until;
    this.rest = setTimeout(() => this.wake(), ms);
  }

  /** The server is in trouble for now. What goes to it at the same time and fares the same is one reason to rest, not several. */
  private spare(problem: Problem): void {
    const resting = this.rest !== null;
    if (problem.retryAfter !== null) this.restFor(Math.min(longestAskedMs, problem.retryAfter * 1000));
    else if (!resting) this.restFor(Math.min(longestRestMs, firstRestMs * 2 ** this.rests));
    if (!resting) this.rests += 1;
  }

  private async send(load: readonly UploadRow[]): Promise<void> {
    const { owner, keep } = this;
    const [first] = load;
    if (!owner || !keep || !first) return;
    const stop = new AbortController();
    this.requests.add(stop);
    const operation = first.operation ?? (load.length > 1 ? crypto.randomUUID() : first.id);
    for (const row of load) {
      row.state = 'sending';
      row.problem = null;
      row.operation = operation;
      this.stops.set(row.id, stop);
    }
    /** Those that were not paused or cancelled meanwhile. */
    const ours = () => load.filter((row) => this.stops.get(row.id) === stop);
    const how: Carrying = {
      signal: stop.signal,
      fileOf: (row) => this.bytes.get(row.id)?.file,
      mark: (row, file) => keep.mark(row.id, file),
      sent: (row, bytes) => {
        this.speed.add(Math.max(0, bytes - row.sent));
        row.sent = bytes;
      },
      note: (row) => void this.note([row]),
      done: (row) => this.done(row),
      refused: (row, problem) => this.fail(row, problem),
    };
    try {
      // Before the first byte goes: after a reload the server is to know again what it has.
      await this.note(load);
      const parent = await folderOnServer(owner, first.parent, stop.signal);
      const made =
        operation === first.id ? await carryOne(first, parent, how) : await carryMany(load, operation, parent, how);
      // The server has them: where they cannot be written down here, the next pull brings them.
      if (made.length > 0) await owner.learn(...made).catch(() => owner.sync.kick());
      else owner.sync.kick();
    } catch (error) {
      if (this.keep === keep) await this.failAll(ours(), error);
    } finally {
      const left = ours();
      for (const row of left) this.stops.delete(row.id);
      this.requests.delete(stop);
      if (this.keep === keep) {
        await this.note(left);
        this.pump();
      }
    }
  }

  private done(row: UploadRow): void {
    row.state = 'done';
    this.tries.delete(row.id);
    this.rests = 0;
    this.bytes.delete(row.id);
  }

  /** A whole request that came to nothing. */
  private async failAll(load: readonly UploadRow[], error: unknown): Promise<void> {
    // What has an answer of its own keeps it.
    const rows = this.among(['sending'], load);
    // One of them was paused or cancelled, and the request with it: the others go on in the next one.
    if (error instanceof DOMException && error.name === 'AbortError') {
      for (const row of rows) this.again(row);
      return;
    }
    const problem = Problem.of(error);
    // A file that cannot be read fails as a missing connection does.
    const lost = problem.status === 0 ? await this.unreadable(rows) : new Set<UploadRow>();
    for (const row of rows) {
      if (lost.has(row)) {
        row.state = 'lost';
        row.sent = 0;
        this.bytes.delete(row.id);
      } else if (lost.size > 0) {
        this.again(row);
      } else {
        this.fail(row, problem);
      }
    }
  }

  /** Files that were changed or moved on the device since they were chosen. */
  private async unreadable(rows: readonly UploadRow[]): Promise<Set<UploadRow>> {
    const lost = new Set<UploadRow>();
    for (const row of rows) {
      const file = this.bytes.get(row.id)?.file;
      if (!file || !(await isReadable(file))) lost.add(row);
    }
    return lost;
  }

  private again(row: UploadRow): void {
    row.state = 'waiting';
    // What is not sent by pieces begins anew.
    if (!row.url) row.sent = 0;
  }

  private fail(row: UploadRow, problem: Problem): void {
    row.problem = problem;
    if (!row.url) row.sent = 0;
    if (isProblem(problem, 'name-taken') && row.onConflict === 'fail') {
      this.meetConflict(row);
    } else if (problem.status === 0) {
      // It goes on by itself when the connection is back.
      this.again(row);
      this.owner?.sync.kick();
      if (!this.rest) this.restFor(offlinePauseMs);
    } else if (problem.passing) {
      const tries = (this.tries.get(row.id) ?? 0) + 1;
      this.tries.set(row.id, tries);
      if (tries < maxTries) this.again(row);
      else row.state = 'failed';
      // Those behind it would meet the same.
      this.spare(problem);
    } else {
      row.state = 'failed';
    }
  }

  /** Ends what is being sent of these. The others that go in the same request go on in the next one. */
  private stop(rows: readonly UploadRow[]): void {
    const requests = new Set(rows.map((row) => this.stops.get(row.id)));
    for (const row of rows) this.stops.delete(row.id);
    for (const request of requests) request?.abort();
  }

  pause(rows: readonly UploadRow[]): void {
    for (const row of rows) {
      row.state = 'paused';
      if (!row.url) row.sent = 0;
    }
    this.stop(rows);
    void this.note(rows);
    this.pump();
  }
  resume(rows: readonly UploadRow[]): void {
    for (const row of rows) {
      row.state = this.bytes.has(row.id) ? 'waiting' : 'lost';
      this.tries.delete(row.id);
    }
    void this.note(rows);
    // Whoever asks for it does not want to wait.
    this.wake();
  }
  cancel(rows: readonly UploadRow[]): void {
    const gone = new Set(rows.map((row) => row.id));
    this.stop(rows);
    for (const id of gone) {
      this.bytes.delete(id);
      this.tries.delete(id);
    }
    for (const row of rows) row.state = 'skipped';
    this.rows.splice(0, this.rows.length, ...this.rows.filter((row) => !gone.has(row.id)));
    void this.keep?.forget([...gone]);
    this.pump();
  }
  /** Those in one of these states. */
  among(states: readonly UploadState[], rows: readonly UploadRow[] = this.rows): UploadRow[] {
    return rows.filter((row) => states.includes(row.state));
  }
  /** Takes away what is over. */
  clear(): void {
    this.cancel(this.rows.filter((row) => !unfinished.has(row.state)));
  }
}

export const uploads = new Uploads();

watch(drive, (now) => uploads.follow(now), { immediate: true, flush: 'sync' });
watch(
  () => drive.value?.sync.state.link,
  (link) => link === 'online' && uploads.wake(),
);
addEventListener('beforeunload', (event) => {
  if (uploads.active.value.length > 0 && uploads.fragile.value) event.preventDefault();
});
