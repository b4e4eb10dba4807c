import fc from "fast-check";
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { format } from "../../src/lang/format.ts";
import { parse } from "../../src/lang/parser.ts";
import { commentedProgram, program } from "./programs.ts";

/** `RUNS=40000 npx vitest run test/lang/format.test.ts --testTimeout 900000` for a long search. */
const numRuns = Number(process.env["RUNS"] ?? 200);

/** A program's tree without its places: what formatting must not change. */
function tree(text: string): unknown {
  const { module, diagnostics } = parse({ name: "test.fec", text });
  expect(diagnostics).toEqual([]);
  return JSON.parse(
    JSON.stringify(module.decls, (key, value) => (/^(span|opSpan|head)$/.test(key) ? undefined : value)),
  );
}

function formatted(text: string): string {
  return format({ name: "test.fec", text }).text;
}

/** Comments in any order; one that moves may lose a `#`. */
function commentsOf(text: string): string[] {
  const { comments } = parse({ name: "test.fec", text }).module;
  return comments.map((comment) => comment.text.trimEnd().replace(/^#+/, "#")).sort();
}

describe("layout", () => {
  it("declarations, fields and statements, with the author's empty lines and comments", () => {
    const text = [
      "# header",
      "use   nn.{a,b}",
      "const classes=10   # ten",
      "## A layer.",
      "struct   Layer[i,o] { weight:f32[o,i]~trunc_normal(0.02)  # w",
      "  ## The bias.",
      '  bias : f32[o] @name("b") ~ zeros',
      "",
      "",
      "  # last",
      "}",
      "fn f(x: f32[n], # the input",
      "     y: f32[n]) -> f32 {",
      "  # first",
      "",
      "",
      "  let a = sum[k] (x[k]*y[k]) # dot",
      "  let b=(a+(1*2))*3",
      "",
      "  if a<b then a else b",
      "  # end",
      "} # after",
      "fn h(x: f32[d]) -> f32 = sqrt(sum[k] x[k]^2)",
      "  # rule",
      "  vjp (x, ct) -> for k -> ct * x[k] / max(h(x), 1e-12)",
      "",
    ].join("\n");
    expect(formatted(text)).toMatchInlineSnapshot(`
      "# header
      use nn.{a, b}
      const classes = 10  # ten

      ## A layer.
      struct Layer[i, o] {
        weight: f32[o, i] ~ trunc_normal(0.02)  # w
        ## The bias.
        @name("b") bias: f32[o] ~ zeros

        # last
      }

      # the input
      fn f(x: f32[n], y: f32[n]) -> f32 {
        # first

        let a = sum[k] x[k] * y[k]  # dot
        let b = (a + 1 * 2) * 3

        if a < b then a else b
        # end
      }  # after

      fn h(x: f32[d]) -> f32 = sqrt(sum[k] x[k] ^ 2)
        # rule
        vjp (x, ct) -> for k -> ct * x[k] / max(h(x), 1e-12)
      "
    `);
  });

  it("what does not fit is broken inside brackets and after operators", () => {
    const long = "a_rather_long_name_for_a_tensor";
    const text = [
      `fn f(${long}: f32[n, d], another_${long}: f32[n, d], c: f32) -> f32[n, d] =`,
      `  for i, j -> ${long}[i, j] * another_${long}[i, j] + c * ${long}[i, j] - another_${long}[i, j]`,
      "fn g(x: f32) {",
      `  let y = f(${long}, another_${long}, fn (x) -> another_${long} + x)`,
      `  if ${long} < another_${long} then ${long} else if x < 0 then another_${long} else 0`,
      "}",
    ].join("\n");
    expect(formatted(text)).toMatchInlineSnapshot(`
      "fn f(
        a_rather_long_name_for_a_tensor: f32[n, d],
        another_a_rather_long_name_for_a_tensor: f32[n, d],
        c: f32
      ) -> f32[n, d] =
        for i, j ->
          a_rather_long_name_for_a_tensor[i, j] * another_a_rather_long_name_for_a_tensor[i, j] +
          c * a_rather_long_name_for_a_tensor[i, j] -
          another_a_rather_long_name_for_a_tensor[i, j]

      fn g(x: f32) {
        let y = f(
          a_rather_long_name_for_a_tensor,
          another_a_rather_long_name_for_a_tensor,
          fn (x) -> another_a_rather_long_name_for_a_tensor + x
        )
        if a_rather_long_name_for_a_tensor < another_a_rather_long_name_for_a_tensor then
          a_rather_long_name_for_a_tensor
        else if x < 0 then another_a_rather_long_name_for_a_tensor
        else 0
      }
      "
    `);
  });

  it("a block keeps its brace on the line of what it is the body of", () => {
    const text =
      "fn f(x: f32[n]) {\nlet y = for i -> { let a = x[i]\n a * a }\ntree_map(fn (w) -> { let v = w\n v }, y)\n}";
    expect(formatted(text)).toMatchInlineSnapshot(`
      "fn f(x: f32[n]) {
        let y = for i -> {
          let a = x[i]
          a * a
        }
        tree_map(fn (w) -> {
          let v = w
          v
        }, y)
      }
      "
    `);
  });

  it.each([
    ["((a)) + (b * c)", "a + b * c"],
    ["(a + b) * c - (d - e)", "(a + b) * c - (d - e)"],
    ["(-x)^2 + 2^(-1)", "(-x) ^ 2 + 2 ^ -1"],
    ["(a^b)^c", "(a ^ b) ^ c"],
    ["(sum[i] x[i]) / (sum[i] y[i])", "(sum[i] x[i]) / sum[i] y[i]"],
    ["(a * sum[i] x[i]) + b", "(a * sum[i] x[i]) + b"],
    ["(fn (x) -> x)(1)", "(fn (x) -> x)(1)"],
    ["not (a == b) and (not c)", "not a == b and not c"],
    ["x[ i,j|0.0 ]", "x[i, j | 0.0]"],
    ["sum[k:0..n,l]S{...p,b:y}", "sum[k: 0 .. n, l] S { ...p, b: y }"],
    ["(3).weight", "(3).weight"],
  ])("%s", (expression, layout) =>
    expect(formatted(`const e = ${expression}`)).toBe(`const e = ${layout}\n`),
  );

  it("a file with syntax errors is left as it is", () => {
    const { text, diagnostics } = format({ name: "test.fec", text: "fn  f( = 1" });
    expect([text, diagnostics.length]).toEqual(["fn  f( = 1", 1]);
  });
});

describe("examples", () => {
  const folder = new URL("../../examples/", import.meta.url);
  it.each(readdirSync(folder).filter((name) => name.endsWith(".fec")))(
    "%s keeps its tree and comments",
    (name) => {
      const text = readFileSync(new URL(name, folder), "utf8");
      const once = formatted(text);
      expect(tree(once)).toEqual(tree(text));
      expect(commentsOf(once)).toEqual(commentsOf(text));
      expect(formatted(once)).toBe(once);
    },
  );
});

describe("properties", () => {
  it("keeps the tree, and has nothing more to do the second time", () => {
    fc.assert(
      fc.property(program, (text) => {
        const once = formatted(text);
        expect(tree(once)).toEqual(tree(text));
        expect(formatted(once)).toBe(once);
      }),
      { numRuns },
    );
  });

  it("keeps every comment once", () => {
    fc.assert(
      fc.property(commentedProgram, (text) => {
        fc.pre(parse({ name: "test.fec", text }).diagnostics.length === 0);
        const once = formatted(text);
        expect(commentsOf(once)).toEqual(commentsOf(text));
        expect(tree(once)).toEqual(tree(text));
        expect(formatted(once)).toBe(once);
      }),
      { numRuns },
    );
  });
});
