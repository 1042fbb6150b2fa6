// Russian texts of the bell.
import type { bell } from './en.bell';
import type { notices as en } from './en.notices';
import type { Shape } from './shape';

export const notices: Shape<typeof en & typeof bell> = {
  notices: {
    title: 'Уведомления',
    openNew: 'Уведомления, {count} новое | Уведомления, {count} новых | Уведомления, {count} новых',
    none: 'Ничего нового',
    noneHint: 'Здесь видно, что меняют и чем делятся другие и когда заканчивается долгое.',
    new: 'Новое',
    readAll: 'Отметить всё прочитанным',
    clear: 'Очистить',
    cleared: 'Все уведомления убраны',
    markRead: 'Отметить прочитанным',
    markUnread: 'Отметить новым',
    mute: 'Больше не сообщать об этой папке',
    muted: 'О папке «{name}» больше не сообщаем',
    following: 'Сообщаем об изменениях в папке «{name}»',
    follow: 'Сообщать об изменениях',
    remove: 'Убрать',
    actions: 'Действия с уведомлением',
    outside: 'Показывать уведомления системы',
    outsideHint: 'Когда эта страница открыта, но не на виду.',
    denied: 'Браузер не разрешает это для сайта.',
    somebody: 'Кто-то',
    changes:
      '{who}: {count} изменение в папке «{name}» | {who}: {count} изменения в папке «{name}» | {who}: {count} изменений в папке «{name}»',
    added:
      '{who}: {count} новый объект в папке «{name}» | {who}: {count} новых объекта в папке «{name}» | {who}: {count} новых объектов в папке «{name}»',
    changed:
      '{who}: изменён {count} объект в папке «{name}» | {who}: изменено {count} объекта в папке «{name}» | {who}: изменено {count} объектов в папке «{name}»',
    removed:
      '{who}: удалён {count} объект из «{name}» | {who}: удалено {count} объекта из «{name}» | {who}: удалено {count} объектов из «{name}»',
    addedOne: '{who}: «{what}» — новое в папке «{name}»',
    changedOne: '{who}: изменён объект «{what}» в папке «{name}»',
    removedOne: '{who}: удалён объект «{what}» из «{name}»',
    shared: '{who} даёт вам доступ: «{name}»',
    team: 'Теперь вы участник «{name}»',
    dropped:
      'По ссылке «{name}» пришёл {count} файл | По ссылке «{name}» пришли {count} файла | По ссылке «{name}» пришло {count} файлов',
    droppedBy:
      '{who}: {count} файл по ссылке «{name}» | {who}: {count} файла по ссылке «{name}» | {who}: {count} файлов по ссылке «{name}»',
    quota: 'Занято {count} % вашего места',
    uploaded:
      '{count} файл загружен в папку «{name}» | {count} файла загружены в папку «{name}» | {count} файлов загружено в папку «{name}»',
    failed:
      '{count} файл не загрузился в папку «{name}» | {count} файла не загрузились в папку «{name}» | {count} файлов не загрузилось в папку «{name}»',
    conflict:
      '{count} загрузка ждёт вашего ответа | {count} загрузки ждут вашего ответа | {count} загрузок ждут вашего ответа',
    kept: '«{name}» теперь на этом устройстве',
    refused:
      '{count} ваше изменение не сохранилось | {count} ваших изменения не сохранились | {count} ваших изменений не сохранились',
    met: 'Пока вы были без связи, ваши изменения встретились с чужими',
    job: '{count} фоновая задача сервера не удалась | {count} фоновые задачи сервера не удались | {count} фоновых задач сервера не удалось',
  },
};
