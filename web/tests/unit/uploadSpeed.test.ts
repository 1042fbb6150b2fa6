// How fast uploads go and how long they take still, by a clock of the test's own.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Speed } from '@/features/upload/speed';
import { formatClock } from '@/lib/format';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Sends so many bytes a second, ten times a second. */
function send(speed: Speed, bytesPerSecond: number, seconds: number): void {
  for (let at = 0; at < seconds * 10; at += 1) {
    speed.add(bytesPerSecond / 10);
    vi.advanceTimersByTime(100);
  }
}

it('tells the pace and the time that is left', () => {
  const speed = new Speed();
  expect(speed.secondsFor(1_000_000)).toBeNull();
  speed.run(true);
  send(speed, 2_000_000, 5);
  expect(speed.value.value).toBeCloseTo(2_000_000, -5);
  expect(formatClock(speed.secondsFor(180_000_000)!)).toBe('1:30');
});

it('follows a change of pace within seconds, and not at once', () => {
  const speed = new Speed();
  speed.run(true);
  send(speed, 1_000_000, 20);
  send(speed, 4_000_000, 1);
  expect(speed.value.value).toBeGreaterThan(1_200_000);
  expect(speed.value.value).toBeLessThan(3_000_000);
  send(speed, 4_000_000, 6);
  expect(speed.value.value).toBeCloseTo(4_000_000, -6);
});

it('promises nothing while nothing goes, and begins anew after a pause', () => {
  const speed = new Speed();
  speed.run(true);
  send(speed, 3_000_000, 5);
  send(speed, 0, 7);
  expect(speed.secondsFor(1_000_000)).toBeNull();
  speed.run(false);
  expect(speed.value.value).toBe(0);
  vi.advanceTimersByTime(60_000);
  speed.run(true);
  // The minute of the pause does not count.
  send(speed, 3_000_000, 2);
  expect(speed.value.value).toBeCloseTo(3_000_000, -6);
});
