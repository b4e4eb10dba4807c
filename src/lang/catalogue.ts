/**
 * Every diagnostic that the compiler can make, in one table: its code, its title, and what `fecit explain CODE` says.
 *
 *     E01xx  text and syntax       lexer.ts, parser.ts
 */

import { semanticCatalogue } from "./catalogue-semantics.ts";

/** What is known of a code apart from the program that bears it. */
export interface CatalogueEntry {
  /** One line, without a full stop. */
  readonly title: string;
  /** A paragraph for someone who meets the code for the first time. */
  readonly explanation: string;
}

export const catalogue = {
  ...semanticCatalogue,
  // Text and syntax
  E0101: {
    title: "unexpected character",
    explanation:
      "A program is made of ASCII names, numbers and operators; any other character may stand only in a comment. " +
      "Operators of other languages have their own spelling here: `and`, `or`, `not`, `^` for powers, `->`.",
  },
  E0102: {
    title: "control character in the text",
    explanation:
      "The file holds a NUL byte or another control character. It is most likely not a text file, or not in UTF-8.",
  },
  E0103: {
    title: "malformed number",
    explanation:
      "A number is `3`, `3.0`, `1e-5` or `2.5e3`: digits on both sides of the point, no separators, no suffix. " +
      "An integer must be less than 2^53.",
  },
  E0104: {
    title: "text without a closing quote",
    explanation: 'A text, as in `@name("network.0")`, ends with `"` on the line where it begins.',
  },
  E0105: {
    title: "missing closing bracket",
    explanation: "Something was opened with `(`, `[` or `{` and not closed where it had to be.",
  },
  E0106: {
    title: "closing bracket without an opening one",
    explanation: "A `)`, `]` or `}` stands where nothing is open that it could close.",
  },
  E0107: {
    title: "missing expression",
    explanation:
      "An expression is needed here: a name, a number, a call, `for …`, `sum[k] …`, `if …`, `( … )`, `{ … }`.",
  },
  E0108: {
    title: "missing value",
    explanation: "`let`, `const` and `fold` give a name to a value, which follows after `=`.",
  },
  E0109: {
    title: "missing `->`",
    explanation:
      "`for i -> e`, `fn (x) -> e`, `fold s = e0 for t: n -> e` and a rule `vjp (x, ct) -> e` have `->` before the body.",
  },
  E0110: {
    title: "incomplete `if`",
    explanation: "`if` is an expression and has a value either way: `if c then a else b`.",
  },
  E0111: {
    title: "reserved word used as a name",
    explanation:
      "These words belong to the language: use const struct fn let for in if then else fold sum prod max min mean " +
      "argmax argmin count any all and or not true false.",
  },
  E0112: {
    title: "missing name",
    explanation: "A name is needed here: a letter or `_`, then letters, digits and `_`.",
  },
  E0113: {
    title: "block without a result",
    explanation: "A block `{ let …  e }` ends with the expression whose value it has.",
  },
  E0114: {
    title: "statement after the result",
    explanation:
      "A block is a number of `let` lines and then one expression, its result. A line that begins with `(`, `[`, `{` or " +
      "`-` does not continue the line before it; put the operator at the end of that line instead.",
  },
  E0115: {
    title: "`=` and `==` confused",
    explanation: "`=` gives a name to a value; `==` compares two values.",
  },
  E0116: {
    title: "comparison of a comparison",
    explanation: "`a < b < c` is not the mathematical chain. Write `a < b and b < c`.",
  },
  E0117: {
    title: "malformed index variable",
    explanation:
      "`for`, `sum[…]` and the other reductions introduce index variables: `i`, `i: n`, or `i: lo .. hi` with `hi` excluded.",
  },
  E0118: {
    title: "missing range after `:`",
    explanation:
      "After `i:` comes how far the index runs: `i: n`, or `i: lo .. hi`. Without `:` the range is inferred.",
  },
  E0119: {
    title: "more than one padding",
    explanation:
      "A padded read `x[i, j | 0.0]` has one value for everything outside the tensor, after its last index.",
  },
  E0120: {
    title: "missing type",
    explanation:
      "Parameters of functions and fields of structs have a type: `x: f32[n]`. Inside a function types are inferred.",
  },
  E0121: {
    title: "expected a declaration",
    explanation: "A file is a list of declarations, each beginning with `use`, `const`, `struct` or `fn`.",
  },
  E0122: {
    title: "malformed type",
    explanation:
      "Types are `f32`, `f32[n, d]`, `idx[n]`, `idx[o][n]`, `(A, B)`, `Name[d]`, `[T; n]`, `key`, and `fn(A) -> B` for a " +
      "parameter that takes a function.",
  },
  E0123: {
    title: "unexpected word or sign",
    explanation: "What stands here can't follow what stands before it.",
  },
  E0124: {
    title: "nested too deeply",
    explanation:
      "Expressions, types and brackets may be nested 256 deep. Give names to the parts with `let` or `fn`.",
  },
  E0125: {
    title: "file too large",
    explanation:
      "A source file may have up to 1 MB. Data belongs in checkpoints and arguments, not in programs.",
  },
  E0126: {
    title: "too many errors",
    explanation:
      "After 50 errors in one file the rest is not shown; most of it would be consequences of the first ones.",
  },
  E0127: {
    title: "malformed field",
    explanation:
      'A field of a struct is `name: type`, or `@name("checkpoint name") name: type ~ distribution`; fields are ' +
      "separated by newlines or commas. A struct's value is `S { a: x, b: y }`, or `S { ...p, b: y }`.",
  },
} as const satisfies Record<string, CatalogueEntry>;

/** The code of a diagnostic, such as `E0105`. */
export type DiagnosticCode = keyof typeof catalogue;
