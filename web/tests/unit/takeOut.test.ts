// Dragging out to the desktop: what it is told, and when the address is asked for.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Item } from '@/data/project';

const presignDownload = vi.hoisted(() =>
  vi.fn<(ids: readonly string[]) => Promise<{ url: string; expires_at: string }>>(),
);
vi.mock('@/api/files', () => ({ presignDownload }));

const item = (id: string, more: Partial<Item> = {}): Item => ({
  id,
  space_id: 's',
  parent_id: 'p',
  name: `${id}.txt`,
  kind: 'file',
  revision: 1,
  created_at: '',
  modified_at: '',
  content_type: 'text/plain',
  ...more,
});

let out: typeof import('@/features/drive/takeOut');
beforeEach(async () => {
  vi.resetModules();
  vi.useFakeTimers();
  vi.stubGlobal('navigator', { userAgentData: {} });
  presignDownload.mockReset();
  presignDownload.mockImplementation(async () => ({
    url: '/api/v1/downloads/x',
    expires_at: new Date(Date.now() + 600_000).toISOString(),
  }));
  out = await import('@/features/drive/takeOut');
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('names one file as it is, and all else as an archive', () => {
  const told = (items: Item[]) => out.describeTakeOut(items, 'https://h/x');
  expect(told([item('a')])).toBe('text/plain:a.txt:https://h/x');
  expect(told([item('a', { name: '12:30.txt' })])).toBe('text/plain:12_30.txt:https://h/x');
  expect(told([item('a', { kind: 'folder', name: 'Pictures' })])).toBe('application/zip:Pictures.zip:https://h/x');
  expect(told([item('a'), item('b')])).toBe('application/zip:files.zip:https://h/x');
});

test('asks for an address while the pointer is down, and once', async () => {
  const items = [item('a'), item('b')];
  out.prepareTakeOut(items);
  expect(out.takeOutData(items)).toEqual({});
  await vi.advanceTimersByTimeAsync(100);
  expect(presignDownload).toHaveBeenCalledWith(['a', 'b']);
  expect(out.takeOutData(items).DownloadURL).toMatch(/^application\/zip:files\.zip:http.*\/api\/v1\/downloads\/x$/);
  out.prepareTakeOut(items);
  await vi.advanceTimersByTimeAsync(1000);
  expect(presignDownload).toHaveBeenCalledTimes(1);
  // Not for others, and not when a drop could come too late.
  expect(out.takeOutData([item('a')])).toEqual({});
  await vi.advanceTimersByTimeAsync(300_000);
  expect(out.takeOutData(items)).toEqual({});
  out.prepareTakeOut(items);
  await vi.advanceTimersByTimeAsync(100);
  expect(presignDownload).toHaveBeenCalledTimes(2);
});

test('asks for nothing at a click, nor for what the server does not have, nor for too much', async () => {
  out.prepareTakeOut([item('a')]);
  await vi.advanceTimersByTimeAsync(80);
  out.forgetTakeOut();
  out.prepareTakeOut([item('a', { revision: 0 })]);
  await vi.advanceTimersByTimeAsync(200);
  out.prepareTakeOut(Array.from({ length: 101 }, (_, index) => item(String(index))));
  await vi.advanceTimersByTimeAsync(200);
  vi.stubGlobal('navigator', {});
  out.prepareTakeOut([item('a')]);
  await vi.advanceTimersByTimeAsync(200);
  expect(presignDownload).not.toHaveBeenCalled();
});

test('goes without where there is no connection', async () => {
  presignDownload.mockRejectedValue(new Error('offline'));
  out.prepareTakeOut([item('a')]);
  await vi.advanceTimersByTimeAsync(200);
  expect(out.takeOutData([item('a')])).toEqual({});
});
