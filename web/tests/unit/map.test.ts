// The map of the world: where places are, that their names do not cover each other, and when they pulse.
import { mount } from '@vue/test-utils';
import { expect, it } from 'vitest';
import { placeLabels } from '@/ui/map/labels';
import { columns, rows } from '@/ui/map/land';
import { locate, map, place } from '@/ui/map/projection';
import WorldMap, { type MapPlace } from '@/ui/map/WorldMap.vue';

const isLand = (longitude: number, latitude: number) => {
  const [x, y] = place(longitude, latitude);
  const step = map.width / columns;
  const column = Math.min(columns - 1, Math.floor(x / step));
  const digit = Number.parseInt(rows[Math.min(rows.length - 1, Math.floor(y / step))]![Math.floor(column / 4)]!, 16);
  return ((digit >> (3 - (column % 4))) & 1) === 1;
};

it('puts places where they are, and finds them again', () => {
  expect(place(0, 83)).toEqual([500, 0]);
  expect(place(-180, -56)).toEqual([0, map.height]);
  expect(place(0, -90)[1]).toBe(map.height);
  for (const [longitude, latitude] of [
    [37.6, 55.8],
    [-122.4, 37.8],
    [151.2, -33.9],
  ] as const) {
    const [back, up] = locate(...place(longitude, latitude));
    expect(back).toBeCloseTo(longitude, 6);
    expect(up).toBeCloseTo(latitude, 6);
  }
});

it('has land where there is land, on both sides of the 180th degree', () => {
  expect(rows.every((row) => row.length === columns / 4)).toBe(true);
  for (const [name, longitude, latitude] of [
    ['Moscow', 37.6, 55.8],
    ['Yakutsk', 129.7, 62],
    ['Kansas', -98, 38.5],
    ['Brasília', -47.9, -15.8],
    ['Alice Springs', 133.9, -23.7],
    ['Chukotka', 175, 67],
    ['Chukotka, east', -173, 66.5],
  ] as const)
    expect(isLand(longitude, latitude), name).toBe(true);
  for (const [name, longitude, latitude] of [
    ['Atlantic', -35, 35],
    ['Pacific', -150, 10],
    ['Indian Ocean', 80, -25],
    ['Caspian', 51, 42],
  ] as const)
    expect(isLand(longitude, latitude), name).toBe(false);
});

it('gives each name a free spot within the picture, or none', () => {
  const label = (id: string, x: number, y: number) => ({ id, x, y, width: 40, height: 10 });
  const bounds = { width: 200, height: 100 };
  const spots = placeLabels([label('a', 100, 50), label('b', 104, 52), label('edge', 195, 5)], bounds, 5);
  const boxes = spots.map(({ x, y }) => ({ x, y, width: 40, height: 10 }));
  expect(spots.map(({ id }) => id)).toEqual(['a', 'b', 'edge']);
  for (const [at, one] of boxes.entries()) {
    expect(one.x >= 0 && one.y >= 0 && one.x + 40 <= 200 && one.y + 10 <= 100).toBe(true);
    for (const other of boxes.slice(at + 1))
      expect(one.x < other.x + 40 && other.x < one.x + 40 && one.y < other.y + 10 && other.y < one.y + 10).toBe(false);
  }
  const crowd = Array.from({ length: 12 }, (_, at) => label(String(at), 100, 50));
  expect(placeLabels(crowd, bounds, 5).length).toBeLessThan(12);
});

it('lists every place in words, and pulses where a state changes', async () => {
  const zone = (id: string, tone: MapPlace['tone']): MapPlace => ({
    id,
    name: id,
    longitude: 10,
    latitude: 50,
    tone,
    state: tone,
  });
  const wrapper = mount(WorldMap, {
    props: { label: 'Zones', places: [zone('Porto', 'success'), zone('Yerevan', 'success')] },
  });
  expect(wrapper.findAll('li').map((line) => line.text())).toEqual(['Portosuccess', 'Yerevansuccess']);
  expect(wrapper.findAll('.pulse')).toHaveLength(0);
  await wrapper.setProps({ places: [zone('Porto', 'success'), zone('Yerevan', 'danger'), zone('Oslo', 'success')] });
  await wrapper.vm.$nextTick();
  expect(wrapper.findAll('.pulse')).toHaveLength(1);
  expect(wrapper.find('[data-place=Yerevan] .pulse').exists()).toBe(true);
  await wrapper.find('.pulse').trigger('animationend');
  expect(wrapper.findAll('.pulse')).toHaveLength(0);
});
