/** Pictures hold what they should, and their text is drawn. */
import sharp from "sharp";
import { expect, test } from "vitest";
import { type Metrics } from "../../../src/train/metrics.ts";
import { type ClusterSheet, clustersSvg, drawClusters } from "../../../src/train/pictures/clusters.ts";
import { drawCurve } from "../../../src/train/pictures/curve.ts";
import { renderPng } from "../../../src/train/pictures/render.ts";
import { svgOf, textAt } from "../../../src/train/pictures/svg.ts";

/** How many pixels are not white. */
async function inkOf(png: Buffer): Promise<number> {
  const pixels = await sharp(png).removeAlpha().greyscale().raw().toBuffer();
  return pixels.reduce((count, value) => count + Number(value < 200), 0);
}

const drawn = (text: string, bold = false): Promise<number> =>
  inkOf(renderPng(svgOf(200, 40, [textAt(10, 25, text, { size: 16, bold })]), 1));

test("text is drawn without any font of the system", async () => {
  expect(await drawn("")).toBe(0);
  expect(await drawn("loss")).toBeGreaterThan(50);
  expect(await drawn("loss", true)).toBeGreaterThan(1.2 * (await drawn("loss")));
  for (const sign of ["✓", "✗", "é", "µ", "Ж", "…", "×", "%"]) expect(await drawn(sign)).toBeGreaterThan(0);
});

test("a letter that the font lacks is a box, not nothing", async () => {
  expect(await drawn("日本")).toBeGreaterThan(30);
});

const sheet: ClusterSheet = {
  title: "images & clusters",
  images: new Uint8Array(3 * 4 * 4).fill(90),
  shape: { channels: 1, height: 4, width: 4 },
  answers: [
    { predicted: "cat", label: "cat", confidence: 0.914 },
    { predicted: "cat", label: "dog <big>", confidence: null },
    { predicted: "cow", label: null, confidence: null },
  ],
  names: null,
  layers: [
    { name: "stage 1", height: 2, width: 2, clusters: Int32Array.from({ length: 12 }, (_, i) => i % 4) },
    { name: "stage 2", height: 1, width: 1, clusters: Int32Array.of(0, 0, 0) },
  ],
};

test("a sheet has a title, the answers, the levels and the colors of the clusters", async () => {
  const svg = await clustersSvg(sheet);
  const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map((match) => match[1]);
  expect(texts).toEqual(
    [
      ["images &amp; clusters", "1 of these 2 are right (✓), 1 wrong (✗)"],
      ["clusters", "0", "1", "2", "3"],
      ["image", "stage 1", "stage 2", "✓ cat 91 %"],
      ["image", "stage 1", "stage 2", "✗ cat, is dog &lt;big&gt;"],
      ["image", "stage 1", "stage 2", "cow"],
    ].flat(),
  );
  expect(svg.match(/<image /g)).toHaveLength(9);
});

test("a sheet is a PNG, twice as wide as its SVG, with its images in it", async () => {
  const [, width] = /width="(\d+)"/.exec(await clustersSvg(sheet))!;
  const png = await drawClusters(sheet);
  const metadata = await sharp(png).metadata();
  expect(metadata.format).toBe("png");
  expect(metadata.width).toBe(2 * Number(width));
  expect(await inkOf(png)).toBeGreaterThan(9 * 200 * 200);
});

test("a sheet without answers shows the names of the images", async () => {
  const svg = await clustersSvg({ ...sheet, answers: null, names: ["a.jpg", "b.jpg", "c.jpg"], layers: [] });
  expect(svg).toContain("b.jpg");
  expect(svg).not.toContain("clusters</text><rect");
});

test("a sheet whose parts don't fit together is refused", async () => {
  const refused = (part: Partial<ClusterSheet>): Promise<unknown> =>
    clustersSvg({ ...sheet, ...part }).catch((error: unknown) => error);
  expect(await refused({ answers: [] })).toMatchObject({ name: "DataError" });
  expect(await refused({ images: new Uint8Array(17) })).toMatchObject({ name: "DataError" });
  expect(
    await refused({ layers: [{ name: "stage 1", height: 1, width: 1, clusters: Int32Array.of(0) }] }),
  ).toMatchObject({
    message: "the sheet of clusters has the clusters of stage 1 of another size than its images",
  });
  expect(
    await refused({ layers: [{ name: "s", height: 1, width: 1, clusters: Int32Array.of(0, 1, -1) }] }),
  ).toMatchObject({ help: "number clusters from 0" });
});

const metrics: Metrics[] = [10, 20, 30].flatMap((step) => [
  {
    kind: "training",
    step,
    epoch: 0,
    loss: 20 / step,
    accuracy: step / 40,
    seconds: step,
    learningRate: 0.1,
    imagesPerSecond: 100,
  },
  { kind: "held-out", step, epoch: 0, loss: 22 / step, accuracy: step / 42, seconds: step },
]);

test("the curves of a run show both kinds of images, and the best accuracy", async () => {
  const { svg, png } = await drawCurve(metrics, "fec_mini on pets");
  for (const text of [
    "fec_mini on pets",
    "best held-out accuracy 71.4 %, at step 30",
    "training",
    "held-out images",
    "loss",
    "accuracy in %",
  ]) {
    expect(svg).toContain(`>${text}</text>`);
  }
  expect((await sharp(png).metadata()).width).toBeGreaterThan(1600);
  expect(await inkOf(png)).toBeGreaterThan(5000);
});

test("a loss that is not finite is left out, and said", async () => {
  const failed: Metrics = {
    kind: "held-out",
    step: 40,
    epoch: 1,
    loss: Number.NaN,
    accuracy: 0.9,
    seconds: 1,
  };
  const { svg } = await drawCurve([...metrics, failed], "run");
  expect(svg).toContain("at step 30; 1 measurement without a finite loss is left out");
});

test("a run without measurements has empty curves", async () => {
  expect((await drawCurve([], "run")).svg).toContain("no held-out accuracy yet");
});
