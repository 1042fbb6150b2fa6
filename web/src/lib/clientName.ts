// How this browser is named in the list of sessions.

const browsers: readonly [RegExp, string][] = [
  [/edg\//i, 'Edge'],
  [/firefox/i, 'Firefox'],
  [/chrome|chromium/i, 'Chrome'],
  [/safari/i, 'Safari'],
];
const systems: readonly [RegExp, string][] = [
  [/windows/i, 'Windows'],
  [/android/i, 'Android'],
  [/iphone|ipad/i, 'iOS'],
  [/mac/i, 'macOS'],
  [/linux/i, 'Linux'],
];

export function clientName(agent: string, otherwise: string): string {
  const find = (list: typeof browsers) => list.find(([sign]) => sign.test(agent))?.[1];
  const system = find(systems);
  const browser = find(browsers) ?? otherwise;
  return system ? `${browser} · ${system}` : browser;
}
