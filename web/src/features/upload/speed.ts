// How fast the uploads go, over the last few seconds.
import { shallowRef } from 'vue';

/** Shorter jumps, longer lags. */
const windowMs = 5_000;
const everyMs = 500;
/** Slower than so many bytes a second is standing still. */
const tellableBytes = 1_000;

export class Speed {
  /** Bytes a second. */
  readonly value = shallowRef(0);
  private samples: { at: number; bytes: number }[] = [];
  private bytes = 0;
  private timer: ReturnType<typeof setInterval> | null = null;

  add(bytes: number): void {
    this.bytes += bytes;
  }

  /** Measures while anything is sent. */
  run(sending: boolean): void {
    if (sending && this.timer === null) {
      this.samples = [{ at: performance.now(), bytes: this.bytes }];
      this.timer = setInterval(() => this.sample(), everyMs);
    } else if (!sending && this.timer !== null) {
      clearInterval(this.timer);
      this.timer = null;
      this.value.value = 0;
    }
  }

  /** Seconds until so many bytes have gone; null where that cannot be said. */
  secondsFor(bytes: number): number | null {
    return this.value.value > tellableBytes ? bytes / this.value.value : null;
  }

  private sample(): void {
    const now = performance.now();
    this.samples.push({ at: now, bytes: this.bytes });
    while (this.samples.length > 2 && now - this.samples[0]!.at > windowMs) this.samples.shift();
    const first = this.samples[0]!;
    this.value.value = ((this.bytes - first.bytes) / Math.max(1, now - first.at)) * 1000;
  }
}
