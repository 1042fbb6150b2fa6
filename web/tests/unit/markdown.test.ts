import { describe, expect, it } from 'vitest';
import { renderMarkdown } from '@/features/look/markdown';

const render = (source: string) => renderMarkdown(source, { done: 'Done', open: 'Not "done"' });

describe('Markdown', () => {
  it('shows tasks as boxes that say what they are', () => {
    const html = render('- [x] first\n- [ ] *second*\n- [link](https://example.org)\n');
    expect(html).toContain('<li class="task done"><span class="box" role="img" aria-label="Done"></span>first</li>');
    expect(html).toContain(
      '<li class="task"><span class="box" role="img" aria-label="Not &quot;done&quot;"></span><em>second</em></li>',
    );
    expect(html).toContain('<li><a href="https://example.org">link</a></li>');
  });

  it('leaves brackets alone that are no tasks', () => {
    expect(render('[x] not in a list')).toBe('<p>[x] not in a list</p>\n');
    expect(render('- [y] no task')).toContain('<li>[y] no task</li>');
    expect(render('- [x]')).not.toContain('box');
  });

  it('says on which side a column stands without a style', () => {
    const html = render('| a | b | c |\n| :-- | --: | :-: |\n| 1 | 2 | 3 |\n');
    expect(html).toContain('<td align="left">1</td>\n<td align="right">2</td>\n<td align="center">3</td>');
    expect(html).not.toContain('style');
  });

  it('lets no HTML through', () => {
    expect(render('<img src=x onerror=alert(1)> - [x] <b>')).not.toMatch(/<img|<b>/);
  });
});
