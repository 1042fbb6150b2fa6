// What is in a folder of a link: the first page at once, and then all the others, so that order and number are right.
import { ref, shallowRef } from 'vue';
import { Problem } from '@/api/problem';
import { listChildren, type LinkedEntry } from './api';
import { inOrder, order } from './listing';

/** So many are there soon; then as many as the server gives at once. */
const firstPage = 200;
const nextPages = 1000;
/** Bounds the work against a server that never says it is done. */
const maxPages = 2_000;
/** A list that was loaded so recently is shown again as it is. */
const freshMs = 60_000;

export class Children {
  /** In the order in which they are shown; null before the first page. */
  readonly items = shallowRef<readonly LinkedEntry[] | null>(null);
  readonly complete = ref(false);
  readonly problem = shallowRef<Problem | null>(null);
  readonly busy = ref(false);
  /** Where somebody was in it. */
  scrollTop = 0;
  private cursor: string | null = null;
  private pages = 0;
  private loadedAt = 0;
  private left = false;

  constructor(
    private readonly token: string,
    readonly folder: string,
    private readonly learn: (items: readonly LinkedEntry[]) => void,
    private readonly list = listChildren,
  ) {}

  get fresh(): boolean {
    return this.problem.value === null && performance.now() - this.loadedAt < freshMs;
  }

  /** Nobody looks at it any more. */
  leave(): void {
    this.left = true;
  }

  /** Loads what is missing. After a failure it goes on where it was. */
  async load(): Promise<void> {
    if (this.busy.value || this.complete.value) return;
    this.busy.value = true;
    this.problem.value = null;
    this.loadedAt = performance.now();
    try {
      while (!this.complete.value && this.pages < maxPages && !this.left) {
        const page = await this.list(this.token, this.folder, this.cursor, this.pages === 0 ? firstPage : nextPages);
        this.learn(page.items);
        this.items.value = inOrder(this.items.value ?? [], order(page.items));
        this.cursor = page.next_cursor ?? null;
        this.pages += 1;
        this.complete.value = this.cursor === null;
      }
    } catch (error) {
      this.problem.value = Problem.of(error);
    } finally {
      this.busy.value = false;
    }
  }
}
