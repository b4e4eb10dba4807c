/**
 * Text into tokens and comments. Nothing is lost to a mistake: what can't be a token is reported and becomes an
 * `Unknown` token, so that the parser knows that something stood there and says no second word about it.
 *
 *     for i -> x[i]  # copy      For Identifier Arrow Identifier LBracket Identifier RBracket, one comment
 */
import { Lexer, type IToken, type TokenType } from "chevrotain";
import type { Diagnostic } from "./diagnostic.ts";
import type { DiagnosticCode } from "./catalogue.ts";
import type { SourceFile } from "./source.ts";
import type { Comment } from "./syntax.ts";
import * as T from "./tokens.ts";

/** Tokens and comments of a file in order, and what was wrong with its characters. */
export interface TokenStream {
  readonly tokens: IToken[];
  readonly comments: Comment[];
  readonly diagnostics: Diagnostic[];
}

const lexer = new Lexer(T.tokenTypes, { positionTracking: "onlyOffset", skipValidations: false });

/** Signs of other languages: how they are written here and as which token the parser takes them. */
const foreign: Record<string, { readonly write: string; readonly type: TokenType }> = {
  "&&": { write: "and", type: T.And },
  "||": { write: "or", type: T.Or },
  "!": { write: "not", type: T.Not },
  "**": { write: "^", type: T.Caret },
  "=>": { write: "->", type: T.Arrow },
  ":=": { write: "=", type: T.Equals },
  "→": { write: "->", type: T.Arrow },
  "≤": { write: "<=", type: T.LessEqual },
  "≥": { write: ">=", type: T.GreaterEqual },
  "≠": { write: "!=", type: T.NotEqual },
  "×": { write: "*", type: T.Star },
  "·": { write: "*", type: T.Star },
  "−": { write: "-", type: T.Minus },
};

/** The offset just after a token. */
export function endOf(token: IToken): number {
  return token.startOffset + token.image.length;
}

/** Splits a text into tokens; never throws. A byte order mark at the beginning is ignored. */
export function tokenize(file: SourceFile): TokenStream {
  const marked = file.text.startsWith("\uFEFF");
  const result = lexer.tokenize(marked ? ` ${file.text.slice(1)}` : file.text);
  const diagnostics: Diagnostic[] = [];
  const report = (
    code: DiagnosticCode,
    token: IToken,
    message: string,
    text: string,
    help: string | null = null,
  ) =>
    diagnostics.push({
      code,
      severity: "error",
      message,
      primary: { span: { file, start: token.startOffset, end: endOf(token) }, text },
      secondary: [],
      notes: [],
      help,
    });

  const unknown = result.errors.map((error): IToken => {
    const image = file.text.slice(error.offset, error.offset + error.length);
    return { tokenType: T.Unknown, tokenTypeIdx: T.Unknown.tokenTypeIdx!, startOffset: error.offset, image };
  });
  const tokens = withoutTrailingCommas(inOrder(result.tokens, unknown)).map((token) => {
    switch (token.tokenType) {
      case T.Unknown:
        reportUnknown(token, report);
        return token;
      case T.MalformedNumber:
        report(
          "E0103",
          token,
          `malformed number \`${shortened(token.image)}\``,
          "not a number",
          numberHelp(token.image),
        );
        return retyped(token, T.NumberLiteral);
      case T.NumberLiteral:
        if (isTooLarge(token.image))
          report("E0103", token, "number out of range", "an integer must be less than 2^53");
        return token;
      case T.UnclosedText:
        report(
          "E0104",
          token,
          "text without a closing quote",
          "begins here",
          'end it with `"` on the same line',
        );
        return token;
      case T.ForeignOperator: {
        const { write, type } = foreign[token.image]!;
        report(
          "E0101",
          token,
          `unknown operator \`${token.image}\``,
          "not an operator here",
          `write \`${write}\``,
        );
        return retyped(token, type);
      }
      default:
        return token;
    }
  });
  const comments = (result.groups["comments"] ?? []).map((token): Comment => ({
    text: token.image,
    doc: token.image.startsWith("##"),
    span: { file, start: token.startOffset, end: endOf(token) },
  }));
  return { tokens, comments, diagnostics };
}

function retyped(token: IToken, type: TokenType): IToken {
  return { ...token, tokenType: type, tokenTypeIdx: type.tokenTypeIdx! };
}

function inOrder(tokens: IToken[], unknown: IToken[]): IToken[] {
  if (unknown.length === 0) return tokens;
  return [...tokens, ...unknown].sort((a, b) => a.startOffset - b.startOffset);
}

/** A comma before a closing bracket says nothing; dropping it here spares every list of the grammar the case. */
function withoutTrailingCommas(tokens: IToken[]): IToken[] {
  const opening = new Set([T.LParen, T.LBracket, T.LBrace, T.Comma]);
  const closing = new Set([T.RParen, T.RBracket, T.RBrace]);
  return tokens.filter((token, i) => {
    if (token.tokenType !== T.Comma) return true;
    const before = tokens[i - 1];
    const after = tokens[i + 1];
    return (
      before === undefined ||
      after === undefined ||
      opening.has(before.tokenType) ||
      !closing.has(after.tokenType)
    );
  });
}

type Report = (
  code: DiagnosticCode,
  token: IToken,
  message: string,
  text: string,
  help?: string | null,
) => void;

function reportUnknown(token: IToken, report: Report): void {
  const first = String.fromCodePoint(token.image.codePointAt(0)!);
  const shown = [...token.image].length > 1 ? "unexpected characters" : "unexpected character";
  const control = /\p{Cc}/u.exec(token.image);
  if (control !== null) {
    report(
      "E0102",
      token,
      "control character in the text",
      codePoint(control[0]),
      "is this a text file, in UTF-8?",
    );
  } else if (/[\p{L}\p{N}]/u.test(first)) {
    report(
      "E0101",
      token,
      `${shown} \`${shortened(token.image)}\``,
      "not a letter of names",
      "names are made of A-Z, a-z, 0-9 and _",
    );
  } else if (/[\p{P}\p{S}]/u.test(first)) {
    report("E0101", token, `${shown} \`${shortened(token.image)}\``, "means nothing here");
  } else {
    report("E0101", token, `${shown} ${codePoint(first)}`, "not part of the language");
  }
}

function numberHelp(image: string): string {
  if (image.length > 30) return "numbers are written `3`, `3.0`, `1e-5`";
  if (/^\.\d+$/.test(image)) return `write \`0${image}\``;
  if (/^\d+\.$/.test(image)) return `write \`${image}0\``;
  if (/^[\d_]+$/.test(image)) return `write \`${image.replaceAll("_", "")}\``;
  if (/^0[xob]/i.test(image) && Number.isSafeInteger(Number(image)))
    return `numbers are decimal: write \`${Number(image)}\``;
  const product = /^(\d+(?:\.\d+)?)([A-Za-z_]\w*)$/.exec(image);
  if (product !== null)
    return `a name doesn't begin with a digit; for a product write \`${product[1]} * ${product[2]}\``;
  return "numbers are written `3`, `3.0`, `1e-5`";
}

function isTooLarge(image: string): boolean {
  const value = Number(image);
  return !Number.isFinite(value) || (/^\d+$/.test(image) && !Number.isSafeInteger(value));
}

function codePoint(character: string): string {
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** A piece of the program for a message: at most 30 characters of it. */
export function shortened(image: string): string {
  return image.length <= 30 ? image : `${image.slice(0, 29)}…`;
}
