import { afterAll, describe, expect, it, test } from "vitest";
import { catalogue } from "../../src/lang/catalogue.ts";
import { maxErrors, maxFileLength, parse } from "../../src/lang/parser.ts";
import { renderDiagnostics } from "../../src/lang/render.ts";

const shown = new Set<string>();

/** What the parser says of a program, as people see it. */
function errors(text: string): string {
  const { diagnostics } = parse({ name: "model.fec", text });
  for (const { code } of diagnostics) shown.add(code);
  return renderDiagnostics(diagnostics);
}

afterAll(() => {
  const codes = Object.keys(catalogue).filter((code) => code.startsWith("E01"));
  expect([...shown].sort()).toEqual(codes);
});

test.each([
  ["fn f(x: f32[n]) -> f32[n] = x[1:]", "for i -> x[i + 1]"],
  ["fn f(x: f32[n]) -> f32[n] = x[:2]", "there are no slices"],
  ["fn f(x: f32[n]) -> f32[n] = for i in n -> x[i]", "for i: n -> x[i]"],
  ["fn f(x: f32[n]) -> f32 = sum[i] x[i] if x[i] > 0.0", "if c then x[i] else 0.0"],
  ["fn f(x: f32[n, n]) -> f32[n, n] = x @ x", "for i, k -> sum[j] x[i, j] * w[j, k]"],
  ["fn f(p: P) -> P = { ...p, w: 1.0 }", "S { ...p, b: y }"],
])("habits of other languages: %s", (program, help) => {
  expect(errors(program)).toContain(help);
});

describe("characters", () => {
  it("E0101: operators of other languages are read as what they mean here", () => {
    expect(errors("fn f(a: bool, b: bool) -> bool = a && !b")).toMatchInlineSnapshot(`
      "error[E0101]: unknown operator \`&&\`
       ┌─ model.fec:1:36
      1 │ fn f(a: bool, b: bool) -> bool = a && !b
        │                                    ── not an operator here
        = help: write \`and\`

      error[E0101]: unknown operator \`!\`
       ┌─ model.fec:1:39
      1 │ fn f(a: bool, b: bool) -> bool = a && !b
        │                                       ─ not an operator here
        = help: write \`not\`"
    `);
  });

  it("E0101: letters that are not ASCII", () => {
    expect(errors("fn f(α: f32) = 2.0")).toMatchInlineSnapshot(`
      "error[E0101]: unexpected character \`α\`
       ┌─ model.fec:1:6
      1 │ fn f(α: f32) = 2.0
        │      ─ not a letter of names
        = help: names are made of A-Z, a-z, 0-9 and _"
    `);
  });

  it("E0101: half a character", () => {
    expect(errors("const a = 1 \ud800")).toMatchInlineSnapshot(`
      "error[E0101]: unexpected character U+D800
       ┌─ model.fec:1:13
      1 │ const a = 1 �
        │             ─ not part of the language"
    `);
  });

  it("E0102: NUL", () => {
    expect(errors("const a = 1\0")).toMatchInlineSnapshot(`
      "error[E0102]: control character in the text
       ┌─ model.fec:1:12
      1 │ const a = 1␀
        │            ─ U+0000
        = help: is this a text file, in UTF-8?"
    `);
  });

  it("E0103: numbers", () => {
    expect(errors("const a = [.5, 5., 1_000, 0x10, 2n, 9007199254740993]")).toMatchInlineSnapshot(`
      "error[E0103]: malformed number \`.5\`
       ┌─ model.fec:1:12
      1 │ const a = [.5, 5., 1_000, 0x10, 2n, 9007199254740993]
        │            ── not a number
        = help: write \`0.5\`

      error[E0103]: malformed number \`5.\`
       ┌─ model.fec:1:16
      1 │ const a = [.5, 5., 1_000, 0x10, 2n, 9007199254740993]
        │                ── not a number
        = help: write \`5.0\`

      error[E0103]: malformed number \`1_000\`
       ┌─ model.fec:1:20
      1 │ const a = [.5, 5., 1_000, 0x10, 2n, 9007199254740993]
        │                    ───── not a number
        = help: write \`1000\`

      error[E0103]: malformed number \`0x10\`
       ┌─ model.fec:1:27
      1 │ const a = [.5, 5., 1_000, 0x10, 2n, 9007199254740993]
        │                           ──── not a number
        = help: numbers are decimal: write \`16\`

      error[E0103]: malformed number \`2n\`
       ┌─ model.fec:1:33
      1 │ const a = [.5, 5., 1_000, 0x10, 2n, 9007199254740993]
        │                                 ── not a number
        = help: a name doesn't begin with a digit; for a product write \`2 * n\`

      error[E0103]: number out of range
       ┌─ model.fec:1:37
      1 │ const a = [.5, 5., 1_000, 0x10, 2n, 9007199254740993]
        │                                     ──────────────── an integer must be less than 2^53"
    `);
  });

  it("E0104: a text without its end", () => {
    expect(errors('struct S {\n  @name("fc) a: f32\n}')).toMatchInlineSnapshot(`
      "error[E0104]: text without a closing quote
       ┌─ model.fec:2:9
      2 │   @name("fc) a: f32
        │         ─────────── begins here
        = help: end it with \`"\` on the same line"
    `);
  });
});

