/**
 * Colors that people who are color-blind can tell apart: those of Okabe and Ito (2008), then some of Tol's (2021) and others that
 * differ in lightness.
 *
 *     categoryColor(0)  orange    categoryColor(1)  sky blue    categoryColor(16)  a darker orange
 */

/** Red, green, blue, 0 … 255. */
export type Rgb = readonly [number, number, number];

/** Training and held-out images in curves, right and wrong answers. */
export const named = {
  training: "#7fb2d6",
  heldOut: "#d55e00",
  right: "#00724f",
  wrong: "#b84300",
  text: "#222222",
  faint: "#666666",
} as const;

const categories: readonly Rgb[] = [
  [0xe6, 0x9f, 0x00],
  [0x56, 0xb4, 0xe9],
  [0x00, 0x9e, 0x73],
  [0xf0, 0xe4, 0x42],
  [0x00, 0x72, 0xb2],
  [0xd5, 0x5e, 0x00],
  [0xcc, 0x79, 0xa7],
  [0x33, 0x22, 0x88],
  [0xbb, 0xbb, 0xbb],
  [0x88, 0x22, 0x55],
  [0x99, 0x99, 0x33],
  [0x00, 0x5f, 0x60],
  [0xff, 0x99, 0xaa],
  [0xee, 0xee, 0xee],
  [0x44, 0x44, 0x44],
  [0x8c, 0x5a, 0x2b],
];

/** The color of a category; after sixteen they come again, darker each time. */
export function categoryColor(category: number): Rgb {
  const [red, green, blue] = categories[category % categories.length]!;
  const shade = 0.7 ** Math.floor(category / categories.length);
  return [red * shade, green * shade, blue * shade].map(Math.round) as unknown as Rgb;
}

/** `#e69f00`. */
export function hexColor(color: Rgb): string {
  return `#${color.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
