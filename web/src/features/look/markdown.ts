// Markdown as HTML: CommonMark with tables, links that are merely written, and lists of tasks.
import Markdown from 'markdown-it';

/** What a screen reader says for the box of a task. */
export interface TaskWords {
  done: string;
  open: string;
}

const task = /^\[([ xX])\]\s+/;

/** The HTML of `source`, which is not clean: whoever shows it takes out what could run (`ui/SafeHtml.vue`). */
export function renderMarkdown(source: string, words: TaskWords): string {
  const markdown = new Markdown({ linkify: true, typographer: true });
  // The page allows no styles in its text, so columns of numbers say in another way on which side they stand.
  markdown.core.ruler.push('alignment', ({ tokens }) => {
    for (const token of tokens) {
      const side = /^text-align:(left|center|right)$/.exec(String(token.attrGet('style') ?? ''))?.[1];
      if (side) token.attrs = [['align', side]];
    }
  });
  // As GitHub writes them (GFM 0.29, section 5.3): `- [x] done`.
  markdown.core.ruler.after('inline', 'tasks', (state) => {
    for (const [at, token] of state.tokens.entries()) {
      const item = state.tokens[at - 2];
      const first = token.children?.[0];
      if (token.type !== 'inline' || item?.type !== 'list_item_open' || first?.type !== 'text') continue;
      const found = task.exec(first.content);
      if (!found) continue;
      const done = found[1] !== ' ';
      item.attrJoin('class', done ? 'task done' : 'task');
      first.content = first.content.slice(found[0].length);
      const box = new state.Token('html_inline', '', 0);
      box.content = `<span class="box" role="img" aria-label="${markdown.utils.escapeHtml(done ? words.done : words.open)}"></span>`;
      token.children?.unshift(box);
    }
  });
  return markdown.render(source);
}
