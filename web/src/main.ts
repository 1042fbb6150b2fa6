// Starts the page: look, session, router, and the service worker once the first list is on its way.
import { createApp } from 'vue';
import App from '@/app/App.vue';
import { ownBytes } from '@/app/bytes';
import { router } from '@/app/router';
import { startSession } from '@/app/session';
import { openAhead } from '@/data/drive';
import { provideBytes } from '@/features/look';
import { i18n } from '@/i18n';
import { startLook } from '@/lib/look';
import { askToPersist } from '@/platform/web';
import '@/styles/app.css';

openAhead();
await Promise.all([startLook(), startSession()]);
const app = createApp(App).use(i18n).use(router);
provideBytes(app, ownBytes);
app.mount('#app');

if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  addEventListener(
    'load',
    () =>
      void navigator.serviceWorker
        .register('/sw.js')
        .catch((error: unknown) => console.warn('no offline start', error)),
  );
  if (document.readyState === 'complete') void navigator.serviceWorker.register('/sw.js').catch(() => undefined);
}
void askToPersist().catch(() => undefined);
