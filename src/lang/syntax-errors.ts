/**
 * Syntax errors in words. The grammar says what it expects at a place by a key of `expectations` (passed to Chevrotain
 * as the error message); this file makes the diagnostic from the key and from what was found there.
 *
 *     this.CONSUME(T.Arrow, wanting("arrow"))      found `=`, expected `->`
 */
import type { EarlyExitException, IRecognitionException, IToken, TokenType } from "chevrotain";
import type { DiagnosticCode } from "./catalogue.ts";
import type { Diagnostic, Label } from "./diagnostic.ts";
import { endOf, shortened } from "./lexer.ts";
import type { SourceFile, Span } from "./source.ts";
import * as T from "./tokens.ts";

interface Expectation {
  readonly code: DiagnosticCode;
  /** What stands after "expected". */
  readonly words: string;
  /** Whether a name would do, so that a reserved word found here deserves a remark of its own. */
  readonly name?: boolean;
  readonly help?: string;
}

/** What the grammar can miss. */
export const expectations = {
  expression: { code: "E0107", words: "an expression" },
  value: { code: "E0108", words: "`=` and a value" },
  arrow: { code: "E0109", words: "`->`" },
  "then branch": { code: "E0110", words: "`then`", help: "`if` is written `if c then a else b`" },
  "else branch": {
    code: "E0110",
    words: "`else`",
    help: "`if` is an expression and needs a value either way: `if c then a else b`",
  },
  name: { code: "E0112", words: "a name", name: true },
  pattern: { code: "E0112", words: "a name, or names in parentheses", name: true },
  binders: {
    code: "E0117",
    words: "`[` and the index variables",
    help: "reductions name their indices: `sum[k] x[k]`",
  },
  binder: {
    code: "E0117",
    words: "an index variable",
    name: true,
    help: "an index is written `i`, `i: n` or `i: lo .. hi`",
  },
  "parameter type": {
    code: "E0120",
    words: "`:` and a type",
    help: "parameters of functions have types: `x: f32[n]`",
  },
  "field type": { code: "E0120", words: "`:` and a type", help: "fields have types: `weight: f32[o, i]`" },
  type: { code: "E0122", words: "a type", name: true },
  dimension: { code: "E0122", words: "a dimension", name: true },
  parameters: { code: "E0123", words: "`(` and the parameters" },
  body: { code: "E0123", words: "`=` and the body, or a block `{ … }`" },
  field: { code: "E0127", words: "a field", name: true },
  "field value": {
    code: "E0127",
    words: "`:` and the field's value",
    help: "a struct's value is written `S { a: x, b: y }`",
  },
  annotation: {
    code: "E0127",
    words: '`name("…")`',
    help: 'the name in checkpoints is given by `@name("network.0")`',
  },
  fields: { code: "E0127", words: "`{` and the fields" },
  names: {
    code: "E0123",
    words: "`.{` and the names",
    help: "a use lists its names: `use nn.{Linear, linear}`",
  },
  path: { code: "E0123", words: "a module or a path", help: "as in `use nn.{…}` or `use ./blocks.{…}`" },
} as const satisfies Record<string, Expectation>;

export type ExpectationKey = keyof typeof expectations;

/** The option that makes a Chevrotain method fail with this expectation. */
export function wanting(key: ExpectationKey): { readonly ERR_MSG: ExpectationKey } {
  return { ERR_MSG: key };
}

/** What Chevrotain puts in an exception's message: a key of `expectations`, or the name of the expected token kind. */
export const messageProvider = {
  buildMismatchTokenMessage: (o: { expected: TokenType }): string => o.expected.name,
  buildNoViableAltMessage: (o: { customUserDescription?: string }): string =>
    o.customUserDescription ?? "expression",
  buildEarlyExitMessage: (o: { customUserDescription?: string }): string =>
    o.customUserDescription ?? "expression",
  buildNotAllInputParsedMessage: (): string => "",
};

/** The place of a token; that of the end of the file is the point after its last character. */
export function spanOf(file: SourceFile, token: IToken): Span {
  if (token.tokenType === T.EOF) return { file, start: file.text.length, end: file.text.length };
  return { file, start: token.startOffset, end: endOf(token) };
}

/** An error of this level with its usual parts. */
export function mistake(
  code: DiagnosticCode,
  message: string,
  primary: Label,
  help: string | null = null,
  secondary: readonly Label[] = [],
): Diagnostic {
  return { code, severity: "error", message, primary, secondary, notes: [], help };
}

/** How a found token is called in a message. */
export function inWords(token: IToken): string {
  if (token.tokenType === T.EOF) return "the end of the file";
  if (token.tokenType === T.NumberLiteral) return `the number \`${shortened(token.image)}\``;
  if (token.tokenType === T.TextLiteral) return `the text ${shortened(token.image)}`;
  return `\`${shortened(token.image)}\``;
}

