// What is said to readers: once, as it came out, and nothing old.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { effectScope, nextTick, ref } from 'vue';
import { announce, spoken, useAnnounced } from '@/ui/announce';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.runAllTimers();
  vi.useRealTimers();
});

it('says several things together, each once, and forgets them', () => {
  announce('Offline');
  announce('Offline');
  announce('3 selected');
  expect(spoken.value).toBe('');
  vi.advanceTimersByTime(400);
  expect(spoken.value).toBe('Offline. 3 selected');
  vi.advanceTimersByTime(6_000);
  expect(spoken.value).toBe('');
});

it('says what a text has become, not what it was on the way or is still', async () => {
  const text = ref('12 items');
  const scope = effectScope();
  scope.run(() => useAnnounced(() => text.value));
  vi.advanceTimersByTime(1_000);
  expect(spoken.value, 'the first is on the page').toBe('');
  for (const now of ['2 selected', '3 selected', '4 selected']) {
    text.value = now;
    await nextTick();
    vi.advanceTimersByTime(100);
  }
  vi.advanceTimersByTime(700);
  expect(spoken.value).toBe('4 selected');
  vi.advanceTimersByTime(6_000);
  // Gone and back again within a moment is no news.
  text.value = '';
  await nextTick();
  text.value = '4 selected';
  await nextTick();
  vi.advanceTimersByTime(1_000);
  expect(spoken.value).toBe('');
  text.value = '5 selected';
  await nextTick();
  scope.stop();
  vi.advanceTimersByTime(1_000);
  expect(spoken.value, 'nobody is there to say it').toBe('');
});
