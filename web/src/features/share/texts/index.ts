// The texts of who has access to an entry. They come with the first entry whose details are looked at.
import { i18n } from '@/i18n';
import { en } from './en';
import { ru } from './ru';

i18n.global.mergeLocaleMessage('en', en);
i18n.global.mergeLocaleMessage('ru', ru);