describe("brackets", () => {
  it("E0105: points at the opening bracket", () => {
    expect(errors("fn f(x: f32[n] -> f32 = x[0]")).toMatchInlineSnapshot(`
      "error[E0105]: found \`->\`, expected \`,\` or \`)\`
       ┌─ model.fec:1:16
      1 │ fn f(x: f32[n] -> f32 = x[0]
        │     ─          ── expected \`,\` or \`)\`
        │     │
        │     opened here"
    `);
  });

  it("E0105: on another line", () => {
    expect(errors("fn f(x: f32) -> f32 {\n  let a = x\n\n\n\n  a\n\nfn g(x: f32) = x"))
      .toMatchInlineSnapshot(`
      "error[E0105]: found \`fn\`, expected \`}\`
       ┌─ model.fec:8:1
      1 │ fn f(x: f32) -> f32 {
        │                     ─ opened here
        ···
      8 │ fn g(x: f32) = x
        │ ── expected \`}\`"
    `);
  });

  it("E0106: closing nothing", () => {
    expect(errors("fn f(x: f32) -> f32 {\n  x)\n}\n}")).toMatchInlineSnapshot(`
      "error[E0106]: found \`)\`, which closes nothing
       ┌─ model.fec:2:4
      2 │   x)
        │    ─ no bracket is open that this could close

      error[E0106]: found \`}\`, which closes nothing
       ┌─ model.fec:4:1
      4 │ }
        │ ─ no bracket is open that this could close"
    `);
  });
});

