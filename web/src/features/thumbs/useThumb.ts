// The small picture of a file for as long as a component shows it.
import { onScopeDispose, shallowRef, watch, type Ref } from 'vue';
import { useBytes, type Viewed } from '@/features/look';
import { extension } from '@/lib/names';
import { kindOf } from '@/lib/kinds';
import { Memory, type Thumb } from './memory';

export const memory = new Memory();
let account: string | null = null;

/** A larger picture is not fetched for one the size of a stamp; a drawing of that size is none that one draws. */
const mostBytes = 25_000_000;
const mostDrawingBytes = 1_000_000;
/** Where somebody pays for each byte. */
const thriftyBytes = 1_000_000;
/** Pictures that browsers do not open. */
const foreign = new Set(['heic', 'heif', 'tif', 'tiff']);

function limit(): number {
  const { connection } = navigator as { connection?: { saveData?: boolean } };
  return connection?.saveData ? thriftyBytes : mostBytes;
}

/** Whether a small picture can be made of a file, as far as its name and size tell. `seekable`: a film's frame can be had without all of it. */
export function canThumb(file: Viewed, seekable: boolean): file is Viewed & { version_id: string } {
  const size = file.size ?? 0;
  if (size === 0 || !file.version_id) return false;
  const kind = kindOf(file);
  if (kind === 'video') return seekable || size <= limit();
  if (kind !== 'image' || foreign.has(extension(file.name))) return false;
  return size <= (extension(file.name) === 'svg' ? mostDrawingBytes : limit());
}

/** Takes away all that is kept on this device for an account. What is shown now stays. */
export async function clearThumbs(of: string): Promise<void> {
  const { storeFor } = await import('./thumbs');
  await (await storeFor(of))?.empty();
}

/** What the small pictures of an account take on this device, and may take. */
export async function thumbUse(of: string): Promise<{ bytes: number; budget: number }> {
  const { storeFor } = await import('./thumbs');
  const { budgetBytes } = await import('./store');
  return { bytes: (await (await storeFor(of))?.size()) ?? 0, budget: budgetBytes };
}

/** `knownOnly`: it is not made for this, but shown where it is there already. */
export function useThumb(
  file: () => Viewed | null,
  options: { knownOnly?: boolean } = {},
): { thumb: Ref<Thumb | null>; late: Ref<boolean> } {
  const source = useBytes();
  const thumb = shallowRef<Thumb | null>(null);
  /** Whether it came after the file was shown without it, so that it is to fade in. */
  const late = shallowRef(false);
  let held: string | null = null;
  let cancel: (() => void) | null = null;
  const drop = () => {
    cancel?.();
    cancel = null;
    if (held) memory.release(held);
    held = null;
    thumb.value = null;
  };
  const take = (version: string): boolean => {
    thumb.value = memory.take(version);
    if (thumb.value) held = version;
    return thumb.value !== null;
  };
  watch(
    // Once more when the connection is back.
    () => `${file()?.version_id ?? ''} ${source.offline()}`,
    async (_, __, onCleanup) => {
      const wanted = file();
      if (held !== null && wanted?.version_id === held) return;
      drop();
      late.value = false;
      if (!wanted || !canThumb(wanted, source.seekable())) return;
      // What another account saw is none of this one's business.
      if (source.account() !== account) memory.clear();
      account = source.account();
      if (take(wanted.version_id)) return;
      let left = false;
      onCleanup(() => (left = true));
      late.value = true;
      const { find, recall } = await import('./thumbs');
      if (left) return;
      if (options.knownOnly) {
        if ((await recall(wanted, source, memory)) && !left) take(wanted.version_id);
      } else cancel = find(wanted, source, memory, () => take(wanted.version_id));
    },
    { immediate: true },
  );
  onScopeDispose(drop);
  return { thumb, late };
}
