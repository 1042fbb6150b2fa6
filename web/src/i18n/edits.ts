// Brings the texts about waiting changes and conflicts: whatever shows them imports this. Russian has them from the start.
import { edits } from './en.edits';
import { i18n } from '.';

i18n.global.mergeLocaleMessage('en', edits);
