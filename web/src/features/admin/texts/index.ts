// The texts of the pages about the installation. Few people open these, so they come with them and not with the drive.
import { i18n } from '@/i18n';
import { en } from './en';
import { ru } from './ru';

i18n.global.mergeLocaleMessage('en', en);
i18n.global.mergeLocaleMessage('ru', ru);
