/**
 * The comment at the head of a kernel's shader.
 *
 *     // kernel cluster_0
 *     // computes similarity, assignment
 *     // from cluster.fec:12, cluster.fec:14
 */
import type { Kernel } from "./kernel.ts";

const widest = 100;

/** Its name, the nodes that it computes and the lines of the source that say so. */
export function wgslHeader(kernel: Kernel): string {
  const places = new Set(kernel.origins.map(({ file, line }) => `${file}:${line}`));
  return [
    ...commented("kernel", [kernel.name]),
    ...commented("computes", kernel.nodes),
    ...commented("from", [...places]),
  ].join("\n");
}

/** A list behind a word, in as many lines as it needs. */
function commented(word: string, items: readonly string[]): string[] {
  const lines: string[] = [];
  let line = `// ${word} `;
  for (const [place, item] of items.entries()) {
    // A line break in a name would end the comment.
    const text = item.replace(/[\p{Cc}\u2028\u2029]+/gu, " ") + (place < items.length - 1 ? "," : "");
    if (line.length + text.length > widest && line.trim() !== "//") {
      lines.push(line.trimEnd());
      line = "//   ";
    }
    line += `${text} `;
  }
  return items.length === 0 ? [] : [...lines, line.trimEnd()];
}
