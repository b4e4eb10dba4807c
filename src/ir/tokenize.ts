/**
 * Cuts the printed form of the IR into tokens.
 *
 *     "%x[i] // 2"   is   value x, symbol [, name i, symbol ], symbol //, number 2
 *
 * White space and `#` comments are free, but a value's name follows its `%` at once: `i % x` is a remainder, `i %x` is two
 * operands. Names may have dots inside, but not at the end: in `for i<n. e` the dot is by itself.
 */

/** A text that is not the IR: where, from 1, and what was expected there. */
export class IrSyntaxError extends Error {
  override readonly name = "IrSyntaxError";
  readonly line: number;
  readonly column: number;
  readonly expected: string;

  constructor(line: number, column: number, expected: string, found: string) {
    super(`${line}:${column}: expected ${expected}, found ${found}`);
    this.line = line;
    this.column = column;
    this.expected = expected;
  }
}

/** A `value` is a name after `%`, without it. */
export type TokenKind = "value" | "name" | "number" | "symbol" | "end";

/** A word of the text; line and column from 1. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly line: number;
  readonly column: number;
}

const tokenPattern =
  /(?<blank>\s+|#[^\n]*)|(?<value>%[A-Za-z_][A-Za-z0-9_']*(?:\.[A-Za-z0-9_']+)*)|(?<name>[A-Za-z_][A-Za-z0-9_']*(?:\.[A-Za-z0-9_']+)*)|(?<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?[hu]?)|(?<symbol>->|\.\.|\/\/|[<>=!]=|[-+*/%^<>=(){}[\],.:;])/uy;

/** The tokens of a text, and the end. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let lineStart = 0;
  let offset = 0;
  while (offset < text.length) {
    tokenPattern.lastIndex = offset;
    const match = tokenPattern.exec(text);
    const column = offset - lineStart + 1;
    if (match === null) throw new IrSyntaxError(line, column, "a token", `'${text[offset]}'`);
    const [kind, matched] = Object.entries(match.groups!).find(([, part]) => part !== undefined) as [
      TokenKind | "blank",
      string,
    ];
    if (kind !== "blank")
      tokens.push({ kind, text: kind === "value" ? matched.slice(1) : matched, line, column });
    offset += matched.length;
    const lastBreak = matched.lastIndexOf("\n");
    if (lastBreak < 0) continue;
    line += matched.split("\n").length - 1;
    lineStart = offset - matched.length + lastBreak + 1;
  }
  tokens.push({ kind: "end", text: "", line, column: offset - lineStart + 1 });
  return tokens;
}
