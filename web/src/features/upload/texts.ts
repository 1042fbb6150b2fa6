// Brings the English texts of uploads; Russian is fetched whole.
import { i18n } from '@/i18n';
import { uploading } from '@/i18n/en.upload';

i18n.global.mergeLocaleMessage('en', uploading);
