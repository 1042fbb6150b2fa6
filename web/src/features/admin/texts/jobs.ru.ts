// Russian texts about background work.
import type { Shape } from '@/i18n/shape';
import type { jobs as english } from './jobs.en';

export const jobs: Shape<typeof english> = {
  jobs: {
    subtitle:
      'Что сервер делает уже после ответа: письма, восстановление, очистка корзин. Неудачу он повторяет больше часа и только потом сдаётся.',
    queues: 'Виды задач',
    list: 'Отдельные задачи',
    kind: 'Вид',
    waiting: 'Ждут',
    lag: 'Самая старая',
    dead: 'Неудачи',
    state_dead: 'Неудачи',
    state_waiting: 'Ждут',
    noneDead: 'Неудач нет',
    noneDeadHint: 'Здесь появляются задачи, которые раз за разом не удались.',
    noneWaiting: 'Ничего не ждёт',
    retry: 'Повторить',
    retryAll: 'Повторить все',
    retryAllOf: 'Повторить все: {kind}',
    retryEverything: 'Повторить все неудавшиеся задачи',
    cancel: 'Отменить',
    retried: '{count} задача будет повторена | {count} задачи будут повторены | {count} задач будут повторены',
    cancelled: 'Отменено',
    tried: '{count} попытка | {count} попытки | {count} попыток',
    waits: 'Ждёт своей очереди',
    working: 'Выполняется или ждёт новой попытки',
    asked: 'Создана',
    due: 'Не раньше',
    id: 'Номер',
    payload: 'О чём она',
    kind_mail: 'Отправить письмо',
    kind_repair: 'Восстановить части файла',
    kind_empty: 'Очистить корзину',
    kind_hash: 'Посчитать хеш файла',
    kind_dissolve: 'Разобрать удалённое пространство',
    kind_purge: 'Удалить файлы навсегда',
  },
};
