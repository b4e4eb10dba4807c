/**
 * Tables for terminals: columns as wide as what they hold, numbers to the right.
 *
 *     kernel    grid        read
 *     cluster   32        12.5 KiB
 */

export interface Column {
  readonly title: string;
  readonly align: "left" | "right";
  /** Longer texts are cut. */
  readonly most?: number;
}

/** The lines of a table. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const cut = (text: string, most = Infinity): string =>
    text.length > most ? `${text.slice(0, most - 1)}…` : text;
  const cells = rows.map((row) => columns.map(({ most }, i) => cut(row[i] ?? "", most)));
  const all = [columns.map(({ title }) => title), ...cells];
  const widths = columns.map((_, i) => Math.max(...all.map((row) => row[i]?.length ?? 0)));
  return all
    .map((row) =>
      row
        .map((text, i) =>
          columns[i]?.align === "right" ? text.padStart(widths[i]!) : text.padEnd(widths[i]!),
        )
        .join("  ")
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join("");
}

/** A count for people: `1.36 G`. */
export function showCount(count: number): string {
  const units = ["", " k", " M", " G", " T"] as const;
  const step = count < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(count) / 3));
  return `${Number((count / 1000 ** step).toPrecision(4))}${units[step]}`;
}
