// Russian texts about what files are and how they are shown.
import type { looking as english } from './en.look';
import type { Shape } from './shape';

export const looking: Shape<typeof english> = {
  kinds: {
    folder: 'Папка',
    image: 'Изображение',
    video: 'Видео',
    audio: 'Аудио',
    pdf: 'PDF',
    document: 'Документ',
    sheet: 'Таблица',
    slides: 'Презентация',
    archive: 'Архив',
    code: 'Код',
    text: 'Текст',
    font: 'Шрифт',
    file: 'Файл',
  },
  look: {
    title: 'Быстрый просмотр',
    previous: 'Предыдущий',
    next: 'Следующий',
    strip: 'Рядом',
    none: 'Для таких файлов нет просмотра',
    tooLarge: 'Слишком большой, чтобы показать здесь',
    failed: 'Не удалось загрузить просмотр',
    offlineTitle: 'Нет соединения',
    offline: 'Содержимого этого файла нет на устройстве. Оно появится, когда будет соединение.',
    page: 'Страница {page} из {pages}',
    zoomIn: 'Крупнее',
    zoomOut: 'Мельче',
    fit: 'По размеру окна',
    cut: 'Показаны только первые {size}.',
    play: 'Воспроизвести',
    pause: 'Пауза',
    position: 'Позиция',
    mute: 'Выключить звук',
    unmute: 'Включить звук',
    fullscreen: 'На весь экран',
  },
};
