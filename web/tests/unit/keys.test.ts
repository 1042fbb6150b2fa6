// What the keys are called, and that those of a page which is not open can be told of without being offered.
import { effectScope } from 'vue';
import { expect, it } from 'vitest';
import { actions, gather, offer } from '@/actions/registry';
import { showShortcut } from '@/lib/keys';

it('calls the keys as they are printed', () => {
  expect(showShortcut('mod+shift+m', 'en')).toBe('Ctrl+Shift+M');
  expect(showShortcut('space', 'en')).toBe('Space');
  expect(showShortcut('space', 'ru')).toBe('Пробел');
  expect(showShortcut('escape', 'ru')).toBe('Esc');
  document.documentElement.lang = 'ru';
  expect(showShortcut('alt+arrowup')).toBe('Alt+↑');
  expect(showShortcut('space')).toBe('Пробел');
});

it('tells of actions without offering them', () => {
  const action = { id: 'fly', label: 'drive.name', group: 'go', shortcuts: ['f9'], run: () => undefined } as const;
  const scope = effectScope();
  scope.run(() => {
    expect(gather(() => offer([action]))).toEqual([action]);
    expect(actions.value).toEqual([]);
    expect(() =>
      gather(() => {
        throw new Error('no');
      }),
    ).toThrow('no');
    offer([action]);
  });
  expect(actions.value).toEqual([action]);
  scope.stop();
  expect(actions.value).toEqual([]);
});
