// Tables in text: rows of fields between commas, semicolons or tabs, in quotes where they hold one of those.

/** The sign between fields that the first line has most of, outside quotes. */
export function separatorOf(text: string): string {
  const first = /^(?:"(?:[^"]|"")*"|[^"\n])*/.exec(text)?.[0].replaceAll(/"(?:[^"]|"")*"/g, '') ?? '';
  const counts = [',', ';', '\t'].map((sign) => [sign, first.split(sign).length] as const);
  return counts.reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}

export function parseCsv(text: string, separator: string = separatorOf(text), mostRows = Infinity): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let field = '';
  let quoted = false;
  const endRow = () => {
    row.push(field);
    field = '';
    if (row.length > 1 || row[0] !== '') rows.push(row);
    row = [];
  };
  for (let at = text.charCodeAt(0) === 0xfeff ? 1 : 0; at < text.length && rows.length < mostRows; at += 1) {
    const sign = text[at]!;
    if (quoted) {
      if (sign !== '"') field += sign;
      else if (text[at + 1] === '"') {
        field += '"';
        at += 1;
      } else quoted = false;
    } else if (sign === '"' && field === '') quoted = true;
    else if (sign === separator) {
      row.push(field);
      field = '';
    } else if (sign === '\n') endRow();
    else if (sign !== '\r') field += sign;
  }
  if ((field !== '' || row.length > 0) && rows.length < mostRows) endRow();
  return rows;
}

/** Whether a field is a number, as people write them, so that it stands at the end of its column. */
export const isNumeric = (field: string) => /^[+\-−]?\d[\d\s.,]*%?$/.test(field.trim());
