// What is said of uploads to whoever does not see them.
import { mount } from '@vue/test-utils';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { nextTick, watch } from 'vue';
import { uploads } from '@/features/upload/queue';
import type { UploadRow, UploadState } from '@/features/upload/rows';
import UploadTray from '@/features/upload/UploadTray.vue';
import { i18n } from '@/i18n';
import { spoken } from '@/ui/announce';

const row = (name: string, state: UploadState): UploadRow => ({
  id: name,
  entry: `ent_${name}`,
  operation: null,
  name,
  size: 4,
  type: 'text/plain',
  modified: 1_000,
  parent: 'ent_root',
  folder: 'My files',
  group: null,
  state,
  sent: 0,
  onConflict: 'fail',
  url: null,
  problem: null,
});

let heard: string[];
let stop: () => void;
beforeEach(() => {
  vi.useFakeTimers();
  heard = [];
  stop = watch(spoken, (now) => now && heard.push(now), { flush: 'sync' });
});
afterEach(() => {
  stop();
  uploads.rows.splice(0);
  vi.runOnlyPendingTimers();
  vi.useRealTimers();
});
const rest = async () => {
  await nextTick();
  await vi.advanceTimersByTimeAsync(1_000);
};
/** The upload of this name goes on or comes to its end, and stays so for a moment. */
async function becomes(name: string, state: UploadState) {
  uploads.rows.find((one) => one.name === name)!.state = state;
  await rest();
}

it('says that uploads begin, what fails and how they end, and no count on the way', async () => {
  const tray = mount(UploadTray, { global: { plugins: [i18n] } });
  uploads.rows.push(...['a', 'b', 'c', 'd'].map((name) => row(name, 'sending')));
  await rest();
  expect(heard).toEqual(['Uploading']);
  await becomes('a', 'done');
  await becomes('b', 'done');
  expect(heard).toEqual(['Uploading']);
  await becomes('c', 'failed');
  expect(heard.slice(1)).toEqual(['1 file failed']);
  await becomes('d', 'done');
  expect(heard.slice(2)).toEqual(['3 files uploaded. 1 file failed']);
  tray.unmount();
});

it('says that they begin also where the tray comes later, and nothing of what waits for a person', async () => {
  uploads.rows.push(row('a', 'sending'));
  const tray = mount(UploadTray, { global: { plugins: [i18n] } });
  await rest();
  expect(heard).toEqual(['Uploading']);
  await becomes('a', 'paused');
  await becomes('a', 'sending');
  expect(heard).toEqual(['Uploading']);
  await becomes('a', 'done');
  expect(heard).toEqual(['Uploading', '1 file uploaded']);
  tray.unmount();
});

it('offers all that failed again, while others go on and when nothing does', async () => {
  const tray = mount(UploadTray, { global: { plugins: [i18n] } });
  const offers = (label: string) => tray.findAll(`header [aria-label="${label}"]`).length;
  uploads.rows.push(row('a', 'failed'), row('b', 'sending'));
  await rest();
  expect([offers('Try all again'), offers('Pause all'), offers('Resume all')]).toEqual([1, 1, 0]);
  await becomes('b', 'done');
  expect([offers('Try all again'), offers('Pause all'), offers('Resume all')]).toEqual([1, 0, 0]);
  await becomes('b', 'paused');
  expect([offers('Try all again'), offers('Pause all'), offers('Resume all')]).toEqual([0, 0, 1]);
  tray.unmount();
});
