// What can be taken back in this tab, newest first: renames and moves, each by the operation that puts it right again.
import { shallowRef } from 'vue';

export interface Undoable {
  undo: () => Promise<void>;
}

const maxSteps = 100;
const steps = shallowRef<readonly Undoable[]>([]);

export function remember(step: Undoable): void {
  steps.value = [...steps.value.slice(1 - maxSteps), step];
}

export const canUndo = () => steps.value.length > 0;

/** Takes back the newest step, or the given one if it is still there. */
export async function undo(step: Undoable | undefined = steps.value.at(-1)): Promise<boolean> {
  if (!step || !steps.value.includes(step)) return false;
  steps.value = steps.value.filter((one) => one !== step);
  await step.undo();
  return true;
}
