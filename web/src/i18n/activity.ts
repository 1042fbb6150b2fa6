// Brings the texts about what was done: whatever shows them imports this. Russian has them from the start.
import { activity } from './en.activity';
import { i18n } from '.';

i18n.global.mergeLocaleMessage('en', activity);
