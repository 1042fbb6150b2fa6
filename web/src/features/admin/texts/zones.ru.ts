// Russian texts about zones.
import type { Shape } from '@/i18n/shape';
import type { zones as english } from './zones.en';

export const zones: Shape<typeof english> = {
  zones: {
    map: 'Карта мира без единой зоны',
    one: 'Вся система — одна зона',
    what: 'Зона — это место на карте со своими серверами, чтобы люди получали файлы с ближайшего. Здесь все серверы хранения работают вместе и хранят каждый файл по частям, поэтому различать на карте нечего.',
    servers: 'Открыть серверы хранения',
  },
};
