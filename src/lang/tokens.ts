/**
 * The kinds of tokens: reserved words, signs, names and numbers. `label` is how a diagnostic shows the kind.
 */
import { createToken, EOF, Lexer, type TokenType } from "chevrotain";

export const Identifier = createToken({ name: "Identifier", pattern: /[A-Za-z_]\w*/, label: "a name" });

/** All reserved words by their spelling; the formatter and the diagnostics ask this table too. */
export const keywords = new Map<string, TokenType>();

function keyword(word: string): TokenType {
  const name = word[0]!.toUpperCase() + word.slice(1);
  const type = createToken({ name, pattern: word, longer_alt: Identifier, label: `\`${word}\`` });
  keywords.set(word, type);
  return type;
}

export const Use = keyword("use");
export const Const = keyword("const");
export const Struct = keyword("struct");
export const Fn = keyword("fn");
export const Let = keyword("let");
export const For = keyword("for");
export const In = keyword("in");
export const If = keyword("if");
export const Then = keyword("then");
export const Else = keyword("else");
export const Fold = keyword("fold");
export const Sum = keyword("sum");
export const Prod = keyword("prod");
export const Max = keyword("max");
export const Min = keyword("min");
export const Mean = keyword("mean");
export const Argmax = keyword("argmax");
export const Argmin = keyword("argmin");
export const Count = keyword("count");
export const Any = keyword("any");
export const All = keyword("all");
export const And = keyword("and");
export const Or = keyword("or");
export const Not = keyword("not");
export const True = keyword("true");
export const False = keyword("false");

const signs: TokenType[] = [];

function sign(name: string, spelling: string): TokenType {
  const type = createToken({ name, pattern: spelling, label: `\`${spelling}\`` });
  signs.push(type);
  return type;
}

// Longer signs come first: the lexer takes the first that fits.
export const Ellipsis = sign("Ellipsis", "...");
export const DotDot = sign("DotDot", "..");
export const Dot = sign("Dot", ".");
export const Arrow = sign("Arrow", "->");
export const EqualEqual = sign("EqualEqual", "==");
export const NotEqual = sign("NotEqual", "!=");
export const LessEqual = sign("LessEqual", "<=");
export const GreaterEqual = sign("GreaterEqual", ">=");
export const Less = sign("Less", "<");
export const Greater = sign("Greater", ">");
export const Equals = sign("Equals", "=");
export const Plus = sign("Plus", "+");
export const Minus = sign("Minus", "-");
export const Star = sign("Star", "*");
export const SlashSlash = sign("SlashSlash", "//");
export const Slash = sign("Slash", "/");
export const Percent = sign("Percent", "%");
export const Caret = sign("Caret", "^");
export const Tilde = sign("Tilde", "~");
export const At = sign("At", "@");
export const Bar = sign("Bar", "|");
export const Colon = sign("Colon", ":");
export const Semicolon = sign("Semicolon", ";");
export const Comma = sign("Comma", ",");
export const LParen = sign("LParen", "(");
export const RParen = sign("RParen", ")");
export const LBracket = sign("LBracket", "[");
export const RBracket = sign("RBracket", "]");
export const LBrace = sign("LBrace", "{");
export const RBrace = sign("RBrace", "}");

/** `3`, `3.0`, `1e-5`. Not `3.` or `3x`; but the `1` of `1..n` is one. */
export const NumberLiteral = createToken({
  name: "NumberLiteral",
  pattern: /\d+(\.\d+)?([eE][+-]?\d+)?(?!\w)(?!\.(?!\.))/,
  label: "a number",
});

/** What begins like a number and is none: `.5`, `5.`, `0x1F`, `1_000`, `2x`. */
export const MalformedNumber = createToken({
  name: "MalformedNumber",
  pattern: /\d\w*(\.(?!\.)\w*)*|\.\d\w*/,
  label: "a number",
});

export const TextLiteral = createToken({
  name: "TextLiteral",
  pattern: /"[^"\n\r]*"/,
  label: "a text in quotes",
});
export const UnclosedText = createToken({
  name: "UnclosedText",
  pattern: /"[^"\n\r]*/,
  label: "a text in quotes",
});

/** Operators of other languages and of mathematics, which `lexer.ts` reports and reads as what they mean here. */
export const ForeignOperator = createToken({
  name: "ForeignOperator",
  pattern: /&&|\|\||!|\*\*|=>|:=|[→≤≥≠×·−]/,
  label: "an operator",
});

/** A run of characters that no token begins with; `lexer.ts` puts it where Chevrotain skipped something. */
export const Unknown = createToken({ name: "Unknown", pattern: Lexer.NA, label: "an unexpected character" });

export const CommentText = createToken({ name: "CommentText", pattern: /#[^\n\r]*/, group: "comments" });
export const WhiteSpace = createToken({ name: "WhiteSpace", pattern: /[ \t\r\n]+/, group: Lexer.SKIPPED });

/** Tokens with which an expression may begin. */
export const startsExpression = new Set([
  NumberLiteral,
  True,
  False,
  Identifier,
  LParen,
  LBracket,
  LBrace,
  Minus,
  Not,
  For,
  If,
  Fold,
  Fn,
  Sum,
  Prod,
  Max,
  Min,
  Mean,
  Argmax,
  Argmin,
  Count,
  Any,
  All,
]);

/** In the order in which the lexer tries them. */
export const tokenTypes: TokenType[] = [
  WhiteSpace,
  CommentText,
  ...keywords.values(),
  Identifier,
  NumberLiteral,
  MalformedNumber,
  TextLiteral,
  UnclosedText,
  ...foreignFirst(),
  Unknown,
];

/** `**`, `=>` and `:=` must be tried before `*`, `=` and `:`; `!=` before the foreign `!`. */
function foreignFirst(): TokenType[] {
  return [NotEqual, ForeignOperator, ...signs.filter((type) => type !== NotEqual)];
}

export { EOF };
