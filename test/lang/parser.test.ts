import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "../../src/lang/parser.ts";
import { textOf } from "../../src/lang/source.ts";
import type {
  Binder,
  Decl,
  DimExpr,
  Expr,
  FunctionDecl,
  Pattern,
  StructDecl,
  TypeExpr,
} from "../../src/lang/syntax.ts";

function declarations(text: string): readonly Decl[] {
  const { module, diagnostics } = parse({ name: "test.fec", text });
  expect(diagnostics).toEqual([]);
  return module.decls;
}

/** A tree as an S-expression: one node, one pair of parentheses. */
function shape(expr: Expr): string {
  switch (expr.kind) {
    case "number":
      return String(expr.value);
    case "bool":
      return String(expr.value);
    case "name":
      return expr.name;
    case "block":
      return `{${[...expr.lets.map((l) => `${patternShape(l.pattern)} = ${shape(l.value)}`), shape(expr.result)].join("; ")}}`;
    case "for":
      return `(for ${binderShapes(expr.binders)} ${shape(expr.body)})`;
    case "reduce":
      return `(${expr.reducer} ${binderShapes(expr.binders)} ${shape(expr.body)})`;
    case "if":
      return `(if ${shape(expr.condition)} ${shape(expr.yes)} ${shape(expr.no)})`;
    case "fold-list":
      return `(fold ${patternShape(expr.accumulator)} ${shape(expr.init)} ${expr.item.text} ${shape(expr.list)} ${shape(expr.body)})`;
    case "fold-count":
      return `(fold ${patternShape(expr.accumulator)} ${shape(expr.init)} ${binderShapes([expr.binder])} ${shape(expr.body)})`;
    case "unary":
      return `(${expr.op} ${shape(expr.operand)})`;
    case "binary":
      return `(${expr.op} ${shape(expr.left)} ${shape(expr.right)})`;
    case "index":
      return `${shape(expr.target)}[${expr.indices.map(shape).join(", ")}${expr.padding === null ? "" : ` | ${shape(expr.padding)}`}]`;
    case "field":
      return `${shape(expr.target)}.${expr.field.text}`;
    case "call":
      return `${shape(expr.callee)}(${expr.args.map(shape).join(", ")})`;
    case "tuple":
      return `<${expr.items.map(shape).join(", ")}>`;
    case "list":
      return `[${expr.items.map(shape).join(", ")}]`;
    case "struct":
      return `${expr.name.text}{${[...(expr.spread === null ? [] : [`...${shape(expr.spread)}`]), ...expr.fields.map((f) => `${f.name.text}: ${shape(f.value)}`)].join(", ")}}`;
    case "lambda":
      return `(fn (${expr.params.map((p) => p.text).join(" ")}) ${shape(expr.body)})`;
    case "error":
      return "error";
  }
}

function binderShapes(binders: readonly Binder[]): string {
  const bound = ({ name, from, to }: Binder) =>
    [name.text, ...[from, to].filter((e) => e !== null).map(shape)].join(":");
  return `[${binders.map(bound).join(" ")}]`;
}

function patternShape(pattern: Pattern): string {
  if (pattern.kind === "tuple") return `<${pattern.items.map(patternShape).join(", ")}>`;
  return pattern.kind === "name" ? pattern.name.text : `${pattern.name.text}${binderShapes(pattern.binders)}`;
}

function dimensionShape(dim: DimExpr): string {
  if (dim.kind === "op") return `(${dim.op} ${dimensionShape(dim.left)} ${dimensionShape(dim.right)})`;
  return dim.kind === "name" ? dim.name : String(dim.value);
}

function typeShape(type: TypeExpr): string {
  switch (type.kind) {
    case "named":
      return (
        type.name.text +
        (type.args === null
          ? ""
          : `[${type.args.map((a) => (a.kind === "dim" ? dimensionShape(a.dim) : typeShape(a.type))).join(", ")}]`)
      );
    case "idx":
      return `idx<${dimensionShape(type.bound)}>${type.shape === null ? "" : `[${type.shape.map(dimensionShape).join(", ")}]`}`;
    case "tuple":
      return `<${type.items.map(typeShape).join(", ")}>`;
    case "list":
      return `list<${typeShape(type.item)}; ${dimensionShape(type.length)}>`;
    case "function":
      return `fn<${type.params.map(typeShape).join(", ")} -> ${typeShape(type.result)}>`;
  }
}

function expression(text: string): string {
  const [decl] = declarations(`const e = ${text}`);
  return decl?.kind === "const" ? shape(decl.value) : "";
}

function block(...lines: string[]): string {
  return expression(`{\n${lines.join("\n")}\n}`);
}

function writtenType(text: string): string {
  return typeShape((declarations(`fn f(x: ${text}) = x`)[0] as FunctionDecl).params[0]!.type);
}

