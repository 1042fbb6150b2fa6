// The queue of uploads of this tab: a few at a time, each with its own fate. One that waits for an answer or has failed
// never holds up the others.
import { computed, reactive, shallowRef, watch } from 'vue';
import { Problem, isProblem } from '@/api/problem';
import { drive } from '@/data/drive';
import { isTemp } from '@/data/outbox/ops';
import type { Item } from '@/data/project';
import * as read from '@/data/read';
import { freeName } from '@/lib/names';
import { sendFile, type OnConflict } from './send';

export interface Wanted {
  file: File;
  parent: Pick<Item, 'id' | 'name'>;
}

export type UploadState = 'waiting' | 'sending' | 'paused' | 'conflict' | 'done' | 'failed' | 'skipped';

export interface UploadRow {
  id: number;
  name: string;
  size: number;
  type: string;
  parent: string;
  folder: string;
  state: UploadState;
  sent: number;
  onConflict: OnConflict;
  problem: Problem | null;
}

const maxAtOnce = 3;
/** Speed is told over this stretch: shorter jumps, longer lags. */
const speedWindowMs = 5_000;
const unfinished = new Set<UploadState>(['waiting', 'sending', 'paused', 'conflict']);

class Uploads {
  readonly rows: UploadRow[] = reactive([]);
  readonly speed = shallowRef(0);
  readonly active = computed(() => this.rows.filter((row) => unfinished.has(row.state)));
  readonly conflict = computed(() => this.rows.find((row) => row.state === 'conflict') ?? null);
  readonly conflicts = computed(() => this.rows.filter((row) => row.state === 'conflict').length);
  private readonly files = new Map<number, File>();
  private readonly stops = new Map<number, AbortController>();
  private samples: { at: number; bytes: number }[] = [];
  private bytes = 0;
  private counter = 0;
  private timer: ReturnType<typeof setInterval> | null = null;
  private answerForAll: 'replace' | 'rename' | 'skip' | null = null;

  async add(wanted: readonly Wanted[]): Promise<void> {
    const owner = drive.value;
    if (!owner || wanted.length === 0) return;
    if (this.active.value.length === 0) this.answerForAll = null;
    const namesIn = new Map<string, Set<string>>();
    for (const { file, parent } of wanted) {
      let names = namesIn.get(parent.id);
      if (!names) {
        names = new Set((await read.children(owner.db, parent.id)).map((item) => item.name));
        namesIn.set(parent.id, names);
      }
      this.counter += 1;
      const row: UploadRow = {
        id: this.counter,
        name: file.name.normalize('NFC'),
        size: file.size,
        type: file.type,
        parent: parent.id,
        folder: parent.name,
        state: 'waiting',
        sent: 0,
        onConflict: 'fail',
        problem: null,
      };
      this.files.set(row.id, file);
      this.rows.push(row);
      if (names.has(row.name)) this.meetConflict(this.rows.at(-1)!);
    }
    this.pump();
  }

  private meetConflict(row: UploadRow): void {
    if (this.answerForAll) this.settle(row, this.answerForAll);
    else row.state = 'conflict';
  }

  private settle(row: UploadRow, answer: 'replace' | 'rename' | 'skip'): void {
    if (answer === 'skip') {
      row.state = 'skipped';
      this.files.delete(row.id);
    } else {
      row.onConflict = answer;
      row.state = 'waiting';
    }
  }

  answer(row: UploadRow, answer: 'replace' | 'rename' | 'skip', forAll: boolean): void {
    if (forAll) {
      this.answerForAll = answer;
      for (const other of this.rows) if (other.state === 'conflict') this.settle(other, answer);
    } else {
      this.settle(row, answer);
    }
    this.pump();
  }

  /** The name that keeping both would give, as far as this device can tell. */
  async keptName(row: UploadRow): Promise<string> {
    const owner = drive.value;
    const names = new Set(owner ? (await read.children(owner.db, row.parent)).map((item) => item.name) : []);
    return freeName(row.name, 'file', (name) => names.has(name));
  }

