// Properties: from what is typed to what is kept, and to words.
import { describe, expect, it } from 'vitest';
import { propertyText, today, toProperty, saysStill } from '@/features/drive/inspector/properties';

it('takes what is typed for what it is said to be', () => {
  expect(toProperty('number', ' 1 200,5 ')).toEqual({ type: 'number', value: 1200.5 });
  expect(toProperty('number', '12 boats')).toBeNull();
  expect(toProperty('number', '')).toBeNull();
  // What looks like a number may be a text all the same.
  expect(toProperty('text', ' 007 ')).toEqual({ type: 'text', value: '007' });
  expect(toProperty('text', '  ')).toBeNull();
  expect(toProperty('date', '2026-11-21')).toEqual({ type: 'date', value: '2026-11-21' });
  expect(toProperty('date', '')).toBeNull();
  expect(toProperty('boolean', 'yes')).toEqual({ type: 'boolean', value: true });
  expect(toProperty('boolean', 'no')).toEqual({ type: 'boolean', value: false });
});
it('writes days and numbers in the language of the page', () => {
  expect(propertyText({ type: 'date', value: '2026-11-21' }, 'en')).toBe('Nov 21, 2026');
  expect(propertyText({ type: 'date', value: '2026-11-21' }, 'ru')).toBe('21 нояб. 2026 г.');
  expect(propertyText({ type: 'date', value: 'soon' }, 'en')).toBe('soon');
  expect(propertyText({ type: 'number', value: 1200.5 }, 'ru').replaceAll(/\s/g, ' ')).toBe('1 200,5');
  expect(today(new Date(2026, 0, 5, 23, 59))).toBe('2026-01-05');
});

describe('what an entry still says', () => {
  const item = { description: 'Until the ice is gone', properties: { depth: { type: 'number', value: 4 } } } as const;

  it('is what the change made of it, and nothing that somebody has changed since', () => {
    expect(saysStill(item, { description: 'Until the ice is gone' })).toBe(true);
    expect(saysStill(item, { description: null })).toBe(false);
    expect(saysStill({}, { description: null })).toBe(true);
    expect(saysStill(item, { properties: { depth: { type: 'number', value: 4 } } })).toBe(true);
    expect(saysStill(item, { properties: { depth: { type: 'text', value: '4' } } })).toBe(false);
    expect(saysStill(item, { properties: { depth: null } })).toBe(false);
    expect(saysStill(item, { properties: { length: null } })).toBe(true);
  });
});