/** The diagnostic for an exception of Chevrotain's; `opening` is the innermost bracket that is open at the place. */
export function explain(file: SourceFile, error: IRecognitionException, opening: IToken | null): Diagnostic {
  const found = error.token;
  const previous = (error as EarlyExitException).previousToken as IToken | undefined;
  const span = spanOf(file, found);
  const closing = closers.get(error.message);
  if (closing !== undefined) return missingCloser(file, closing, found, previous, opening);

  if (found.tokenType === T.EqualEqual && error.message === "value") {
    const primary = { span, text: "compares, and does not name a value" };
    return mistake(
      "E0115",
      "found `==`, expected `=` and a value",
      primary,
      "a name is given with a single `=`",
    );
  }
  if (found.tokenType === T.Equals && (error.message === "then branch" || error.message === "else branch")) {
    return confusedEquals(span, `expected ${expectations[error.message].words}`);
  }
  const expectation: Expectation = Object.hasOwn(expectations, error.message)
    ? expectations[error.message as ExpectationKey]
    : { code: "E0123", words: labelOf(error.message) };
  if (
    expectation.name === true &&
    T.keywords.has(found.image) &&
    !beginsLine(file, found, previous, error.message)
  ) {
    const primary = { span, text: `expected ${expectation.words}` };
    return mistake(
      "E0111",
      `\`${found.image}\` is a reserved word`,
      primary,
      `choose another name, such as \`${found.image}_\``,
    );
  }
  // What is missing at the end of a line is missing there, not where the next one begins.
  const atEnd =
    previous !== undefined && found.tokenType !== T.Unknown && beginsLine(file, found, previous, "");
  const place = atEnd ? { file, start: endOf(previous), end: endOf(previous) } : span;
  const primary = { span: place, text: `expected ${expectation.words}` };
  const inBrackets = error.message === "expression" && opening?.tokenType === T.LBracket;
  const help = helpFor(found, inBrackets ? "]" : error.message) ?? expectation.help ?? null;
  return mistake(expectation.code, `found ${inWords(found)}, expected ${expectation.words}`, primary, help);
}

/** A reserved word first on its line has its own meaning; only a field's name is expected there. */
function beginsLine(file: SourceFile, found: IToken, previous: IToken | undefined, key: string): boolean {
  if (previous === undefined || previous.tokenType === T.EOF || key === "field") return false;
  return file.text.slice(endOf(previous), spanOf(file, found).start).includes("\n");
}

/** `=` where only `==` makes sense, or where a `let` was forgotten. */
export function confusedEquals(span: Span, text: string): Diagnostic {
  const help = "write `==` to compare; a value is named by `let y = …` on a line of its own";
  return mistake("E0115", "found `=` in an expression", { span, text }, help);
}

const closers = new Map<string, string>([
  [T.RParen.name, ")"],
  [T.RBracket.name, "]"],
  [T.RBrace.name, "}"],
]);

function labelOf(tokenName: string): string {
  const type = T.tokenTypes.find((candidate) => candidate.name === tokenName);
  return type?.LABEL ?? `\`${tokenName}\``;
}

function missingCloser(
  file: SourceFile,
  closing: string,
  found: IToken,
  previous: IToken | undefined,
  opening: IToken | null,
): Diagnostic {
  const span = spanOf(file, found);
  if (found.tokenType === T.Comma && previous !== undefined && /^[([{,]$/.test(previous.image)) {
    return mistake("E0107", "found `,`, expected an expression", {
      span,
      text: "nothing stands before this comma",
    });
  }
  if (found.tokenType === T.Bar && closing === "]") {
    const help = "one value stands for everything outside the tensor: `x[i, j | 0.0]`";
    return mistake(
      "E0119",
      "found a second `|`, expected `]`",
      { span, text: "a read has one padding" },
      help,
    );
  }
  if (found.tokenType === T.Equals) return confusedEquals(span, `expected \`${closing}\``);
  const words = closing === "}" ? "`}`" : `\`,\` or \`${closing}\``;
  const secondary = opening === null ? [] : [{ span: spanOf(file, opening), text: "opened here" }];
  const primary = { span, text: `expected ${words}` };
  return mistake(
    "E0105",
    `found ${inWords(found)}, expected ${words}`,
    primary,
    helpFor(found, closing),
    secondary,
  );
}

const afterOperand = /^(an operator .*|[)\]]|then branch|else branch|arrow)$/;

/** Advice by what was found; `expected` is a key of `expectations`, a closing bracket, or what was expected in words. */
export function helpFor(found: IToken, expected: string): string | null {
  switch (found.tokenType) {
    case T.Semicolon:
      return "statements end with their line, without `;`";
    case T.At:
      return afterOperand.test(expected)
        ? "a product of matrices is written `for i, k -> sum[j] x[i, j] * w[j, k]`"
        : null;
    case T.If:
      return afterOperand.test(expected)
        ? "a condition comes first, with a value for either case: `if c then x[i] else 0.0`"
        : null;
    case T.In:
      return expected === "arrow"
        ? "the range of an index follows `:`, as in `for i: n -> x[i]`; lists are walked by `fold`"
        : null;
    case T.Colon:
      return expected === "]"
        ? "there are no slices: a part is written by its indices, as in `for i -> x[i + 1]`"
        : null;
    default:
      return null;
  }
}

/** Which declaration a word at the beginning of a line was meant to begin; null when nothing is near. */
export function meantDeclaration(word: string): string | null {
  const known = foreignWords.get(word);
  if (known !== undefined) return known;
  return ["use", "const", "struct", "fn"].find((keyword) => isNear(word, keyword)) ?? null;
}

const foreignWords = new Map(
  Object.entries({
    fn: ["def", "func", "function", "fun", "defn", "proc"],
    use: ["import", "from", "include", "require", "open"],
    struct: ["type", "class", "record", "data"],
    const: ["let", "var", "val", "static"],
  }).flatMap(([keyword, words]) => words.map((word) => [word, keyword] as const)),
);

/** Whether one insertion, deletion, replacement or exchange of neighbours makes `a` into `b`. */
function isNear(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1 || Math.min(a.length, b.length) < 2) return false;
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  const [restA, restB] = [a.slice(start), b.slice(start)];
  const exchanged = restA.length >= 2 && restA[0] === restB[1] && restA[1] === restB[0];
  return (
    restA.slice(1) === restB.slice(1) ||
    restA.slice(1) === restB ||
    restA === restB.slice(1) ||
    (exchanged && restA.slice(2) === restB.slice(2))
  );
}