  pump(): void {
    const busy = this.rows.filter((row) => row.state === 'sending').length;
    const online = drive.value?.sync.state.link !== 'offline';
    if (online)
      for (const row of this.rows.filter((one) => one.state === 'waiting').slice(0, Math.max(0, maxAtOnce - busy)))
        void this.send(row);
    this.clock();
  }

  private async send(row: UploadRow): Promise<void> {
    const owner = drive.value;
    const file = this.files.get(row.id);
    if (!owner || !file) return;
    row.state = 'sending';
    row.problem = null;
    const stop = new AbortController();
    this.stops.set(row.id, stop);
    try {
      const parent = await this.realParent(row.parent, stop.signal);
      let before = row.sent;
      const entry = await sendFile({
        file,
        name: row.name,
        parent,
        onConflict: row.onConflict,
        signal: stop.signal,
        onProgress: (sent) => {
          this.bytes += Math.max(0, sent - before);
          before = sent;
          row.sent = sent;
        },
      });
      row.sent = row.size;
      row.state = 'done';
      this.files.delete(row.id);
      if (entry) await owner.learn(entry);
      else owner.sync.kick();
    } catch (error) {
      this.fail(row, error);
    } finally {
      this.stops.delete(row.id);
      this.pump();
    }
  }

  private fail(row: UploadRow, error: unknown): void {
    // Paused or cancelled: the row says already what it is.
    if (error instanceof DOMException && error.name === 'AbortError') return;
    const problem = error instanceof Problem ? error : Problem.offline(error);
    if (isProblem(problem, 'name-taken') && row.onConflict === 'fail') {
      this.meetConflict(row);
    } else if (problem.status === 0) {
      // It goes on by itself when the connection is back.
      row.state = 'waiting';
      drive.value?.sync.kick();
      row.problem = problem;
      setTimeout(() => this.pump(), 3_000);
    } else {
      row.state = 'failed';
      row.problem = problem;
    }
  }

  /** A folder made here gets its real id when the outbox has sent it. */
  private async realParent(id: string, signal: AbortSignal): Promise<string> {
    const owner = drive.value!;
    for (;;) {
      const real = await read.realId(owner.db, id);
      if (!isTemp(real)) return real;
      if (!(await owner.db.ops.filter((op) => 'temp' in op && op.temp === real && op.state === 'waiting').count())) {
        throw new Problem(404, 'not-found', 'The folder for it could not be made.');
      }
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
    this.pump();
  }
  resume(row: UploadRow): void {
    row.state = 'waiting';
    this.pump();
  }
  cancel(row: UploadRow): void {
    row.state = 'skipped';
    this.stops.get(row.id)?.abort();
    this.files.delete(row.id);
    this.rows.splice(this.rows.indexOf(row), 1);
    this.pump();
  }
  each(from: readonly UploadState[], act: (row: UploadRow) => void): void {
    for (const row of this.rows.filter((one) => from.includes(one.state))) act(row);
  }
  clear(): void {
    const rest = this.rows.filter((row) => unfinished.has(row.state));
    this.rows.splice(0, this.rows.length, ...rest);
  }

  /** Samples how fast it goes while anything is sent. */
  private clock(): void {
    const sending = this.rows.some((row) => row.state === 'sending');
    if (sending && !this.timer) {
      this.samples = [{ at: performance.now(), bytes: this.bytes }];
      this.timer = setInterval(() => {
        const now = performance.now();
        this.samples.push({ at: now, bytes: this.bytes });
        while (this.samples.length > 2 && now - this.samples[0]!.at > speedWindowMs) this.samples.shift();
        const first = this.samples[0]!;
        this.speed.value = ((this.bytes - first.bytes) / Math.max(1, now - first.at)) * 1000;
      }, 500);
    } else if (!sending && this.timer) {
      clearInterval(this.timer);
      this.timer = null;
      this.speed.value = 0;
    }
  }
}

export const uploads = new Uploads();

watch(
  () => drive.value?.sync.state.link,
  (link) => link === 'online' && uploads.pump(),
);
addEventListener('beforeunload', (event) => {
  if (uploads.active.value.length > 0) event.preventDefault();
});
