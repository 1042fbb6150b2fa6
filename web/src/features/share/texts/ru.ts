import type { Shape } from '@/i18n/shape';
import type { en } from './en';

export const ru: Shape<typeof en> = {
  access: {
    title: 'Доступ',
    onlyYou: 'Доступ есть только у вас.',
    onlyMembers: 'Доступ есть только у участников пространства.',
    nobody: 'Больше ни у кого доступа нет.',
    sharedBy: 'С вами делится {name}.',
    links: '{count} ссылка | {count} ссылки | {count} ссылок',
    linksHint: 'По адресу может войти любой.',
    more: 'и ещё {count}',
    unknown: 'У кого ещё есть доступ, будет видно при соединении.',
    above: 'через папку выше',
  },
};
