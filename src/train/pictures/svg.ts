/**
 * Pieces of SVG text.
 *
 *     textAt(10, 20, "T-shirt & top", { size: 12 })   <text x="10" y="20" …>T-shirt &amp; top</text>
 */
import { fontFamily } from "./render.ts";
import { named } from "./palette.ts";

export interface TextStyle {
  readonly size: number;
  readonly color?: string;
  readonly bold?: boolean;
  readonly anchor?: "start" | "middle" | "end";
}

/** A line of text, its baseline at y. */
export function textAt(x: number, y: number, text: string, style: TextStyle): string {
  const { size, color = named.text, bold = false, anchor = "start" } = style;
  const weight = bold ? ' font-weight="bold"' : "";
  return (
    `<text x="${x}" y="${y}" font-family="${fontFamily}" font-size="${size}"${weight} fill="${color}" ` +
    `text-anchor="${anchor}">${escapeXml(text)}</text>`
  );
}

/** Text shortened to about `width` units; letters of the family are about 0.56 of their size wide. */
export function shortened(text: string, width: number, size: number): string {
  const most = Math.max(2, Math.floor(width / (0.56 * size)));
  const letters = [...text];
  return letters.length <= most ? text : `${letters.slice(0, most - 1).join("")}…`;
}

export function rectangleAt(x: number, y: number, width: number, height: number, attributes: string): string {
  return `<rect x="${x}" y="${y}" width="${width}" height="${height}" ${attributes}/>`;
}

/** A PNG, scaled to a rectangle without smoothing: its pixels stay to be seen. */
export function pngAt(x: number, y: number, width: number, height: number, png: Buffer): string {
  return (
    `<image x="${x}" y="${y}" width="${width}" height="${height}" image-rendering="optimizeSpeed" ` +
    `href="data:image/png;base64,${png.toString("base64")}"/>`
  );
}

export function svgOf(width: number, height: number, parts: readonly string[]): string {
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">` +
    `${rectangleAt(0, 0, width, height, 'fill="white"')}${parts.join("\n")}</svg>`
  );
}

function escapeXml(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  // XML has no place for control characters, not even escaped.
  return text.replaceAll(/[&<>"]/g, (sign) => entities[sign]!).replaceAll(/\p{Cc}/gu, "�");
}
