// Brings the texts of the search: whatever shows them imports this. Russian has them from the start.
import { searching } from './en.search';
import { i18n } from '.';

i18n.global.mergeLocaleMessage('en', searching);
