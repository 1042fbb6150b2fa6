// Taking back and doing again.
import { expect, it } from 'vitest';
import type { Item } from '@/data/project';
import { History, type Step } from '@/features/drive/history';

const log: string[] = [];
const step = (text: string, refusal?: string): Step => ({
  text,
  undo: async () => {
    await Promise.resolve();
    log.push(`-${text}`);
    return refusal;
  },
  redo: async () => void log.push(`+${text}`),
});

it('goes back and forth in order, even when keys are pressed faster than it works', async () => {
  const history = new History();
  history.push(step('a'));
  history.push(step('b'));
  await Promise.all([history.undo(), history.undo()]);
  expect(log.splice(0)).toEqual(['-b', '-a']);
  await Promise.all([history.redo(), history.redo()]);
  expect(log.splice(0)).toEqual(['+a', '+b']);
  expect(await history.redo()).toBeNull();
  // What is being done again is the last step already for the key that follows.
  await history.undo();
  log.splice(0);
  await Promise.all([history.redo(), history.undo(), history.redo()]);
  expect(log.splice(0)).toEqual(['+b', '-b', '+b']);
  expect(history.done.value.map((one) => one.text)).toEqual(['a', 'b']);
});

it('takes back the step it is given, and forgets what could be redone when something new is done', async () => {
  const history = new History();
  const first = step('first');
  history.push(first);
  history.push(step('second'));
  await history.undo(first);
  expect(log.splice(0)).toEqual(['-first']);
  expect(await history.undo(first)).toBeNull();
  history.push(step('third'));
  expect(history.undone.value).toEqual([]);
});

it('says why a step cannot be taken back, and does not offer to do it again', async () => {
  const history = new History();
  history.push(step('folder', 'it is not empty'));
  expect(await history.undo()).toBe('it is not empty');
  expect(history.undone.value).toEqual([]);
  log.splice(0);
});

it('follows what was made again to its newest id', () => {
  const history = new History();
  history.replace('a', 'b');
  history.replace('b', 'c');
  expect(history.now('a')).toBe('c');
  expect(history.now('x')).toBe('x');
});

it('offers no way back from what was removed for good, and keeps the rest of the step', async () => {
  const history = new History();
  const held = new Set(['a', 'b']);
  history.push(step('renamed'));
  history.push({
    ...step('deleted'),
    forget: async (gone) => {
      await Promise.resolve();
      for (const id of held) if (gone(id, { id } as Item)) held.delete(id);
      return held.size > 0;
    },
  });
  await history.forget((id) => id === 'a');
  expect(history.done.value.map((one) => one.text)).toEqual(['renamed', 'deleted']);
  await history.forget((id) => id === 'b');
  expect(history.done.value.map((one) => one.text)).toEqual(['renamed']);
});
