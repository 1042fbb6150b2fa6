// The queue of uploads of this tab: a few at a time, each with its own fate. One that waits for an answer or has failed
// never holds up the others. All of it is in the local database too, so that it goes on after a reload.
import { computed, reactive, shallowRef, watch } from 'vue';
import { Problem, isProblem } from '@/api/problem';
import { drive, type Drive } from '@/data/drive';
import type { Item } from '@/data/project';
import * as read from '@/data/read';
import { freeName } from '@/lib/names';
import { Keep, plain, type Bytes } from './keep';
import { unfinished, type UploadRow, type UploadState } from './rows';
import { resumableFromBytes, sendFile } from './send';
import { isSame, reopen, type Handle } from './source';
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
/** How often the database hears how far an upload is; the server knows it better anyway. */
const noteEveryMs = 2_000;
const offlinePauseMs = 3_000;

class Uploads {
  readonly rows: UploadRow[] = reactive([]);
  readonly active = computed(() => this.rows.filter((row) => unfinished.has(row.state)));
  readonly conflict = computed(() => this.rows.find((row) => row.state === 'conflict') ?? null);
  readonly conflicts = computed(() => this.rows.filter((row) => row.state === 'conflict').length);
  readonly speed = new Speed();
  /** Whether leaving the page now would lose an upload, because nothing of it could be kept. */
  readonly fragile = shallowRef(false);
  private readonly bytes = new Map<string, Bytes>();
  private readonly stops = new Map<string, AbortController>();
  private answerForAll: Answer | null = null;
  private owner: Drive | null = null;
  private keep: Keep | null = null;

  /** Another account sees nothing of this one's uploads: they stay in its own database and go on when it is back. */
  follow(now: Drive | null): void {
    if (now === this.owner) return;
    for (const stop of this.stops.values()) stop.abort();
    this.rows.splice(0);
    this.bytes.clear();
    this.owner = now;
    this.keep = now && new Keep(now.db);
    this.answerForAll = null;
  }

