/**
 * A sheet of images with what a model made of them: its answer, and its clusters at each level.
 *
 *     ┌────────┐┌────────┐┌────────┐   ┌────────┐┌────────┐┌────────┐
 *     │ image  ││stage 1 ││stage 2 │   │ image  ││stage 1 ││stage 2 │
 *     └────────┘└────────┘└────────┘   └────────┘└────────┘└────────┘
 *     ✓ Sneaker                        ✗ Shirt, is Coat
 */
import sharp from "sharp";
import { DataError } from "../data/data-error.ts";
import { type ImageShape, imageSize } from "../data/dataset.ts";
import { enlarge, overlayClusters, rgbImage, type RgbImage } from "./overlay.ts";
import { categoryColor, hexColor, named } from "./palette.ts";
import { renderPng } from "./render.ts";
import { pngAt, rectangleAt, shortened, svgOf, textAt } from "./svg.ts";

/** The clusters of all images at one level of a model. */
export interface ClusterLayer {
  /** What stands above it. */
  readonly name: string;
  readonly height: number;
  readonly width: number;
  /** `[images, height, width]`: the number of each element's cluster, from 0. */
  readonly clusters: Int32Array;
}

/** What a model says of an image. */
export interface Answer {
  readonly predicted: string;
  /** The right answer; null when it is not known. */
  readonly label: string | null;
  /** The probability of the prediction, 0 … 1; null when it is not to be shown. */
  readonly confidence: number | null;
}

export interface ClusterSheet {
  readonly title: string;
  /** `[images, channels, height, width]`, 0 … 255. */
  readonly images: Uint8Array | Uint8ClampedArray;
  readonly shape: ImageShape;
  /** An answer for each image; null leaves them out. */
  readonly answers: readonly Answer[] | null;
  /** A name for each image, shown where there are no answers. */
  readonly names: readonly string[] | null;
  readonly layers: readonly ClusterLayer[];
}

const margin = 24;
const tile = 120;
const tileGap = 4;
const cardGap = 28;
const captionHeight = 30;
const headingHeight = 18;
/** Width by height that a sheet of many cards has about. */
const proportion = 1.4;
const swatch = 14;

/** Draws a sheet as PNG. Throws `DataError` when a layer's or the answers' sizes don't fit the images. */
export async function drawClusters(sheet: ClusterSheet): Promise<Buffer> {
  return renderPng(await clustersSvg(sheet), 2);
}

/** The sheet as SVG, with its images inside. Throws as `drawClusters` does. */
export async function clustersSvg(sheet: ClusterSheet): Promise<string> {
  const { images, shape, layers } = sheet;
  const count = images.length / imageSize(shape);
  requireSizes(sheet, count);
  const tileHeight = Math.round((tile * shape.height) / shape.width);
  const cardWidth = (layers.length + 1) * (tile + tileGap) - tileGap;
  const cardHeight = headingHeight + tileHeight + captionHeight;
  const squarish = Math.round(Math.sqrt((proportion * count * cardHeight) / (cardWidth + cardGap)));
  const columns = Math.max(1, Math.min(squarish, count));
  const width = Math.max(520, 2 * margin + columns * (cardWidth + cardGap) - cardGap);
  const header = headerOf(sheet, width);
  const cards = Array.from({ length: count }, async (_, i) => {
    const x = margin + (i % columns) * (cardWidth + cardGap);
    const y = header.height + Math.floor(i / columns) * cardHeight;
    return cardAt(x, y, sheet, i, { cardWidth, tileHeight });
  });
  const height = header.height + Math.ceil(count / columns) * cardHeight + margin / 2;
  return svgOf(width, height, [header.svg, ...(await Promise.all(cards))]);
}

interface CardSizes {
  readonly cardWidth: number;
  readonly tileHeight: number;
}

/** One image: heading, tiles, caption. */
async function cardAt(
  x: number,
  y: number,
  sheet: ClusterSheet,
  index: number,
  sizes: CardSizes,
): Promise<string> {
  const { images, shape, layers } = sheet;
  const { cardWidth, tileHeight } = sizes;
  const size = imageSize(shape);
  const small = rgbImage(images.subarray(index * size, (index + 1) * size), shape);
  // Lines between clusters are to be thinner than the pixels of a small image.
  const image = enlarge(small, Math.max(1, Math.round((2 * tile) / shape.width)));
  const pictures: readonly (readonly [string, RgbImage])[] = [
    ["image", image],
    ...layers.map(({ name, height, width, clusters }) => {
      const own = clusters.subarray(index * height * width, (index + 1) * height * width);
      return [name, overlayClusters(image, { height, width, clusters: own })] as const;
    }),
  ];
  const tiles = pictures.map(async ([name, picture], i) => {
    const left = x + i * (tile + tileGap);
    const top = y + headingHeight;
    return [
      textAt(left, top - 5, shortened(name, tile, 10), { size: 10, color: named.faint }),
      pngAt(left, top, tile, tileHeight, await pngOf(picture)),
      rectangleAt(left, top, tile, tileHeight, 'fill="none" stroke="#999999" stroke-width="0.5"'),
    ].join("");
  });
  return [
    ...(await Promise.all(tiles)),
    captionAt(x, y + headingHeight + tileHeight + 14, sheet, index, cardWidth),
  ].join("");
}

