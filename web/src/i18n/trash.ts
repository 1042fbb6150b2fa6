// Brings the texts about what was deleted: whatever shows them imports this. Russian has them from the start.
import { trash } from './en.trash';
import { i18n } from '.';

i18n.global.mergeLocaleMessage('en', trash);
