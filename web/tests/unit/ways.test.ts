// What is kept of somebody who goes to an identity provider, and what they bring back.
import { beforeEach, expect, it, vi } from 'vitest';
import { broughtBack, goToProvider, isTurnedDown, takeJourney } from '@/api/ways';

beforeEach(() => sessionStorage.clear());

it('reads what a provider gave the browser to bring back', () => {
  const of = (query: string) => broughtBack(new URLSearchParams(query));
  expect(of('code=a&state=b')).toEqual({ code: 'a', state: 'b' });
  expect(of('code=a&state=b&iss=https%3A%2F%2Fid.example.org&session_state=c')).toEqual({
    code: 'a',
    state: 'b',
    iss: 'https://id.example.org',
  });
  expect(of('error=access_denied&state=b')).toBeNull();
  expect(of('')).toBeNull();
});

it('remembers where somebody was going, once and for that provider', async () => {
  const assign = vi.spyOn(location, 'assign').mockImplementation(() => undefined);
  vi.stubGlobal('fetch', () => Promise.resolve(Response.json({ url: 'https://id.example.org/auth', expires_in: 600 })));
  await goToProvider('company', 'Firefox', '/files/ent_1');
  expect(assign).toHaveBeenCalledWith('https://id.example.org/auth');
  expect(takeJourney('another')).toBeNull();
  expect(takeJourney('company')).toBeNull();
  await goToProvider('company', 'Firefox', '/files/ent_1');
  expect(takeJourney('company')).toEqual({ provider: 'company', linking: false, next: '/files/ent_1' });
  sessionStorage.setItem('holdfast-journey', '{nonsense');
  expect(takeJourney('company')).toBeNull();
});

it('tells turning away from what went wrong', () => {
  expect(isTurnedDown(new DOMException('no', 'NotAllowedError'))).toBe(true);
  expect(isTurnedDown(new DOMException('no', 'SecurityError'))).toBe(false);
  expect(isTurnedDown(new Error('no'))).toBe(false);
});
