// Taking along what a link leads to.
import { downloadUrl } from '@/platform/web';
import { probe } from './api';
import type { LinkState } from './state';

/**
 * Whether the link gives these bytes still: the browser itself would only say "failed", or leave the page for the reason.
 * Where nothing is left to be downloaded, what was begun before goes on, which only asking for it tells.
 */
export async function allowed(state: LinkState, address: string): Promise<boolean> {
  if (!(await state.refresh())) return false;
  if (state.link.value?.downloads_left !== 0) return true;
  try {
    await probe(address);
    return true;
  } catch (error) {
    state.fail(error, true);
    return false;
  }
}

/** Hands an address to the browser's downloads. */
export async function save(state: LinkState, address: string): Promise<void> {
  if (!(await allowed(state, address))) return;
  downloadUrl(address, '');
  void state.recount();
}
