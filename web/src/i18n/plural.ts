// Which form of a word goes with a number, where a language has more than two.

/** Which of "1 объект, 2 объекта, 5 объектов" a number takes; texts with two forms use the last for many. */
export function russianForm(count: number, forms: number): number {
  const tens = count % 100;
  const ones = count % 10;
  const form = ones === 1 && tens !== 11 ? 0 : ones >= 2 && ones <= 4 && (tens < 12 || tens > 14) ? 1 : 2;
  return Math.min(form, forms - 1);
}