  async add(wanted: readonly Wanted[]): Promise<void> {
    const { owner, keep } = this;
    if (!owner || !keep || wanted.length === 0) return;
    if (this.active.value.length === 0) this.answerForAll = null;
    const namesIn = new Map<string, Set<string>>();
    const added: { row: UploadRow; bytes: Bytes }[] = [];
    for (const { file, handle, parent, group } of wanted) {
      let names = namesIn.get(parent.id);
      if (!names) {
        names = new Set((await read.children(owner.db, parent.id)).map((item) => item.name));
        namesIn.set(parent.id, names);
      }
      const row: UploadRow = {
        id: crypto.randomUUID(),
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
    this.rows.push(...added.map(({ row }) => row));
    await keep.add(added);
    this.fragile.value = !(await keep.survives(this.active.value.map((row) => row.id)));
    this.pump();
  }

  /** Takes up what an earlier page left, as far as its bytes can be had. */
  async restore(): Promise<void> {
    const { keep } = this;
    for (const kept of (await keep?.adopt()) ?? []) {
      if (this.keep !== keep || this.rows.some((row) => row.id === kept.id)) continue;
      const { print, file, handle } = kept;
      const row: UploadRow = reactive({ ...plain(kept), problem: null });
      if (row.state === 'sending') row.state = 'waiting';
      if (file) this.bytes.set(row.id, { file });
      else if (unfinished.has(row.state)) {
        const opened = await reopen(handle, row, print, false);
        if ('file' in opened) this.bytes.set(row.id, { file: opened.file, handle });
        else row.state = opened.state;
      }
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
    this.note(row);
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
    this.note(row);
    this.pump();
  }

  private note(row: UploadRow): void {
    void this.keep?.update(row).catch((error: unknown) => console.warn('the queue could not be written down', error));
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
      row.state = this.bytes.has(row.id) ? 'waiting' : 'lost';
    }
    this.note(row);
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
    const busy = this.rows.filter((row) => row.state === 'sending').length;
    if (this.owner?.sync.state.link !== 'offline')
      for (const row of this.rows.filter((one) => one.state === 'waiting').slice(0, Math.max(0, maxAtOnce - busy)))
        void this.send(row);
    this.speed.run(this.rows.some((row) => row.state === 'sending'));
  }

  private async send(row: UploadRow): Promise<void> {
    const { owner, keep } = this;
    const bytes = this.bytes.get(row.id);
    if (!owner || !keep || !bytes) return;
    row.state = 'sending';
    row.problem = null;
    const stop = new AbortController();
    this.stops.set(row.id, stop);
    let notedAt = performance.now();
    try {
      if (row.size >= resumableFromBytes) await keep.mark(row.id, bytes.file);
      const parent = await this.realParent(owner, row.parent, stop.signal);
      let before = row.sent;
      const entry = await sendFile({
        id: row.id,
        file: bytes.file,
        name: row.name,
        parent,
        onConflict: row.onConflict,
        url: row.url,
        signal: stop.signal,
        onUrl: (url) => {
          row.url = url;
          this.note(row);
        },
        onProgress: (sent) => {
          this.speed.add(Math.max(0, sent - before));
          before = sent;
          row.sent = sent;
          if (performance.now() - notedAt < noteEveryMs) return;
          notedAt = performance.now();
          this.note(row);
        },
      });
      row.sent = row.size;
      row.state = 'done';
      this.bytes.delete(row.id);
      if (entry) await owner.learn(entry);
      else owner.sync.kick();
    } catch (error) {
      if (this.keep === keep) this.fail(row, error);
    } finally {
      this.stops.delete(row.id);
      if (this.keep === keep) {
        this.note(row);
        this.pump();
      }
    }
  }

  private fail(row: UploadRow, error: unknown): void {
    // Paused or cancelled: the row says already what it is.
    if (error instanceof DOMException && error.name === 'AbortError') return;
    if (error instanceof DOMException && error.name === 'NotReadableError') {
      // The file was changed or moved on the device meanwhile.
      row.state = 'lost';
      this.bytes.delete(row.id);
      return;
    }
    const problem = error instanceof Problem ? error : Problem.offline(error);
    row.problem = problem;
    if (isProblem(problem, 'name-taken') && row.onConflict === 'fail') {
      this.meetConflict(row);
    } else if (problem.status === 0) {
      // It goes on by itself when the connection is back.
      row.state = 'waiting';
      this.owner?.sync.kick();
      setTimeout(() => this.pump(), offlinePauseMs);
    } else {
      row.state = 'failed';
    }
  }

  /** A folder that was made here is there for files once the outbox has sent it. */
  private async realParent(owner: Drive, id: string, signal: AbortSignal): Promise<string> {
    for (;;) {
      const real = await read.realId(owner.db, id);
      const making = await owner.db.ops.filter((op) => 'temp' in op && op.temp === real).first();
      if (!making) return real;
      if (making.state === 'parked') throw new Problem(404, 'not-found', 'The folder for it could not be made.');
      owner.sync.kick();
      await new Promise<void>((resolve, reject) => {
        const timer = setTimeout(resolve, 150);
        signal.addEventListener(
          'abort',
          () => (clearTimeout(timer), reject(new DOMException('cancelled', 'AbortError'))),
          { once: true },
        );
      });
    }
  }

  pause(row: UploadRow): void {
    row.state = 'paused';
    this.stops.get(row.id)?.abort();
    this.note(row);
    this.pump();
  }
  resume(row: UploadRow): void {
    row.state = this.bytes.has(row.id) ? 'waiting' : 'lost';
    this.note(row);
    this.pump();
  }
  cancel(rows: readonly UploadRow[]): void {
    const gone = new Set(rows.map((row) => row.id));
    for (const id of gone) {
      this.stops.get(id)?.abort();
      this.bytes.delete(id);
    }
    for (const row of rows) row.state = 'skipped';
    this.rows.splice(0, this.rows.length, ...this.rows.filter((row) => !gone.has(row.id)));
    void this.keep?.forget([...gone]);
    this.pump();
  }
  each(from: readonly UploadState[], act: (row: UploadRow) => void, among: readonly UploadRow[] = this.rows): void {
    for (const row of among.filter((one) => from.includes(one.state))) act(row);
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
  (link) => link === 'online' && uploads.pump(),
);
addEventListener('beforeunload', (event) => {
  if (uploads.active.value.length > 0 && uploads.fragile.value) event.preventDefault();
});
