// Who is drawn next. What came into sight last is wanted most, so it goes first, and what came together goes in the order
// in which it is read; what left again is forgotten.

export class Queue {
  private readonly waiting = new Map<string, { batch: number; work: () => Promise<void> }>();
  private batch = 0;
  private running = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;

  /** `restMs` lets what only rushes by while somebody scrolls go again before anything is fetched for it. */
  constructor(
    private readonly atOnce: number,
    private readonly restMs: number,
    /** More than this never wait: those that have waited longest are not in anybody's sight. */
    private readonly most = 200,
  ) {}

  /** Does a work, which is not to fail, once there is room. What is answered takes it back, while it has not begun. */
  add(key: string, work: () => Promise<void>): () => void {
    const row = { batch: this.batch, work };
    this.waiting.set(key, row);
    for (const [oldest] of this.waiting) {
      if (this.waiting.size <= this.most) break;
      this.waiting.delete(oldest);
    }
    this.wake();
    return () => {
      if (this.waiting.get(key) === row) this.waiting.delete(key);
    };
  }

  private wake(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.batch += 1;
      this.pump();
    }, this.restMs);
  }

  private pump(): void {
    while (this.running < this.atOnce) {
      const next = this.next();
      if (!next) return;
      this.running += 1;
      void next().finally(() => {
        this.running -= 1;
        this.pump();
      });
    }
  }

  private next(): (() => Promise<void>) | null {
    let best: [string, { batch: number; work: () => Promise<void> }] | null = null;
    for (const row of this.waiting) if (row[1].batch > (best?.[1].batch ?? -1)) best = row;
    if (!best) return null;
    this.waiting.delete(best[0]);
    return best[1].work;
  }
}
