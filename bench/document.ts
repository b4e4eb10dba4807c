/**
 * Puts tables into docs/performance.md, each between two markers:
 *
 *     <!-- table: workloads -->
 *     | workload | system | …
 *     <!-- end -->
 */
export type TableName = "machine" | "ceilings" | "workloads" | "models";

/** The page with some of its tables replaced. A page without the marker is a mistake. */
export function withTables(page: string, tables: Readonly<Partial<Record<TableName, string>>>): string {
  return Object.entries(tables).reduce((text, [name, table]) => {
    const start = `<!-- table: ${name} -->\n`;
    const at = text.indexOf(start);
    const end = text.indexOf("<!-- end -->", at);
    if (at < 0 || end < 0) throw new Error(`the page has no table ${name}`);
    return `${text.slice(0, at + start.length)}\n${table}\n${text.slice(end)}`;
  }, page);
}
