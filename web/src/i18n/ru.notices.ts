// Russian texts of the bell.
import type { notices as en } from './en.notices';
import type { Shape } from './shape';

export const notices: Shape<typeof en> = {
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
    following: 'Сообщаем об изменениях в «{name}»',
    follow: 'Сообщать об изменениях',
    remove: 'Убрать',
    actions: 'Действия с уведомлением',
    outside: 'Показывать и вне этого окна',
    outsideHint: 'Пока вы смотрите на другое, а эта страница открыта.',
    denied: 'Браузер не разрешает это для сайта.',
    somebody: 'Кто-то',
    changes:
      '{who}: {count} изменение в «{name}» | {who}: {count} изменения в «{name}» | {who}: {count} изменений в «{name}»',
    added:
      '{who}: {count} новый объект в «{name}» | {who}: {count} новых объекта в «{name}» | {who}: {count} новых объектов в «{name}»',
    changed:
      '{who}: изменён {count} объект в «{name}» | {who}: изменено {count} объекта в «{name}» | {who}: изменено {count} объектов в «{name}»',
    removed:
      '{who}: удалён {count} объект из «{name}» | {who}: удалено {count} объекта из «{name}» | {who}: удалено {count} объектов из «{name}»',
    addedOne: '{who}: «{what}» — новое в «{name}»',
    changedOne: '{who}: изменён объект «{what}» в «{name}»',
    removedOne: '{who}: удалён объект «{what}» из «{name}»',
    shared: '{who} открывает вам доступ к «{name}»',
    team: 'Теперь вы участник «{name}»',
    dropped:
      'По ссылке «{name}» пришёл {count} файл | По ссылке «{name}» пришли {count} файла | По ссылке «{name}» пришло {count} файлов',
    droppedBy:
      '{who}: {count} файл по ссылке «{name}» | {who}: {count} файла по ссылке «{name}» | {who}: {count} файлов по ссылке «{name}»',
    quota: 'Занято {count} % вашего места',
    uploaded:
      '{count} файл загружен в «{name}» | {count} файла загружены в «{name}» | {count} файлов загружено в «{name}»',
    failed:
      '{count} файл не загрузился в «{name}» | {count} файла не загрузились в «{name}» | {count} файлов не загрузилось в «{name}»',
    conflict:
      '{count} загрузка ждёт вашего ответа | {count} загрузки ждут вашего ответа | {count} загрузок ждут вашего ответа',
    kept: '«{name}» теперь на этом устройстве',
    refused:
      '{count} ваше изменение не сохранилось | {count} ваших изменения не сохранились | {count} ваших изменений не сохранились',
    met: 'Пока вы были без связи, ваши изменения встретились с чужими',
    job: '{count} фоновая задача сервера не удалась | {count} фоновые задачи сервера не удались | {count} фоновых задач сервера не удалось',
  },
};
