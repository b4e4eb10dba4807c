/** The curve of a run, as SVG and PNG in its folder. What draws is loaded when it is needed: it is large. */
import { writeFileSync } from "node:fs";
import { readMetrics } from "../train/metrics.ts";
import type { RunFolder } from "../train/run-folder.ts";

/** Draws what has been measured so far. */
export async function drawRun(run: RunFolder, title: string): Promise<void> {
  const { drawCurve } = await import("../train/pictures/curve.ts");
  const { svg, png } = await drawCurve(readMetrics(run.metrics), title);
  writeFileSync(run.curveSvg, svg);
  writeFileSync(run.curvePng, png);
}
