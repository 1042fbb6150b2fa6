// A socket whose other end is the test.
import type { LiveSocket } from '@/data/sync/live';

export class FakeSocket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: unknown }) => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  readonly sent: { id: number; do: string; [key: string]: unknown }[] = [];
  closed = false;

  send(text: string): void {
    this.sent.push(JSON.parse(text) as { id: number; do: string });
  }
  close(): void {
    this.closed = true;
  }
  say(message: unknown): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
  /** Opens it, and takes the hello. */
  accept(): void {
    this.onopen?.();
    this.say({ reply: this.sent.at(-1)!.id, ok: { user: 'usr_1', session: 'ses_1' } });
  }
  answerPings(): void {
    for (const { id, do: what } of this.sent.splice(0)) if (what === 'ping') this.say({ reply: id, ok: {} });
  }
}
export const asSocket = (socket: FakeSocket) => socket as unknown as LiveSocket;
