// How far all uploads are together, for the tray and the status bar.
import { computed, shallowRef } from 'vue';
import { uploads } from './queue';

const counted = computed(() => uploads.rows.filter((row) => row.state !== 'skipped' && row.state !== 'failed'));
export const total = computed(() => counted.value.reduce((sum, row) => sum + row.size, 0));
export const sent = computed(() => counted.value.reduce((sum, row) => sum + row.sent, 0));
/** From 0 to 1. */
export const share = computed(() => (total.value > 0 ? sent.value / total.value : 1));
/** Whether nothing would go on by itself. */
export const paused = computed(
  () =>
    uploads.active.value.length > 0 &&
    uploads.active.value.every((row) => row.state !== 'sending' && row.state !== 'waiting'),
);

/** Whether the tray shows its lines, or only its head. */
export const trayOpen = shallowRef(true);
/** Counts how often somebody asked for it. */
export const trayAsked = shallowRef(0);
export function showTray(): void {
  trayOpen.value = true;
  trayAsked.value += 1;
}

export function pauseAll(): void {
  uploads.pause(uploads.among(['waiting', 'sending']));
}
/** What somebody has paused, and what has failed. */
export function resumeAll(): void {
  uploads.resume(uploads.among(['paused', 'failed']));
}
