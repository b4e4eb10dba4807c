/** Clusters over images, pixel by pixel. */
import { expect, test } from "vitest";
import { enlarge, overlayClusters, rgbImage } from "../../../src/train/pictures/overlay.ts";
import { categoryColor, hexColor } from "../../../src/train/pictures/palette.ts";

const grey = (height: number, width: number, value: number) => ({
  height,
  width,
  data: new Uint8Array(height * width * 3).fill(value),
});

test("planes become pixels, a grey plane three equal parts", () => {
  const color = rgbImage([1, 2, 3, 4, 5, 6], { channels: 3, height: 1, width: 2 });
  expect([...color.data]).toEqual([1, 3, 5, 2, 4, 6]);
  expect([...rgbImage([7, 8], { channels: 1, height: 2, width: 1 }).data]).toEqual([7, 7, 7, 8, 8, 8]);
});

test("enlarging repeats pixels", () => {
  const small = rgbImage([1, 2], { channels: 1, height: 1, width: 2 });
  const large = enlarge(small, 2);
  expect([large.height, large.width]).toEqual([2, 4]);
  expect([...large.data].filter((_, i) => i % 3 === 0)).toEqual([1, 1, 2, 2, 1, 1, 2, 2]);
});

test("a pixel is tinted by its cluster, the border before another cluster is dark", () => {
  const image = grey(4, 8, 100);
  const { data } = overlayClusters(image, { height: 1, width: 2, clusters: Int32Array.of(0, 4) });
  const pixel = (y: number, x: number): number[] => [...data.subarray((y * 8 + x) * 3, (y * 8 + x) * 3 + 3)];
  const tinted = (cluster: number): number[] =>
    categoryColor(cluster).map((part) => Math.round(0.55 * part + 0.45 * 100));
  for (const y of [0, 3]) {
    expect(pixel(y, 0)).toEqual(tinted(0));
    expect(pixel(y, 2)).toEqual(tinted(0));
    expect(pixel(y, 3).every((part) => part < 50)).toBe(true);
    expect(pixel(y, 4)).toEqual(tinted(4));
    expect(pixel(y, 7)).toEqual(tinted(4));
  }
});

test("a grid may be finer than the image", () => {
  const clusters = Int32Array.from({ length: 16 }, (_, i) => (i < 8 ? 0 : 1));
  const { data } = overlayClusters(grey(2, 2, 0), { height: 4, width: 4, clusters });
  expect(data[6]).toBe(Math.round(0.55 * categoryColor(1)[0]));
});

test("forty clusters have forty colors", () => {
  const colors = Array.from({ length: 40 }, (_, i) => hexColor(categoryColor(i)));
  expect(new Set(colors).size).toBe(40);
  expect(colors[0]).toBe("#e69f00");
});
