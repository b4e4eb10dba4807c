/** Random programs for the properties of parser and formatter: every form of the language, needless parentheses, comments. */
import fc from "fast-check";

const name = fc.constantFrom("x", "y", "alpha", "a_long_name_for_a_tensor", "f", "vjp", "max");
const index = fc.constantFrom("i", "j", "k");
const operator = fc.constantFrom("or", "and", "==", "<", "+", "-", "*", "/", "//", "%", "^");
const reducer = fc.constantFrom(
  "sum",
  "prod",
  "max",
  "min",
  "mean",
  "argmax",
  "argmin",
  "count",
  "any",
  "all",
);

function listOf(item: fc.Arbitrary<string>, minLength: number): fc.Arbitrary<string> {
  return fc.array(item, { minLength, maxLength: 4 }).map((items) => items.join(", "));
}

/** Expressions, with parentheses round every part that could be misread: the formatter takes away what it can. */
export const expression: fc.Arbitrary<string> = fc.letrec<{ e: string; binder: string }>((tie) => {
  const e = tie("e").map((text) => (/^\w+$/.test(text) ? text : `(${text})`));
  const binders = listOf(tie("binder"), 1);
  return {
    binder: fc.oneof(
      { depthSize: "small" },
      index,
      fc.tuple(index, e).map(([i, n]) => `${i}: ${n}`),
      fc.tuple(index, e, e).map(([i, lo, hi]) => `${i}: ${lo} .. ${hi}`),
    ),
    e: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      name,
      fc.constantFrom("3", "0.5", "1e-5", "true", "false"),
      fc.tuple(e, operator, e).map((parts) => parts.join(" ")),
      fc
        .tuple(
          e,
          fc.constantFrom("+", "*", "^"),
          tie("e").filter((text) => !/ (==|<|or|and) /.test(text)),
        )
        .map((parts) => parts.join(" ")),
      fc.tuple(fc.constantFrom("-", "not "), e).map(([op, operand]) => op + operand),
      fc.tuple(binders, tie("e")).map(([over, body]) => `for ${over} -> ${body}`),
      fc.tuple(reducer, binders, tie("e")).map(([word, over, body]) => `${word}[${over}] ${body}`),
      fc.tuple(tie("e"), tie("e"), tie("e")).map(([c, yes, no]) => `if ${c} then ${yes} else ${no}`),
      fc
        .tuple(e, e, tie("e"))
        .map(([init, list, body]) => `fold (s, t) = ${init} for p in ${list} -> ${body}`),
      fc.tuple(e, e, tie("e")).map(([init, n, body]) => `fold s = ${init} for t: ${n} -> ${body}`),
      fc
        .tuple(
          listOf(
            name.filter((n) => n !== "max"),
            0,
          ),
          tie("e"),
        )
        .map(([params, body]) => `fn (${params}) -> ${body}`),
      fc
        .tuple(e, listOf(tie("e"), 1))
        .map(([target, indices]) => `${target}[${indices}]`.replace(/^max\[/, "(max)[")),
      fc
        .tuple(e, tie("e"), tie("e"))
        .map(([target, i, pad]) => `${target}[${i} | ${pad}]`.replace(/^max\[/, "(max)[")),
      fc.tuple(e, listOf(tie("e"), 0)).map(([callee, args]) => `${callee}(${args})`),
      e.map((target) => `(${target}).weight`),
      fc.tuple(tie("e"), listOf(tie("e"), 1)).map(([first, rest]) => `(${first}, ${rest})`),
      listOf(tie("e"), 0).map((items) => `[${items}]`),
      fc.tuple(e, e).map(([a, b]) => `S { ...${a}, b: ${b} }`),
      fc
        .tuple(tie("binder"), tie("e"), tie("e"))
        .map(([i, a, b]) => `{\nlet y[${i}] = ${a}\n\nlet (p, q) = ${b}\n${a}\n}`),
      tie("e").map((result) => `{ ${result} }`),
    ),
  };
}).e;

const dimension = fc.constantFrom(
  "n",
  "2 * n",
  "(n + 1) * (m - 1)",
  "n - (m - 1)",
  "(h + 2 * p - kh) // s + 1",
  "3",
);
const type = fc.constantFrom(
  "f32",
  "idx[o][n, m]",
  "(f32[n], Norm[c])",
  "[Block[n]; 2 * l]",
  "fn(f32[n], key) -> (f32, f32)",
  "Moments[Mlp[i, o], T]",
);

const declaration: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom("use nn.{Linear, linear}", "use ../models/blocks.{Block}"),
  expression.map((value) => `const c = ${value}`),
  fc
    .tuple(type, dimension)
    .map(
      ([a, d]) =>
        `struct S[i, T] {\n## A field.\na: ${a}\n\n@name("w") b: f32[${d}] ~ normal(0.1)\nc: ${a} @name("c"), d: f32\n}`,
    ),
  fc
    .tuple(fc.array(type, { maxLength: 6 }), dimension, expression)
    .map(
      ([types, d, body]) =>
        `## A function.\nfn f[s](${types.map((t, i) => `p${i}: ${t}`).join(", ")}) -> f32[${d}] = ${body}`,
    ),
  fc
    .tuple(expression, expression)
    .map(([a, b]) => `fn g(x: f32) {\nlet y = ${a}\n${b}\n}\n  vjp (x, ct) -> ${b}`),
);

/** Whole files. */
export const program = fc.array(declaration, { maxLength: 4 }).map((decls) => decls.join("\n"));

/** A file with comments put in at random places between its words, each with a number of its own. */
export const commentedProgram = fc
  .tuple(program, fc.infiniteStream(fc.nat(40)), fc.infiniteStream(fc.nat(5)))
  .map(([text, places, kinds]) => {
    let number = 0;
    return text.replace(/ |\n/g, (space) => {
      if (places.next().value !== 0) return space;
      const comment = `${["#", "##", "# ##"][kinds.next().value! % 3]} c${number++}`;
      return [`\n${comment}\n`, ` ${comment}\n`, `\n\n${comment}\n\n`][kinds.next().value! % 3]!;
    });
  });