describe("operators", () => {
  it.each([
    ["a or b and not c == d + e * -f ^ g", "(or a (and b (not (== c (+ d (* e (- (^ f g))))))))"],
    ["a - b - c", "(- (- a b) c)"],
    ["a * b // c % d / e", "(/ (% (// (* a b) c) d) e)"],
    ["a ^ b ^ c", "(^ a (^ b c))"],
    ["-x ^ 2", "(- (^ x 2))"],
    ["2 ^ -1 * y", "(* (^ 2 (- 1)) y)"],
    ["- - x", "(- (- x))"],
    ["a - -b", "(- a (- b))"],
    ["not a and b", "(and (not a) b)"],
    ["-f(x)[i].w", "(- f(x)[i].w)"],
    ["(a + b) * c", "(* (+ a b) c)"],
  ])("%s", (text, tree) => expect(expression(text)).toBe(tree));
});

describe("expressions", () => {
  it.each([
    ["c + sum[i] x[i] + 1", "(+ c (sum [i] (+ x[i] 1)))"],
    ["(sum[i] x[i]) / n", "(/ (sum [i] x[i]) n)"],
    ["f(for i, j: n -> x[i, j], 2)", "f((for [i j:n] x[i, j]), 2)"],
    ["max[k] max(x[k], y)", "(max [k] max(x[k], y))"],
    ["tree_map(max, a, b)", "tree_map(max, a, b)"],
    ["sum[k: 0 .. n, l] a[k, l]", "(sum [k:0:n l] a[k, l])"],
    ["sum[k: 1..n] x[k]", "(sum [k:1:n] x[k])"],
    ["for i: i*h // oh .. ((i+1)*h) // oh -> 1", "(for [i:(// (* i h) oh):(// (* (+ i 1) h) oh)] 1)"],
    ["if a then b else if c then d else e", "(if a b (if c d e))"],
    ["1 + if a then b else c + d", "(+ 1 (if a b (+ c d)))"],
    ["fold s = x for t: 2 * n -> f(s, t)", "(fold s x [t:(* 2 n)] f(s, t))"],
    ["fold (a, b) = (x, y) for p in ps -> g(p)(a, b)", "(fold <a, b> <x, y> p ps g(p)(a, b))"],
    ["fn (x, y) -> x + y", "(fn (x y) (+ x y))"],
    ["fn () -> 1", "(fn () 1)"],
    ["x[2*i + k - 1 | 0.0]", "x[(- (+ (* 2 i) k) 1) | 0]"],
    ["f[2, 2](x)", "f[2, 2](x)"],
    ["S { a: x, b: y }", "S{a: x, b: y}"],
    ["S { ...p, b: y }", "S{...p, b: y}"],
    ["S {}", "S{}"],
    ["[a, (b, c), []]", "[a, <b, c>, []]"],
    ["vjp(f)(x)(ct)", "vjp(f)(x)(ct)"],
    ["f(x, y,)", "f(x, y)"],
    ["{ x }", "{x}"],
  ])("%s", (text, tree) => expect(expression(text)).toBe(tree));

  it("numbers", () => {
    const [decl] = declarations("const e = [3, 3.0, 1e-5, 2.5e3]");
    const items = decl?.kind === "const" && decl.value.kind === "list" ? decl.value.items : [];
    expect(items.map((item) => item.kind === "number" && [item.value, item.isInteger])).toEqual([
      [3, true],
      [3, false],
      [1e-5, false],
      [2500, false],
    ]);
  });
});

describe("newlines in a block", () => {
  it.each([
    [["let a = x", "(m, a)"], "{a = x; <m, a>}"],
    [["let a = x", "[m, a]"], "{a = x; [m, a]}"],
    [["let a = x", "{ m }"], "{a = x; {m}}"],
    [["let a = x", "-a"], "{a = x; (- a)}"],
    [["let a = max", "[a]"], "{a = max; [a]}"],
    [["let a = x", "+ y", "a"], "{a = (+ x y); a}"],
    [["let a = x -", "y", "a"], "{a = (- x y); a}"],
    [["let a = if c", "then x", "else y", "a"], "{a = (if c x y); a}"],
    [["let a =", "for i", "->", "-i", "a"], "{a = (for [i] (- i)); a}"],
    [["let a = f(", "x", "- y", "[0])", "a"], "{a = f((- x y[0])); a}"],
    [
      ["let y[i, j: n] = x", "let (a, (b, c)) = y", "S", "{ a: 1 }"].slice(0, 3),
      "{y[i j:n] = x; <a, <b, c>> = y; S}",
    ],
    [["let a = S {", "x: y", "- z }", "a"], "{a = S{x: (- y z)}; a}"],
    [["p", ".weight"], "{p.weight}"],
  ])("%j", (lines, tree) => expect(block(...lines)).toBe(tree));

  it("a block on one line needs none", () =>
    expect(expression("{ let a = x let b = y a + b }")).toBe("{a = x; b = y; (+ a b)}"));
});

