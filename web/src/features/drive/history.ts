// What was done in this tab and can be taken back, and what was taken back and can be done again. A step is made of
// ordinary operations, so it works without a connection, and meets what others did since as any operation does.
import { shallowRef, watch } from 'vue';
import { drive } from '@/data/drive';
import type { Item } from '@/data/project';
import { i18n } from '@/i18n';
import { toast } from '@/ui/toasts';

export interface Step {
  /** What was done, as it is told to a person. */
  text: string;
  /** Answers why not, when it cannot be taken back any more. */
  undo: () => Promise<string | void>;
  redo: () => Promise<string | void>;
  /** Leaves out what was removed for good, and answers whether anything is left to take back. */
  forget?: (gone: Gone) => Promise<boolean>;
}

/** Whether an entry was removed for good, by the id the server knows it by and what it was. */
export type Gone = (id: string, item: Item) => boolean;

const maxSteps = 200;

export class History {
  readonly done = shallowRef<readonly Step[]>([]);
  readonly undone = shallowRef<readonly Step[]>([]);
  /** What an entry that was taken back and made again goes by now. */
  private readonly successors = new Map<string, string>();
  private running: Promise<unknown> = Promise.resolve();

  push(step: Step): void {
    this.done.value = [...this.done.value.slice(1 - maxSteps), step];
    this.undone.value = [];
  }

  undo(step?: Step): Promise<Step | string | null> {
    return this.move(step, this.done, this.undone, (one) => one.undo());
  }
  redo(step?: Step): Promise<Step | string | null> {
    return this.move(step, this.undone, this.done, (one) => one.redo());
  }

  /**
   * Steps never overlap: whoever presses the keys quickly gets them one after the other. Which step is the last one is looked
   * at when those before are through, as what they move is the last one then.
   */
  private move(
    step: Step | undefined,
    from: typeof this.done,
    to: typeof this.done,
    act: (step: Step) => Promise<string | void>,
  ): Promise<Step | string | null> {
    const result = this.running.then(async () => {
      const one = step ?? from.value.at(-1);
      if (!one || !from.value.includes(one)) return null;
      from.value = from.value.filter((other) => other !== one);
      const refusal = await act(one);
      if (refusal) return refusal;
      to.value = [...to.value, one];
      return one;
    });
    this.running = result.catch(() => undefined);
    return result;
  }

  replace(old: string, now: string): void {
    this.successors.set(old, now);
  }
  /** The id by which an entry of an earlier step is known now. */
  now(id: string): string {
    let at = id;
    for (let next = this.successors.get(at); next !== undefined; next = this.successors.get(at)) at = next;
    return at;
  }

  /** What was removed for good cannot be brought back, and is not offered to be. */
  async forget(gone: Gone): Promise<void> {
    for (const step of this.done.value) {
      if (step.forget && !(await step.forget(gone))) this.done.value = this.done.value.filter((one) => one !== step);
    }
  }

  clear(): void {
    this.done.value = [];
    this.undone.value = [];
    this.successors.clear();
  }
}

export const history = new History();
// Another account has nothing to take back.
watch(drive, () => history.clear());

export const canUndo = () => history.done.value.length > 0;
export const canRedo = () => history.undone.value.length > 0;

/** Remembers a step and tells it, with the way back beside it. */
export function did(step: Step): void {
  history.push(step);
  toast(step.text, { action: { label: i18n.global.t('common.undo'), run: () => void undo(step) } });
}

export async function undo(step?: Step): Promise<void> {
  const { t } = i18n.global;
  const result = await history.undo(step);
  if (typeof result === 'string') toast(result, { tone: 'danger' });
  else if (result)
    toast(t('toasts.undone', { what: result.text }), {
      action: { label: t('actions.redo'), run: () => void redo(result) },
    });
}

export async function redo(step?: Step): Promise<void> {
  const { t } = i18n.global;
  const result = await history.redo(step);
  if (typeof result === 'string') toast(result, { tone: 'danger' });
  else if (result) toast(result.text, { action: { label: t('common.undo'), run: () => void undo(result) } });
}
