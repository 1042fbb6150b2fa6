// What the form of a link tells the server, and what a link tells people.
import { beforeEach, describe, expect, it } from 'vitest';
import { endOf, factsOf, shortAddress, type Link } from '@/features/share/links';
import { rulesOf, toCreate, toLocal, toUpdate, troubleOf } from '@/features/share/rules';
import { i18n } from '@/i18n';

const now = new Date('2026-11-21T12:00:00Z').getTime();
const link = (change: Partial<Link> = {}): Link => ({
  id: 'lnk_1',
  token: 'q1Zr0o4kWk2f6v8sYt3nLQ',
  entry_id: 'ent_1',
  entry_name: 'report.pdf',
  entry_kind: 'file',
  mode: 'download',
  name: null,
  note: null,
  has_password: false,
  expires_at: null,
  download_limit: null,
  downloads: 0,
  opens: 0,
  uploads: 0,
  created_at: '2026-11-20T12:00:00Z',
  last_used_at: null,
  ...change,
});
beforeEach(() => {
  i18n.global.locale.value = 'en';
});

describe('making a link', () => {
  it('says only what was wanted', () => {
    expect(toCreate(rulesOf(null, now), now)).toEqual({ mode: 'download' });
  });
  it('says all that was wanted', () => {
    const rules = rulesOf(null, now);
    Object.assign(rules, {
      mode: 'view',
      name: ' Printer ',
      note: 'Hello',
      protect: true,
      password: 'long-enough',
      ends: 'day',
      limited: true,
      limit: '3',
    });
    expect(troubleOf(rules, null, now)).toEqual({});
    expect(toCreate(rules, now)).toEqual({
      mode: 'view',
      name: 'Printer',
      note: 'Hello',
      password: 'long-enough',
      expires_at: '2026-11-22T12:00:00.000Z',
      download_limit: 3,
    });
  });
  it('limits no downloads of a drop box', () => {
    const rules = { ...rulesOf(null, now), mode: 'upload' as const, limited: true, limit: 'nonsense' };
    expect(troubleOf(rules, null, now)).toEqual({});
    expect(toCreate(rules, now)).toEqual({ mode: 'upload' });
  });
  it('finds what is wrong', () => {
    const rules = {
      ...rulesOf(null, now),
      protect: true,
      password: 'short',
      ends: 'custom' as const,
      endsAt: toLocal(now - 60_000),
      limited: true,
      limit: '0',
    };
    expect(troubleOf(rules, null, now)).toEqual({ password: true, endsAt: true, limit: true });
    expect(troubleOf({ ...rules, endsAt: '', limit: '1.5' }, null, now)).toEqual({
      password: true,
      endsAt: true,
      limit: true,
    });
  });
});

describe('changing a link', () => {
  const before = link({
    name: 'Printer',
    has_password: true,
    expires_at: '2026-11-25T09:30:15.123456Z',
    download_limit: 5,
  });
  it('says nothing of what stays, even of an end with more digits than the field holds', () => {
    expect(toUpdate(rulesOf(before, now), before, now)).toEqual({});
  });
  it('takes away with null', () => {
    const rules = { ...rulesOf(before, now), name: ' ', protect: false, ends: 'never' as const, limited: false };
    expect(toUpdate(rules, before, now)).toEqual({
      name: null,
      password: null,
      expires_at: null,
      download_limit: null,
    });
  });
  it('needs no new password, and lets an end that has passed stand', () => {
    const over = link({ has_password: true, expires_at: '2026-11-01T00:00:00Z' });
    const rules = { ...rulesOf(over, now), note: 'Sorry, too late' };
    expect(troubleOf(rules, over, now)).toEqual({});
    expect(toUpdate(rules, over, now)).toEqual({ note: 'Sorry, too late' });
    expect(troubleOf({ ...rules, password: 'short' }, over, now)).toEqual({ password: true });
  });
});

it('knows when a link works no more', () => {
  expect(endOf(link(), now)).toBeNull();
  expect(endOf(link({ expires_at: '2026-11-21T12:00:00Z' }), now)).toBe('expired');
  expect(endOf(link({ expires_at: '2026-11-21T12:00:01Z' }), now)).toBeNull();
  expect(endOf(link({ download_limit: 2, downloads: 2 }), now)).toBe('used-up');
});

it('tells the facts that matter for its mode', () => {
  expect(factsOf(link({ has_password: true, downloads: 2, opens: 1 }), now)).toEqual([
    'with a password',
    '2 downloads',
    'opened once',
  ]);
  expect(factsOf(link({ expires_at: '2026-11-24T12:00:00Z' }), now)).toEqual(['ends in 3 days', 'not opened yet']);
  expect(factsOf(link({ mode: 'upload', uploads: 1 }), now)).toEqual(['1 file received']);
  expect(factsOf(link({ download_limit: 2, downloads: 2 }), now)[0]).toBe('Used up: 2 of 2 downloads');
  expect(shortAddress('https://files.example.org/s/q1Zr0o4kWk2f6v8sYt3nLQ')).toBe('files.example.org/s/q1Zr0o…');
});
