/** The fenced code blocks of a Markdown text, with what stands behind the opening fence. */

export interface CodeBlock {
  /** The first word of the info string: `fec`, `console`. */
  readonly language: string;
  /** The words after it: `fragment`, or a file's name. */
  readonly words: readonly string[];
  readonly text: string;
  /** The line of the opening fence, from 1. */
  readonly line: number;
}

/** All code blocks in order. */
export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  const lines = markdown.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const fence = /^```(\S+)?(.*)$/.exec(lines[i]!);
    if (fence === null) continue;
    const end = lines.indexOf("```", i + 1);
    if (end < 0) throw new Error(`line ${i + 1}: a code block without an end`);
    const words = fence[2]!.trim().split(/\s+/).filter((word) => word !== "");
    const text = lines.slice(i + 1, end).map((line) => `${line}\n`).join("");
    blocks.push({ language: fence[1] ?? "", words, text, line: i + 1 });
    i = end;
  }
  return blocks;
}
