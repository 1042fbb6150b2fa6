// Trying again all work of a kind that was given up. The server takes one job at a time.
import { api, take } from '@/api/client';
import { Problem } from '@/api/problem';

const pageSize = 1000;
/** More than that is no list to go through by hand, and the next press goes on. */
const mostPages = 20;
const atOnce = 4;

/** How many wait again. What somebody else retried meanwhile is counted by nobody. */
export async function retryAll(kind: string): Promise<number> {
  const ids: string[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < mostPages; page += 1) {
    const query = { state: 'dead', limit: pageSize, cursor };
    const answer = await take(api.GET('/api/v1/admin/jobs', { params: { query } }));
    ids.push(...answer.items.filter((job) => job.kind === kind).map((job) => job.id));
    if (!answer.next_cursor) break;
    cursor = answer.next_cursor;
  }
  let done = 0;
  const queue = ids.values();
  async function work(): Promise<void> {
    for (const id of queue) {
      try {
        await take(api.POST('/api/v1/admin/jobs/{id}/retry', { params: { path: { id } } }));
        done += 1;
      } catch (error) {
        if (Problem.of(error).status !== 404) throw error;
      }
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work));
  return done;
}
