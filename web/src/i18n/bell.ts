// Brings the texts of what the bell's panel shows: whatever puts a notice in words imports this. Russian has them from the start.
import { bell } from './en.bell';
import { i18n } from '.';

i18n.global.mergeLocaleMessage('en', bell);
