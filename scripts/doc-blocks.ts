/** The fenced code blocks of a Markdown text, with what stands behind the opening fence. */

export interface CodeBlock {
  /** The first word of the info string: `fec`, `console`. */
  readonly language: string;
  /** The words after it: `fragment`, or a file's name. */
  readonly words: readonly string[];
  /** What stands between the fences; every line ends with a newline. */
  readonly text: string;
  /** Where that begins in the Markdown text. */
  readonly start: number;
  /** The line of the opening fence, from 1. */
  readonly line: number;
}

/** All code blocks in order. */
export function codeBlocks(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(/^```(\S*)([^\n]*)\n((?:(?!```).*\n)*)```$/gm)].map((match) => {
    const [whole, language, rest, text] = match as unknown as readonly [string, string, string, string];
    const start = match.index + whole.indexOf("\n") + 1;
    const words = rest.split(/\s+/).filter((word) => word !== "");
    return { language, words, text, start, line: markdown.slice(0, match.index).split("\n").length };
  });
}

/** The text with some blocks' texts replaced. */
export function withBlocks(markdown: string, replaced: ReadonlyMap<CodeBlock, string>): string {
  let result = markdown;
  for (const [block, text] of [...replaced].sort(([a], [b]) => b.start - a.start)) {
    result = result.slice(0, block.start) + text + result.slice(block.start + block.text.length);
  }
  return result;
}
