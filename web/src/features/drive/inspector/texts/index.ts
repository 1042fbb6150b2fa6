// The texts of what the details show of one file: its versions and its parts. They come with the first file
// that is looked at.
import { i18n } from '@/i18n';
import { en } from './en';
import { ru } from './ru';

i18n.global.mergeLocaleMessage('en', en);
i18n.global.mergeLocaleMessage('ru', ru);
