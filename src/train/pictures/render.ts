/**
 * SVG to PNG, with the fonts that come with the package: a picture has its text on a machine without fonts, and looks the same on
 * all.
 *
 *     <text font-family="DejaVu Sans">loss</text>  ──resvg──▶  PNG
 */
import { Resvg } from "@resvg/resvg-js";
import { packageFile } from "../data/package-folder.ts";

/** The family that pictures are set in; another one is replaced by it. */
export const fontFamily = "DejaVu Sans";

/** Renders an SVG; `scale` is pixels of the PNG for one unit of the SVG. Throws `DataError` when the fonts are missing. */
export function renderPng(svg: string, scale: number): Buffer {
  const fontFiles = ["DejaVuSans.ttf", "DejaVuSans-Bold.ttf"].map((name) =>
    packageFile(`data/fonts/${name}`),
  );
  const families = {
    defaultFontFamily: fontFamily,
    sansSerifFamily: fontFamily,
    serifFamily: fontFamily,
    monospaceFamily: fontFamily,
  };
  const image = new Resvg(svg, {
    font: { loadSystemFonts: false, fontFiles, ...families },
    fitTo: { mode: "zoom", value: scale },
    background: "white",
  });
  return image.render().asPng();
}
