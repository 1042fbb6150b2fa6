// Brings the English texts about links; Russian is fetched whole.
import { i18n } from '@/i18n';
import { sharing } from '@/i18n/en.sharing';

i18n.global.mergeLocaleMessage('en', sharing);
