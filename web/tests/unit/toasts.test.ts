// Short messages come and go; what is a loss or a refusal stays until somebody has seen it to its end.
import { mount } from '@vue/test-utils';
import { beforeEach, expect, it, vi } from 'vitest';
import { nextTick } from 'vue';
import Toaster from '@/ui/Toaster.vue';
import { dropToast, toast, toasts } from '@/ui/toasts';

beforeEach(() => {
  toasts.splice(0);
});
const texts = () => toasts.map((one) => one.text);

it('shows the last three of what passes by', () => {
  for (const text of ['one', 'two', 'three', 'four']) toast(text);
  expect(texts()).toEqual(['two', 'three', 'four']);
});

it('lets nothing push out what was refused', () => {
  toast('unsent changes were lost', { tone: 'danger' });
  for (const text of ['one', 'two', 'three', 'four']) toast(text);
  toast('the upload failed', { tone: 'danger' });
  expect(texts()).toEqual(['unsent changes were lost', 'two', 'three', 'four', 'the upload failed']);
});

it('tells the same refusal once', () => {
  toast('no connection', { tone: 'danger' });
  toast('the upload failed', { tone: 'danger' });
  toast('no connection', { tone: 'danger' });
  expect(texts()).toEqual(['the upload failed', 'no connection']);
});

it('closes by itself what passes by, and by hand alone what was refused', async () => {
  vi.useFakeTimers();
  const page = mount(Toaster, { props: { label: 'Messages', closeLabel: 'Close' }, attachTo: document.body });
  toast('moved');
  toast('refused', { tone: 'danger' });
  await nextTick();
  await nextTick();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(texts()).toEqual(['refused']);
  const close = document.querySelector<HTMLButtonElement>('[data-tone="danger"] button[aria-label="Close"]');
  close!.click();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(texts()).toEqual([]);
  page.unmount();
  vi.useRealTimers();
});

it('drops by name what is there, and nothing else', () => {
  toast('one');
  dropToast(-1);
  expect(texts()).toEqual(['one']);
});
