/**
 * Clusters laid over an image: each pixel is tinted by its cluster, and dark lines part the clusters.
 *
 *     image 32×32, clusters 8×8, 4 times  ──▶  128×128 pixels; each cluster element covers 16×16 of them
 */
import { type ImageShape } from "../data/dataset.ts";
import { categoryColor, type Rgb } from "./palette.ts";

/** Pixels row by row, red, green, blue. */
export interface RgbImage {
  readonly height: number;
  readonly width: number;
  readonly data: Uint8Array;
}

/** Of each element of a grid that covers the image, the number of its cluster, from 0. */
export interface ClusterGrid {
  readonly height: number;
  readonly width: number;
  readonly clusters: Int32Array;
}

/** How much of a pixel is the color of its cluster. */
const tint = 0.55;
const line: Rgb = [20, 20, 20];

/** An image of planes, `[channels, height, width]`, as pixels; grey ones get three equal channels. */
export function rgbImage(planes: ArrayLike<number>, { channels, height, width }: ImageShape): RgbImage {
  const plane = height * width;
  const data = Uint8Array.from(
    { length: plane * 3 },
    (_, i) => planes[Math.min(i % 3, channels - 1) * plane + Math.floor(i / 3)]!,
  );
  return { height, width, data };
}

/** Each pixel becomes `scale` × `scale` pixels. */
export function enlarge({ height, width, data }: RgbImage, scale: number): RgbImage {
  const result = new Uint8Array(height * width * scale * scale * 3);
  for (let y = 0; y < height * scale; y++) {
    for (let x = 0; x < width * scale; x++) {
      const from = (Math.floor(y / scale) * width + Math.floor(x / scale)) * 3;
      result.set(data.subarray(from, from + 3), (y * width * scale + x) * 3);
    }
  }
  return { height: height * scale, width: width * scale, data: result };
}

/** The image, tinted by its clusters. The grid may be coarser or finer than the image. */
export function overlayClusters(image: RgbImage, grid: ClusterGrid): RgbImage {
  const { height, width, data } = image;
  const clusterAt = (y: number, x: number): number =>
    grid.clusters[
      Math.floor((y * grid.height) / height) * grid.width + Math.floor((x * grid.width) / width)
    ]!;
  const thickness = Math.max(1, Math.round(Math.min(height, width) / 90));
  const isBorder = (y: number, x: number): boolean => {
    const own = clusterAt(y, x);
    // The line lies on the upper and left side of a border, so that it has the same thickness everywhere.
    for (let d = 1; d <= thickness; d++) {
      if (y + d < height && clusterAt(y + d, x) !== own) return true;
      if (x + d < width && clusterAt(y, x + d) !== own) return true;
    }
    return false;
  };
  const result = new Uint8Array(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      const border = isBorder(y, x);
      const color = border ? line : categoryColor(clusterAt(y, x));
      const part = border ? 0.85 : tint;
      for (let c = 0; c < 3; c++) result[at + c] = Math.round(part * color[c]! + (1 - part) * data[at + c]!);
    }
  }
  return { height, width, data: result };
}
