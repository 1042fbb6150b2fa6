// Starts the page of a link. Nobody is signed in here, nothing is kept, and nothing of the drive is loaded.
import { createApp } from 'vue';
import { provideBytes } from '@/features/look';
import '@/styles/app.css';
import { linkedBytes } from './bytes';
import { i18n, setLanguage } from './i18n';
import PublicApp from './PublicApp.vue';

await setLanguage(document.documentElement.lang === 'ru' ? 'ru' : 'en');
const app = createApp(PublicApp).use(i18n);
provideBytes(app, linkedBytes);
app.mount('#app');
