// What the server tells everybody of itself: its name, a welcome, and who may make an account. Kept on this device, so that
// the next start has it at once and without a connection.
import { computed, shallowRef } from 'vue';
import { api, take, type Schemas } from '@/api/client';
import { i18n } from '@/i18n';

type Instance = Schemas['Instance'];
const key = 'holdfast.instance';

function remembered(): Instance | null {
  try {
    return JSON.parse(localStorage.getItem(key) ?? 'null') as Instance | null;
  } catch {
    return null;
  }
}

export const instance = shallowRef(remembered());
export const instanceName = computed(() => instance.value?.name || i18n.global.t('app.name'));

export async function learnInstance(): Promise<void> {
  instance.value = await take(api.GET('/api/v1/public/instance'));
  localStorage.setItem(key, JSON.stringify(instance.value));
}