describe("expressions", () => {
  it("E0107: nothing where an expression belongs", () => {
    expect(errors("fn f(x: f32) = (x + ) * g(x, , x)")).toMatchInlineSnapshot(`
      "error[E0107]: found \`)\`, expected an expression
       ┌─ model.fec:1:21
      1 │ fn f(x: f32) = (x + ) * g(x, , x)
        │                     ─ expected an expression"
    `);
  });

  it("E0108: a let without a value", () => {
    expect(errors("fn f(x: f32) {\n  let a\n  x\n}")).toMatchInlineSnapshot(`
      "error[E0108]: found \`x\`, expected \`=\` and a value
       ┌─ model.fec:2:8
      2 │   let a
        │        ─ expected \`=\` and a value"
    `);
  });

  it("E0109: no arrow", () => {
    expect(errors("fn f(x: f32[n]) = for i x[i]")).toMatchInlineSnapshot(`
      "error[E0109]: found \`x\`, expected \`->\`
       ┌─ model.fec:1:25
      1 │ fn f(x: f32[n]) = for i x[i]
        │                         ─ expected \`->\`"
    `);
  });

  it("E0110: no else", () => {
    expect(errors("fn f(x: f32) = if x < 0.0 then 0.0")).toMatchInlineSnapshot(`
      "error[E0110]: found the end of the file, expected \`else\`
       ┌─ model.fec:1:35
      1 │ fn f(x: f32) = if x < 0.0 then 0.0
        │                                   ─ expected \`else\`
        = help: \`if\` is an expression and needs a value either way: \`if c then a else b\`"
    `);
  });

  it("E0115: = and ==", () => {
    expect(errors("fn f(x: i32) = if x = 3 then 1 else 0\nfn g(x: i32) {\n  let a == 3\n  a\n}"))
      .toMatchInlineSnapshot(`
      "error[E0115]: found \`=\` in an expression
       ┌─ model.fec:1:21
      1 │ fn f(x: i32) = if x = 3 then 1 else 0
        │                     ─ expected \`then\`
        = help: write \`==\` to compare; a value is named by \`let y = …\` on a line of its own

      error[E0115]: found \`==\`, expected \`=\` and a value
       ┌─ model.fec:3:9
      3 │   let a == 3
        │         ── compares, and does not name a value
        = help: a name is given with a single \`=\`"
    `);
  });

  it("E0116: a chain of comparisons", () => {
    expect(errors("fn f(x: f32) = 0.0 < x <= 1.0")).toMatchInlineSnapshot(`
      "error[E0116]: comparisons can't be chained
       ┌─ model.fec:1:24
      1 │ fn f(x: f32) = 0.0 < x <= 1.0
        │                    ─   ── and this one compares its result
        │                    │
        │                    this comparison gives a bool
        = help: join two comparisons by \`and\`: \`… < x and x <= …\`"
    `);
  });

  it("E0117: not an index variable", () => {
    expect(errors("fn f(x: f32[n]) = sum[0] x\nfn g(x: f32[n]) = sum x")).toMatchInlineSnapshot(`
      "error[E0117]: found the number \`0\`, expected an index variable
       ┌─ model.fec:1:23
      1 │ fn f(x: f32[n]) = sum[0] x
        │                       ─ expected an index variable
        = help: an index is written \`i\`, \`i: n\` or \`i: lo .. hi\`

      error[E0117]: found \`x\`, expected \`[\` and the index variables
       ┌─ model.fec:2:23
      2 │ fn g(x: f32[n]) = sum x
        │                       ─ expected \`[\` and the index variables
        = help: reductions name their indices: \`sum[k] x[k]\`"
    `);
  });

  it("E0118: no range", () => {
    expect(errors("fn f(x: f32[n]) = for i: -> x[i]")).toMatchInlineSnapshot(`
      "error[E0118]: missing range after \`:\`
       ┌─ model.fec:1:24
      1 │ fn f(x: f32[n]) = for i: -> x[i]
        │                        ─ expected a range after this
        = help: write \`i: n\` or \`i: lo .. hi\`, or leave out \`:\`"
    `);
  });

  it("E0119: two paddings", () => {
    expect(errors("fn f(x: f32[n]) = x[1 | 0.0 | 1.0]")).toMatchInlineSnapshot(`
      "error[E0119]: found a second \`|\`, expected \`]\`
       ┌─ model.fec:1:29
      1 │ fn f(x: f32[n]) = x[1 | 0.0 | 1.0]
        │                             ─ a read has one padding
        = help: one value stands for everything outside the tensor: \`x[i, j | 0.0]\`"
    `);
  });

  it("E0124: too deep", () => {
    expect(errors(`const a = ${"(".repeat(257)}`).replaceAll(/[(]{9,}/g, "((…")).toMatchInlineSnapshot(`
      "error[E0124]: nested too deeply
       ┌─ model.fec:1:267
      1 │ …((…
        │                                                                                                                                                                 ─ more than 256 levels deep here
        = help: give names to the parts with \`let\` or \`fn\`"
    `);
  });
});

describe("blocks", () => {
  it("E0113: no result", () => {
    expect(errors("fn f(x: f32) {\n  let a = x\n}")).toMatchInlineSnapshot(`
      "error[E0113]: block without a result
       ┌─ model.fec:3:1
      3 │ }
        │ ─ expected the block's result before this
        = help: end the block with an expression"
    `);
  });

  it("E0114: a line that does not continue the one before", () => {
    expect(errors("fn f(x: f32) {\n  x\n  - 1.0\n}")).toMatchInlineSnapshot(`
      "error[E0114]: statement after the result
       ┌─ model.fec:3:3
      2 │   x
        │   ─ the block's result
      3 │   - 1.0
        │   ───── nothing may follow the result
        = help: a line that begins so doesn't continue the line before; put the operator at the end of that line"
    `);
  });

  it("E0123: two statements on a line", () => {
    expect(errors("fn f(x: f32) {\n  let a = x;\n  let b = a a\n  b\n}")).toMatchInlineSnapshot(`
      "error[E0123]: found \`;\`, expected an operator or a new line
       ┌─ model.fec:2:12
      2 │   let a = x;
        │            ─ expected an operator or a new line
        = help: a statement ends with its line, without \`;\`

      error[E0123]: found \`a\`, expected an operator or a new line
       ┌─ model.fec:3:13
      3 │   let b = a a
        │             ─ expected an operator or a new line"
    `);
  });
});

describe("declarations", () => {
  it("E0111: reserved words", () => {
    expect(errors("fn sum(x: f32) = x\nstruct S {\n  max: f32\n}")).toMatchInlineSnapshot(`
      "error[E0111]: \`sum\` is a reserved word
       ┌─ model.fec:1:4
      1 │ fn sum(x: f32) = x
        │    ─── expected a name
        = help: choose another name, such as \`sum_\`

      error[E0111]: \`max\` is a reserved word
       ┌─ model.fec:3:3
      3 │   max: f32
        │   ─── expected a field
        = help: choose another name, such as \`max_\`"
    `);
  });

  it("E0112: no name", () => {
    expect(errors("const = 3")).toMatchInlineSnapshot(`
      "error[E0112]: found \`=\`, expected a name
       ┌─ model.fec:1:7
      1 │ const = 3
        │       ─ expected a name"
    `);
  });

  it("E0120: no type", () => {
    expect(errors("fn f(x) = x\nstruct S {\n  a f32\n}")).toMatchInlineSnapshot(`
      "error[E0120]: found \`)\`, expected \`:\` and a type
       ┌─ model.fec:1:7
      1 │ fn f(x) = x
        │       ─ expected \`:\` and a type
        = help: parameters of functions have types: \`x: f32[n]\`

      error[E0120]: found \`f32\`, expected \`:\` and a type
       ┌─ model.fec:3:5
      3 │   a f32
        │     ─── expected \`:\` and a type
        = help: fields have types: \`weight: f32[o, i]\`"
    `);
  });

  it("E0121: words of other languages, and misspelt ones", () => {
    expect(errors("def f(x: f32) = x\nstuct S { a: f32 }\nlet a = 3")).toMatchInlineSnapshot(`
      "error[E0121]: found \`def\`, expected a declaration
       ┌─ model.fec:1:1
      1 │ def f(x: f32) = x
        │ ─── expected \`use\`, \`const\`, \`struct\` or \`fn\`
        = help: did you mean \`fn\`?

      error[E0121]: found \`stuct\`, expected a declaration
       ┌─ model.fec:2:1
      2 │ stuct S { a: f32 }
        │ ───── expected \`use\`, \`const\`, \`struct\` or \`fn\`
        = help: did you mean \`struct\`?

      error[E0121]: found \`let\`, expected a declaration
       ┌─ model.fec:3:1
      3 │ let a = 3
        │ ─── expected \`use\`, \`const\`, \`struct\` or \`fn\`
        = help: did you mean \`const\`?"
    `);
  });

  it("E0122: types", () => {
    expect(errors("fn f(x: idx, y: f32) = x\nfn g(x: 3) = x\nfn h(x: f32[-n]) = x")).toMatchInlineSnapshot(`
      "error[E0122]: \`idx\` needs its bound
       ┌─ model.fec:1:9
      1 │ fn f(x: idx, y: f32) = x
        │         ─── expected one dimension in brackets
        = help: \`idx[n]\` is an integer from 0 to n - 1

      error[E0122]: found the number \`3\`, expected a type
       ┌─ model.fec:2:9
      2 │ fn g(x: 3) = x
        │         ─ expected a type

      error[E0122]: found \`-\`, expected a dimension
       ┌─ model.fec:3:13
      3 │ fn h(x: f32[-n]) = x
        │             ─ expected a dimension
        = help: dimensions are natural numbers"
    `);
  });

  it("E0123: a use without braces", () => {
    expect(errors("use nn.linear")).toMatchInlineSnapshot(`
      "error[E0123]: found \`linear\`, expected \`.{\` and the names
       ┌─ model.fec:1:8
      1 │ use nn.linear
        │        ────── expected \`.{\` and the names
        = help: a use lists its names: \`use nn.{Linear, linear}\`"
    `);
  });

  it("E0127: fields", () => {
    expect(errors('struct S {\n  @nam("a") a: f32\n}\nfn f(s: S) = S { a: 1, ...s }')).toMatchInlineSnapshot(`
      "error[E0127]: unknown annotation \`@nam\`
       ┌─ model.fec:2:4
      2 │   @nam("a") a: f32
        │    ─── expected \`name\`
        = help: there is one: \`@name("network.0")\`

      error[E0127]: the struct to update comes first
       ┌─ model.fec:4:24
      4 │ fn f(s: S) = S { a: 1, ...s }
        │                        ─── expected a field
        = help: write \`S { ...p, b: y }\`"
    `);
  });
});

describe("too much", () => {
  it("E0125: a file that is too large", () => {
    expect(errors("x".repeat(maxFileLength + 1)).replace(/x{9,}/, "x…")).toMatchInlineSnapshot(`
      "error[E0125]: file too large
       ┌─ model.fec:1:1
      1 │ x……
        │ ─ 1000001 characters; 1000000 are allowed"
    `);
  });

  it("E0126: the list is closed after the first errors", () => {
    const { diagnostics } = parse({ name: "model.fec", text: "const = 1\n".repeat(maxErrors + 1) });
    expect(diagnostics).toHaveLength(maxErrors + 1);
    shown.add(diagnostics.at(-1)!.code);
    expect(renderDiagnostics(diagnostics.slice(-1))).toMatchInlineSnapshot(`
      "error[E0126]: too many errors
        ┌─ model.fec:50:7
      50 │ const = 1
         │       ─ the first 50 are shown"
    `);
  });
});

describe("recovery", () => {
  it("reports every broken statement, field and declaration, and keeps the rest", () => {
    const text = [
      "struct S {",
      "  a f32",
      "  b: f32",
      "}",
      "fn f(x: f32[n]) -> f32 {",
      "  let a = x[",
      "  let b = (x + ",
      "  let c = 3",
      "  c +",
      "}",
      "fn g(x: f32) = x",
      "fn h(x: ) = x",
      "const k = 2",
    ].join("\n");
    const { module, diagnostics } = parse({ name: "model.fec", text });
    expect(
      diagnostics.map((d) => `${text.slice(0, d.primary.span.start).split("\n").length} ${d.code}`),
    ).toEqual(["2 E0120", "6 E0107", "7 E0107", "9 E0107", "12 E0122"]);
    expect(module.decls.map((decl) => (decl.kind === "use" ? "" : decl.name.text))).toEqual([
      "S",
      "f",
      "g",
      "k",
    ]);
  });

  it("keeps the signature of a function whose body is broken", () => {
    const { module } = parse({ name: "model.fec", text: "fn f(x: f32) -> f32 = x +" });
    expect(module.decls[0]).toMatchObject({
      kind: "function",
      params: [{ name: { text: "x" } }],
      body: { kind: "error" },
    });
  });
});

describe("hostile input gives diagnostics", () => {
  const deep = 20_000;
  const nests: Record<string, string> = {
    parentheses: "(",
    brackets: "[",
    braces: "{",
    calls: "f(",
    minus: "-",
    not: "not ",
    if: "if ",
    else: "if x then x else ",
    for: "for i -> ",
    lambda: "fn () -> ",
    power: "x ^ ",
    sum: "x + ",
    reduction: "sum[k] ",
    binder: "sum[k: ",
    struct: "S { a: ",
    let: "{\nlet a = ",
  };
  for (const [title, text] of Object.entries(nests)) {
    it(`${deep} times ${title}`, () => {
      const { module, diagnostics } = parse({
        name: "x",
        text: `fn f() = ${text.repeat(deep)}x\nfn g() = 1`,
      });
      expect(diagnostics.map((d) => d.code)).toContain("E0124");
      expect(module.decls.at(-1)).toMatchObject({ name: { text: "g" } });
    });
  }

  it("postfixes and types", () => {
    for (const text of ["x[0]", "x.a", "x()"].map((x) => `const a = x${x.slice(1).repeat(deep)}`))
      expect(parse({ name: "x", text }).diagnostics.map((d) => d.code)).toEqual(["E0124"]);
    for (const type of ["(", "[", "fn(", "fn() -> ", "A["])
      expect(
        parse({ name: "x", text: `fn f(x: ${type.repeat(deep)}` }).diagnostics.map((d) => d.code),
      ).toEqual(["E0124"]);
  });

  it("garbage", () => {
    let state = 1;
    const random = (below: number) => (state = (state * 48271) % 0x7fffffff) % below;
    const garbage = (from: number, below: number) =>
      Array.from({ length: 100_000 }, () => String.fromCharCode(from + random(below))).join("");
    for (const text of [
      garbage(0, 65536),
      garbage(32, 95),
      garbage(0, 128),
      "\0".repeat(100_000),
      "\ud800".repeat(1000),
    ]) {
      const { diagnostics } = parse({ name: "x", text });
      expect(diagnostics.length).toBeGreaterThan(0);
      expect(renderDiagnostics(diagnostics).length).toBeLessThan(100_000);
    }
  });
});