function captionAt(
  x: number,
  y: number,
  { answers, names }: ClusterSheet,
  index: number,
  width: number,
): string {
  const answer = answers?.[index];
  if (answer === undefined) return textAt(x, y, shortened(names?.[index] ?? "", width, 11), { size: 11 });
  const { predicted, label, confidence } = answer;
  const sure = confidence === null ? "" : ` ${Math.round(100 * confidence)} %`;
  if (label === null)
    return textAt(x, y, shortened(`${predicted}${sure}`, width, 11), { size: 11, bold: true });
  const isRight = predicted === label;
  const text = isRight ? `✓ ${predicted}${sure}` : `✗ ${predicted}${sure}, is ${label}`;
  return textAt(x, y, shortened(text, width, 11), {
    size: 11,
    bold: true,
    color: isRight ? named.right : named.wrong,
  });
}

/** Title, how many answers are right, and the colors of the clusters. */
function headerOf(sheet: ClusterSheet, width: number): { readonly svg: string; readonly height: number } {
  const { title, answers, layers } = sheet;
  const parts = [
    textAt(margin, margin + 14, shortened(title, width - 2 * margin, 17), { size: 17, bold: true }),
  ];
  let y = margin + 14;
  const known = (answers ?? []).filter((answer) => answer.label !== null);
  if (known.length > 0) {
    const right = known.filter((answer) => answer.predicted === answer.label).length;
    y += 20;
    parts.push(
      textAt(
        margin,
        y,
        `${right} of these ${known.length} are right (✓), ${known.length - right} wrong (✗)`,
        {
          size: 12,
          color: named.faint,
        },
      ),
    );
  }
  const clusters =
    1 + layers.reduce((most, layer) => layer.clusters.reduce((a, b) => Math.max(a, b), most), -1);
  if (clusters > 0) {
    y += 12;
    const legend = legendAt(y, clusters, width);
    parts.push(legend.svg);
    y += legend.height;
  }
  return { svg: parts.join(""), height: y + 14 };
}

function legendAt(
  y: number,
  clusters: number,
  width: number,
): { readonly svg: string; readonly height: number } {
  const first = margin + 68;
  const pitch = swatch + 20;
  const perRow = Math.max(1, Math.floor((width - margin - first) / pitch));
  const swatches = Array.from({ length: clusters }, (_, cluster) => {
    const left = first + (cluster % perRow) * pitch;
    const top = y + Math.floor(cluster / perRow) * (swatch + 6);
    return [
      rectangleAt(
        left,
        top,
        swatch,
        swatch,
        `fill="${hexColor(categoryColor(cluster))}" stroke="#444444" stroke-width="0.5"`,
      ),
      textAt(left + swatch + 3, top + swatch - 3, String(cluster), { size: 9, color: named.faint }),
    ].join("");
  });
  const label = textAt(margin, y + swatch - 3, "clusters", { size: 12, color: named.faint });
  return { svg: label + swatches.join(""), height: Math.ceil(clusters / perRow) * (swatch + 6) };
}

function pngOf({ data, width, height }: RgbImage): Promise<Buffer> {
  return sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

function requireSizes({ answers, names, layers, shape }: ClusterSheet, count: number): void {
  const refuse = (what: string, found: number, expected: number): never => {
    throw new DataError(
      `the sheet of clusters has ${what} of another size than its images`,
      [`found ${found}, ${expected} are expected for ${count} images`],
      "give one of each for every image",
    );
  };
  if (!Number.isInteger(count)) refuse("images", count * imageSize(shape), imageSize(shape));
  if (answers !== null && answers.length !== count) refuse("answers", answers.length, count);
  if (names !== null && names.length !== count) refuse("names", names.length, count);
  for (const { name, height, width, clusters } of layers) {
    if (clusters.length !== count * height * width)
      refuse(`the clusters of ${name}`, clusters.length, count * height * width);
    if (clusters.some((cluster) => cluster < 0)) {
      throw new DataError(`the clusters of ${name} have negative numbers`, [], "number clusters from 0");
    }
  }
}
