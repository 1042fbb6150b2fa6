// What the server that the link is on calls itself.
import { computed, shallowRef } from 'vue';
import { i18n } from './i18n';

/** Where the drive keeps it on this device. */
const key = 'holdfast.instance';

function nameOf(told: unknown): string | null {
  const name = (told as { name?: unknown } | null)?.name;
  return typeof name === 'string' && name !== '' ? name : null;
}
function remembered(): string | null {
  try {
    return nameOf(JSON.parse(localStorage.getItem(key) ?? 'null'));
  } catch {
    return null;
  }
}

const known = shallowRef(remembered());
const asked = shallowRef(false);
/** Nothing until it is known, so that no other name shows first. */
export const instanceName = computed(() => known.value ?? (asked.value ? i18n.global.t('page.name') : ''));

export async function learnInstance(): Promise<void> {
  try {
    const response = await fetch('/api/v1/public/instance');
    if (response.ok) known.value = nameOf(await response.json()) ?? known.value;
  } catch {
    // The link itself says that the server cannot be reached.
  }
  asked.value = true;
}
