// The addresses of small pictures that are shown, and of some that were shown a moment ago: scrolling back is instant.

/** A small picture, as it is shown. */
export interface Thumb {
  url: string;
  /** Of the original. */
  width: number;
  height: number;
  /** Its pixels for one of the original: said in `srcset`, it takes the room that the original would. */
  density: number;
  /** How long a film runs. */
  seconds: number | null;
}

/** Kept beyond those that are shown. */
const mostIdle = 120;

export class Memory {
  private readonly known = new Map<string, { thumb: Thumb; users: number }>();

  constructor(private readonly most = mostIdle) {}

  /** The picture if it is here; whoever gets it says when it is no longer shown. */
  take(version: string): Thumb | null {
    const row = this.known.get(version);
    if (!row) return null;
    row.users += 1;
    return row.thumb;
  }

  put(version: string, thumb: Thumb): void {
    const before = this.known.get(version);
    if (before) URL.revokeObjectURL(thumb.url);
    else this.known.set(version, { thumb, users: 0 });
    this.tidy();
  }

  release(version: string): void {
    const row = this.known.get(version);
    if (!row) return;
    row.users -= 1;
    // To the end: it was in use a moment ago.
    this.known.delete(version);
    this.known.set(version, row);
    this.tidy();
  }

  clear(): void {
    for (const [version, row] of this.known) {
      URL.revokeObjectURL(row.thumb.url);
      this.known.delete(version);
    }
  }

  private tidy(): void {
    let idle = 0;
    for (const row of this.known.values()) if (row.users <= 0) idle += 1;
    for (const [version, row] of this.known) {
      if (idle <= this.most) return;
      if (row.users > 0) continue;
      URL.revokeObjectURL(row.thumb.url);
      this.known.delete(version);
      idle -= 1;
    }
  }
}