describe("types", () => {
  it.each([
    ["f32", "f32"],
    ["f32[]", "f32[]"],
    ["f32[n, (h + 2*p - kh) // s + 1]", "f32[n, (+ (// (- (+ h (* 2 p)) kh) s) 1)]"],
    ["idx[n]", "idx<n>"],
    ["idx[o + 1][n, m]", "idx<(+ o 1)>[n, m]"],
    ["(f32[n], idx[o][n])", "<f32[n], idx<o>[n]>"],
    ["Moments[Mlp[i, h], T]", "Moments[Mlp[i, h], T]"],
    ["Pair[(f32, key), (n)]", "Pair[<f32, key>, n]"],
    ["[Block[d]; 2 * l]", "list<Block[d]; (* 2 l)>"],
    ["fn(f32[n], key) -> (f32, f32)", "fn<f32[n], key -> <f32, f32>>"],
  ])("%s", (text, tree) => expect(writtenType(text)).toBe(tree));
});

describe("declarations", () => {
  it("use, from the library and from files", () => {
    const decls = declarations("use nn.{Linear, linear}\nuse ./blocks.{Block}\nuse ../lib/a.{b}");
    expect(decls.map((d) => d.kind === "use" && [d.path.text, ...d.names.map((n) => n.text)])).toEqual([
      ["nn", "Linear", "linear"],
      ["./blocks", "Block"],
      ["../lib/a", "b"],
    ]);
  });

  it("struct: fields by newlines or commas, checkpoint names before or after", () => {
    const [decl] = declarations(
      'struct S[i, T] {\n  a: f32[i] ~ normal(0.02)\n  @name("w") b: T, c: f32 @name("v") ~ zeros\n\n  @name("u")\n  d: key\n}',
    ) as [StructDecl];
    expect(decl.params.map((p) => p.text)).toEqual(["i", "T"]);
    expect(
      decl.fields.map((f) => [
        f.name.text,
        typeShape(f.type),
        f.checkpointName?.text,
        f.init?.name.text,
        f.init?.args.length,
      ]),
    ).toEqual([
      ["a", "f32[i]", undefined, "normal", 1],
      ["b", "T", "w", undefined, undefined],
      ["c", "f32", "v", "zeros", 0],
      ["d", "key", "u", undefined, undefined],
    ]);
  });

  it("fn: dimensions, parameters, result, a rule for the derivative", () => {
    const text =
      "fn norm[s](x: f32[d]) -> f32 = sqrt(sum[k] x[k]^2)\n  vjp (x, ct) -> (for k -> ct * x[k])\nfn g() { 1 }";
    const [norm, g] = declarations(text) as [FunctionDecl, FunctionDecl];
    expect(norm.dims.map((d) => d.text)).toEqual(["s"]);
    expect(norm.result && typeShape(norm.result)).toBe("f32");
    expect(norm.vjp && [norm.vjp.params.map((p) => p.text), shape(norm.vjp.body)]).toEqual([
      ["x", "ct"],
      "(for [k] (* ct x[k]))",
    ]);
    expect([g.result, g.vjp, shape(g.body)]).toEqual([null, null, "{1}"]);
  });

  it("doc comments belong to what follows", () => {
    const text =
      '# no\n## A pair.\n##\n## Of numbers.\nstruct P {\n  ## First.\n  @name("x") a: f32 ## no\n  b: f32\n}\n## One.\nconst c = 1';
    const [pair, one] = declarations(text);
    expect(pair).toMatchObject({ doc: "A pair.\n\nOf numbers.", fields: [{ doc: "First." }, { doc: null }] });
    expect(one).toMatchObject({ doc: "One." });
  });
});

it("spans cover what they name, parentheses included", () => {
  const [decl] = declarations("const e = (a + b) * f(c)[i]");
  const product = decl?.kind === "const" && decl.value.kind === "binary" ? decl.value : null;
  expect(
    [product?.span, product?.left.span, product?.right.span, product?.opSpan].map((s) => s && textOf(s)),
  ).toEqual(["(a + b) * f(c)[i]", "(a + b)", "f(c)[i]", "*"]);
});

describe("examples", () => {
  const folder = new URL("../../examples/", import.meta.url);
  it.each(readdirSync(folder).filter((name) => name.endsWith(".fec")))("%s", (name) => {
    expect(declarations(readFileSync(new URL(name, folder), "utf8")).length).toBeGreaterThan(0);
  });
});
