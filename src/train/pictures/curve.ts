/**
 * The curves of a run: loss and accuracy over steps, in training and on held-out images.
 *
 *     loss      \__          accuracy    __/‾‾
 *               step                     step
 */
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { type Metrics } from "../metrics.ts";
import { named } from "./palette.ts";
import { fontFamily, renderPng } from "./render.ts";

export interface Curve {
  readonly svg: string;
  readonly png: Buffer;
}

const kinds = { training: "training", "held-out": "held-out images" } as const;

/** Draws the metrics of a run; a loss that is not finite is left out, and said. */
export async function drawCurve(metrics: readonly Metrics[], title: string): Promise<Curve> {
  const view = new View(parse(compile(specification(metrics, title)).spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  return { svg, png: renderPng(svg, 2) };
}

interface Point {
  readonly step: number;
  readonly kind: string;
  readonly loss: number;
  readonly percent: number;
}

function specification(metrics: readonly Metrics[], title: string): TopLevelSpec {
  const points: Point[] = metrics
    .filter((line) => Number.isFinite(line.loss) && Number.isFinite(line.accuracy))
    .map(({ step, kind, loss, accuracy }) => ({ step, kind: kinds[kind], loss, percent: 100 * accuracy }));
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    background: "white",
    padding: 20,
    title: { text: title, subtitle: subtitle(metrics, points), anchor: "start", offset: 16 },
    config: {
      font: fontFamily,
      view: { stroke: "#cccccc" },
      title: { fontSize: 16, subtitleFontSize: 12, subtitleColor: named.faint, subtitlePadding: 6 },
      axis: { labelFontSize: 11, titleFontSize: 12, titleFontWeight: "normal", gridColor: "#eeeeee" },
      legend: { labelFontSize: 12, symbolStrokeWidth: 3, symbolSize: 180 },
    },
    data: { values: points },
    hconcat: [panel("loss", "loss", { zero: true }), panel("percent", "accuracy in %", { domain: [0, 100] })],
    spacing: 40,
  };
}

type LayerPart = Extract<Panel, { layer: unknown }>["layer"][number];
type Panel = Extract<TopLevelSpec, { hconcat: unknown }>["hconcat"][number];

/** Both kinds as lines; those of held-out images have points, since there are few. */
function panel(field: keyof Point, title: string, scale: object): Panel {
  const layer = (kind: string, mark: object): LayerPart => ({
    transform: [{ filter: { field: "kind", equal: kind } }],
    mark: { type: "line", ...mark },
  });
  return {
    width: 400,
    height: 260,
    encoding: {
      x: {
        field: "step",
        type: "quantitative",
        title: "step",
        axis: { tickCount: 6, format: "~s", labelFlush: false },
      },
      y: { field, type: "quantitative", title, scale, axis: { tickCount: 6 } },
      color: {
        field: "kind",
        type: "nominal",
        title: null,
        scale: { domain: Object.values(kinds), range: [named.training, named.heldOut] },
        legend: { orient: "bottom", direction: "horizontal", symbolType: "stroke" },
      },
    },
    layer: [
      layer(kinds.training, { strokeWidth: 1.5 }),
      layer(kinds["held-out"], { strokeWidth: 2.5, point: { size: 45, filled: true } }),
    ],
  };
}

/** The best held-out accuracy, and what was left out. */
function subtitle(metrics: readonly Metrics[], points: readonly Point[]): string {
  const heldOut = points.filter((point) => point.kind === kinds["held-out"]);
  const best = heldOut.reduce<Point | null>(
    (former, point) => (former === null || point.percent > former.percent ? point : former),
    null,
  );
  const leftOut = metrics.length - points.length;
  return [
    best === null
      ? "no held-out accuracy yet"
      : `best held-out accuracy ${best.percent.toFixed(1)} %, at step ${best.step}`,
    ...(leftOut === 0
      ? []
      : [
          `${leftOut} ${leftOut === 1 ? "measurement without a finite loss is" : "measurements without a finite loss are"} left out`,
        ]),
  ].join("; ");
}
