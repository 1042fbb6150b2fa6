// What is typed for the palette before it is there arrives whole, and nothing else is held back.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { paletteOpen } from '@/app/shell';
import { dropTyped, keepTyped, takeTyped } from '@/app/typedAhead';

const below: string[] = [];
const listen = (event: KeyboardEvent) => below.push(event.key);
const press = (key: string, more: KeyboardEventInit = {}) => {
  const event = new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more });
  document.body.dispatchEvent(event);
  return event;
};

beforeEach(() => {
  below.length = 0;
  paletteOpen.value = true;
  document.body.addEventListener('keydown', listen);
});
afterEach(() => {
  document.body.removeEventListener('keydown', listen);
  dropTyped();
});

it('keeps letters, spaces and corrections, and lets none through', () => {
  keepTyped(() => (paletteOpen.value = false));
  for (const key of ['с', 'e', ' ', 'x', 'Backspace', 'ArrowDown', 'é']) expect(press(key).defaultPrevented).toBe(true);
  expect(below).toEqual([]);
  expect(takeTyped()).toEqual({ text: 'сe é', entered: false });
});

it('remembers Enter, and closes on Escape', () => {
  keepTyped(() => (paletteOpen.value = false));
  press('a');
  press('Enter');
  expect(takeTyped()).toEqual({ text: 'a', entered: true });
  keepTyped(() => (paletteOpen.value = false));
  press('Escape');
  expect(paletteOpen.value).toBe(false);
});

it('leaves chords alone, and everything once it was taken or dropped', () => {
  keepTyped(() => (paletteOpen.value = false));
  press('k', { ctrlKey: true });
  expect(takeTyped().text).toBe('');
  press('b');
  keepTyped(() => (paletteOpen.value = false));
  dropTyped();
  press('c');
  expect(below).toEqual(['k', 'b', 'c']);
  expect(takeTyped()).toEqual({ text: '', entered: false });
});
