// Which rows are selected, as desktops do it. Knows ids in their order, nothing of rows or pixels.
import { computed, shallowReactive, shallowRef, type ComputedRef } from 'vue';

export class Selection {
  /** Replaced as a whole, so that watchers see every change once. */
  private readonly chosen = shallowRef<ReadonlySet<string>>(new Set());
  /** Where a range begins. */
  private anchor: string | null = null;
  private readonly at = shallowReactive<{ cursor: string | null }>({ cursor: null });
  readonly count: ComputedRef<number> = computed(() => this.ids.value.size);

  constructor(private readonly order: () => readonly string[]) {}

  get ids() {
    return this.chosen;
  }
  get cursor(): string | null {
    return this.at.cursor;
  }
  has(id: string): boolean {
    return this.chosen.value.has(id);
  }

  click(id: string, keys: { range?: boolean; toggle?: boolean } = {}): void {
    if (keys.range) {
      this.rangeTo(id, keys.toggle ?? false);
    } else if (keys.toggle) {
      const next = new Set(this.chosen.value);
      if (!next.delete(id)) next.add(id);
      this.chosen.value = next;
      this.anchor = id;
      this.at.cursor = id;
    } else {
      this.only([id]);
    }
  }

  /** Exactly these; the last one has the cursor. */
  only(ids: readonly string[]): void {
    this.chosen.value = new Set(ids);
    this.anchor = ids[0] ?? null;
    this.at.cursor = ids.at(-1) ?? this.at.cursor;
  }

  rangeTo(id: string, add = false): void {
    const order = this.order();
    const from = order.indexOf(this.anchor ?? id);
    const to = order.indexOf(id);
    if (to < 0) return;
    const range = order.slice(Math.min(from < 0 ? to : from, to), Math.max(from, to) + 1);
    this.chosen.value = new Set(add ? [...this.chosen.value, ...range] : range);
    this.at.cursor = id;
  }

  /** Moves the cursor by rows; with `extend` the range follows it. */
  step(by: number, extend = false): void {
    const order = this.order();
    if (order.length === 0) return;
    const now = this.at.cursor === null ? -1 : order.indexOf(this.at.cursor);
    const next = now < 0 ? (by > 0 ? 0 : order.length - 1) : Math.min(order.length - 1, Math.max(0, now + by));
    this.toIndex(next, extend);
  }

  toIndex(index: number, extend = false): void {
    const id = this.order()[index];
    if (id === undefined) return;
    if (extend) this.rangeTo(id);
    else this.only([id]);
  }

  /** Moves the cursor alone; what is selected stays. A range begins there from now on. */
  focus(id: string): void {
    this.at.cursor = id;
    this.anchor = id;
  }

  /** What a rubber band touches, on top of what was selected when it began. */
  band(ids: readonly string[], base: ReadonlySet<string>): void {
    this.chosen.value = new Set([...base, ...ids]);
    const last = ids.at(-1);
    if (last) this.at.cursor = last;
    this.anchor = ids[0] ?? this.anchor;
  }

  all(): void {
    this.chosen.value = new Set(this.order());
  }

  clear(): void {
    if (this.chosen.value.size > 0) this.chosen.value = new Set();
  }

  /** Follows ids that changed (a new folder got its real one) and lets go of what is no longer there. */
  follow(present: ReadonlySet<string>, renamed: ReadonlyMap<string, string>): void {
    const map = (id: string) => renamed.get(id) ?? id;
    const next = [...this.chosen.value].map(map).filter((id) => present.has(id));
    if (next.length !== this.chosen.value.size || next.some((id) => !this.chosen.value.has(id)))
      this.chosen.value = new Set(next);
    if (this.at.cursor !== null) {
      const cursor = map(this.at.cursor);
      this.at.cursor = present.has(cursor) ? cursor : null;
    }
    if (this.anchor !== null) this.anchor = map(this.anchor);
  }
}
