/**
 * Reads back what `print.ts` writes, by recursive descent: one function for each form.
 *
 *     parseGraph("graph double(%x: f32[3]) -> (%y) { %y: f32[3] = for i<3. 2.0 * %x[i] }")
 *
 * A name bound by `let` is one shared object wherever it stands.
 */
import { apply, index, integer } from "./build.ts";
import type {
  Axis,
  Carry,
  Comprehension,
  Custom,
  Derivative,
  ElementType,
  Expr,
  Graph,
  Key,
  Loop,
  Node,
  ReduceOp,
  Reduction,
  ReductionAxis,
  ScalarType,
  Stack,
  ValueName,
  ValueType,
} from "./ir.ts";
import { scalarTypes } from "./ir.ts";
import { binaryPrecedence, precedence } from "./print.ts";
import { type ScalarFunctionName, scalarFunctions } from "./scalar.ts";
import { IrSyntaxError, type Token, tokenize } from "./tokenize.ts";

export { IrSyntaxError };

/** The graph of a text. */
export function parseGraph(text: string): Graph {
  return new Parser(text).graph();
}

/** The expression of a text, in which reads have the given types. */
export function parseExpr(text: string, types: readonly ValueType[] = []): Expr {
  return new Parser(text, types).wholeExpr();
}

const reduceOps: readonly string[] = [
  "sum",
  "prod",
  "max",
  "min",
  "any",
  "all",
  "argmax",
  "argmin",
] satisfies ReduceOp[];

/** The function that an operator with two operands stands for. */
const binaryFunctions = new Map<string, ScalarFunctionName>(
  Object.entries(scalarFunctions)
    .filter(([, entry]) => entry.operator !== undefined && entry.params.length === 2)
    .map(([name, entry]) => [entry.operator!, name as ScalarFunctionName]),
);

class Parser {
  private readonly tokens: readonly Token[];
  private position = 0;
  private readonly elements: Map<ValueName, ElementType>;
  /** The lets in whose scope the parser is. */
  private lets: Map<string, Expr> = new Map();

  constructor(text: string, types: readonly ValueType[] = []) {
    this.tokens = tokenize(text);
    this.elements = new Map(types.map((type) => [type.name, type.element]));
  }

  graph(): Graph {
    this.keyword("graph");
    const name = this.name("the graph's name");
    this.symbol("(");
    const params = this.list(")", () => this.typedValue());
    this.symbol("->");
    const results = this.values();
    const nodes = this.block();
    if (this.token.kind !== "end") this.fail("the end");
    return { name, params, nodes, results };
  }

  wholeExpr(): Expr {
    const expr = this.expr();
    if (this.token.kind !== "end") this.fail("the end of the expression");
    return expr;
  }

  private block(): Node[] {
    this.symbol("{");
    const nodes: Node[] = [];
    while (!this.accept("}")) nodes.push(this.node());
    return nodes;
  }

  private node(): Node {
    const results: ValueType[] = [];
    while (this.token.kind === "value") {
      results.push(this.typedValue());
      if (!this.accept(",")) {
        this.symbol("=");
        break;
      }
    }
    const { text } = this.token;
    if (text === "loop") return this.loop(results);
    if (text === "custom") return this.custom(results);
    if (text === "vjp" || text === "jvp") return this.derivative(text, results);
    return this.comprehension(results);
  }

  private comprehension(results: readonly ValueType[]): Comprehension {
    const [own, best] = results;
    if (own === undefined) this.fail("a value's name");
    const axes = this.accept("for") ? this.axes() : [];
    const { reduction, keys } = this.reduction(best?.name ?? null);
    if (results.length > 1 && reduction === null) this.fail("a reduction, for there is a second result");
    const body = this.expr();
    return {
      kind: "comprehension",
      name: own!.name,
      element: own!.element,
      axes,
      reduction,
      keys,
      body,
      origin: null,
    };
  }

  private axes(): Axis[] {
    return this.list(".", () => {
      const name = this.name("an axis");
      this.symbol("<");
      return { name, size: this.natural() };
    });
  }

  private reduction(bestValue: ValueName | null): { reduction: Reduction | null; keys: Key[] } {
    const isReduction =
      reduceOps.includes(this.token.text) && this.tokens[this.position + 1]?.kind === "name";
    if (!isReduction) return { reduction: null, keys: [] };
    const op = this.advance().text as ReduceOp;
    const axes: ReductionAxis[] = [];
    do axes.push(this.reductionAxis());
    while (this.accept(","));
    const keys = this.accept("at") ? this.list(".", () => this.key()) : (this.symbol("."), []);
    return { reduction: { op, axes, bestValue }, keys };
  }

  private reductionAxis(): ReductionAxis {
    const name = this.name("a reduction axis");
    if (this.accept("<")) {
      const negative = this.accept("-");
      return { name, lo: integer(0), hi: integer(negative ? -this.natural() : this.natural()) };
    }
    this.keyword("in");
    const lo = this.operation(precedence.select + 1);
    this.symbol("..");
    return { name, lo, hi: this.operation(precedence.select + 1) };
  }

  private key(): Key {
    const axis = this.name("a keyed axis");
    this.symbol("=");
    return { axis, at: this.operation(precedence.select + 1) };
  }

  private loop(results: readonly ValueType[]): Loop {
    this.keyword("loop");
    const name = this.name("the loop's index");
    this.symbol("<");
    const count = this.natural();
    const carried = this.accept("carry") ? this.parenthesised(() => this.carry()) : [];
    const stacked = this.accept("stack") ? this.values() : [];
    if (carried.length + stacked.length !== results.length)
      this.fail(`${results.length} carried and stacked values, one for each result`);
    const carries: Carry[] = carried.map((carry, i) => ({
      ...carry,
      result: results[i]!.name,
      element: results[i]!.element,
      shape: results[i]!.shape,
    }));
    const stacks: Stack[] = stacked.map((value, i) => {
      const { name: result, element, shape } = results[carries.length + i]!;
      return { value, result, element, shape: shape.slice(1) };
    });
    for (const carry of carries) this.elements.set(carry.param, carry.element);
    return { kind: "loop", index: name, count, carries, stacks, body: this.block(), origin: null };
  }

  private carry(): { param: ValueName; init: ValueName; next: ValueName } {
    const param = this.value();
    this.symbol("=");
    const init = this.value();
    this.symbol("->");
    return { param, init, next: this.value() };
  }

  private custom(results: readonly ValueType[]): Custom {
    this.keyword("custom");
    const copied = this.values();
    if (copied.length !== results.length) this.fail(`${results.length} values, one for each result`);
    this.keyword("of");
    const args = this.values();
    this.keyword("rule");
    const cotangents = this.values();
    this.symbol("->");
    const argCotangents = this.values();
    cotangents.forEach((name, i) => results[i] && this.elements.set(name, results[i].element));
    const rule = this.block();
    return {
      kind: "custom",
      results: results.map((r, i) => ({ ...r, value: copied[i]! })),
      args,
      cotangents,
      rule,
      argCotangents,
      origin: null,
    };
  }

  private derivative(kind: "vjp" | "jvp", results: readonly ValueType[]): Derivative {
    this.keyword(kind);
    const of = this.values();
    this.keyword("at");
    const at = this.values();
    this.keyword("with");
    return { kind, of, at, seeds: this.values(), results, origin: null };
  }

  /** An expression, with the lets before it. */
  private expr(): Expr {
    const outer = this.lets;
    while (this.accept("let")) {
      const name = this.name("the name of a shared subexpression");
      this.symbol("=");
      const shared = this.expr();
      this.symbol(";");
      if (this.lets === outer) this.lets = new Map(outer);
      this.lets.set(name, shared);
    }
    const expr = this.operation(precedence.select);
    this.lets = outer;
    return expr;
  }

  /** Operators that bind at least as tightly as `minimum`. */
  private operation(minimum: number): Expr {
    let left = this.prefix(minimum);
    for (;;) {
      const operator = this.token.text;
      const own =
        this.token.kind === "symbol" || this.token.kind === "name" ? binaryPrecedence[operator] : undefined;
      if (own === undefined || own < minimum) return left;
      this.advance();
      const right = this.operation(own === 8 ? precedence.negative : own + 1);
      left = applied(binaryFunctions.get(operator)!, [left, right]);
      // Comparisons do not chain.
      if (own === 4 && binaryPrecedence[this.token.text] === 4) this.fail("no second comparison");
    }
  }

  private prefix(minimum: number): Expr {
    if (minimum <= precedence.select && this.accept("if")) {
      const condition = this.expr();
      this.keyword("then");
      const yes = this.expr();
      this.keyword("else");
      return { kind: "select", condition, yes, no: this.expr() };
    }
    if (minimum <= precedence.not && this.accept("not"))
      return applied("not", [this.operation(precedence.not)]);
    if (!this.accept("-")) return this.atom();
    const literal = this.literal();
    if (literal === null) return applied("neg", [this.operation(precedence.negative)]);
    // As in mathematics, the sign of -2^x is that of the power.
    if (!this.accept("^")) return { ...literal, value: -literal.value };
    return applied("neg", [applied("pow", [literal, this.operation(precedence.negative)])]);
  }

  private atom(): Expr {
    const literal = this.literal();
    if (literal !== null) return literal;
    const { kind, text } = this.token;
    if (kind === "value") return this.read();
    if (this.accept("(")) {
      const expr = this.expr();
      this.symbol(")");
      return expr;
    }
    if (kind !== "name" || ["if", "then", "else", "let", "and", "or", "not"].includes(text))
      this.fail("an expression");
    const next = this.tokens[this.position + 1]!;
    if (next.kind !== "symbol" || next.text !== "(") return this.lets.get(this.advance().text) ?? index(text);
    return this.call();
  }

  private call(): Expr {
    const { text } = this.token;
    const type = scalarTypes.find((one) => one === text) ?? null;
    if (type === null && !Object.hasOwn(scalarFunctions, text)) this.fail("a scalar function");
    const fn: ScalarFunctionName = type === null ? (text as ScalarFunctionName) : "cast";
    this.advance();
    const args = this.parenthesised(() => this.expr());
    const { params } = scalarFunctions[fn];
    if (args.length !== params.length) this.fail(`${params.length} arguments of ${text} before this`);
    return type === null ? applied(fn, args) : { kind: "apply", fn: "cast", type, args };
  }

  private read(): Expr {
    const element = this.elements.get(this.token.text);
    if (element === undefined) this.fail("a value that is defined before");
    const tensor = this.value();
    const indices = this.accept("[") ? this.list("]", () => this.expr()) : [];
    return { kind: "read", tensor, element: element!, indices };
  }

  private literal(): (Expr & { kind: "const" }) | null {
    const { kind, text } = this.token;
    const found =
      kind === "number" ? numberLiteral(text) : kind === "name" ? namedLiterals.get(text) : undefined;
    if (found === undefined) return null;
    this.advance();
    return { kind: "const", ...found };
  }

  private typedValue(): ValueType {
    const name = this.value();
    this.symbol(":");
    const element = this.element();
    this.symbol("[");
    const shape = this.list("]", () => this.natural());
    this.elements.set(name, element);
    return { name, element, shape };
  }

  private element(): ElementType {
    const { text } = this.token;
    if (this.accept("idx")) {
      this.symbol("<");
      const bound = this.natural();
      this.symbol(">");
      return { scalar: "i32", bound };
    }
    if (!scalarTypes.some((one) => one === text)) this.fail("an element type");
    this.advance();
    return { scalar: text as ScalarType, bound: null };
  }

  private natural(): number {
    if (this.token.kind !== "number" || !/^\d+$/.test(this.token.text)) this.fail("a natural number");
    return Number(this.advance().text);
  }

  private values(): ValueName[] {
    return this.parenthesised(() => this.value());
  }

  private parenthesised<T>(item: () => T): T[] {
    this.symbol("(");
    return this.list(")", item);
  }

  /** Items separated by commas, and what closes them. */
  private list<T>(end: string, item: () => T): T[] {
    const items: T[] = [];
    if (this.accept(end)) return items;
    do items.push(item());
    while (this.accept(","));
    this.symbol(end);
    return items;
  }

  private value(): ValueName {
    if (this.token.kind !== "value") this.fail("a value's name, as %x");
    return this.advance().text;
  }

  private name(what: string): string {
    if (this.token.kind !== "name") this.fail(what);
    return this.advance().text;
  }

  private keyword(word: string): void {
    if (!this.accept(word)) this.fail(`'${word}'`);
  }

  private symbol(text: string): void {
    if (!this.accept(text)) this.fail(`'${text}'`);
  }

  private accept(text: string): boolean {
    const { kind } = this.token;
    if (this.token.text !== text || (kind !== "symbol" && kind !== "name")) return false;
    this.position++;
    return true;
  }

  private get token(): Token {
    return this.tokens[this.position]!;
  }

  private advance(): Token {
    return this.tokens[this.position++]!;
  }

  private fail(expected: string): never {
    const { kind, text, line, column } = this.token;
    throw new IrSyntaxError(
      line,
      column,
      expected,
      kind === "end" ? "the end of the text" : `'${kind === "value" ? "%" : ""}${text}'`,
    );
  }
}

const namedLiterals: ReadonlyMap<string, { type: ScalarType; value: number }> = new Map([
  ["true", { type: "bool", value: 1 }],
  ["false", { type: "bool", value: 0 }],
  ["inf", { type: "f32", value: Infinity }],
  ["infh", { type: "f16", value: Infinity }],
  ["nan", { type: "f32", value: NaN }],
  ["nanh", { type: "f16", value: NaN }],
]);

function numberLiteral(text: string): { type: ScalarType; value: number } {
  const value = Number(text.replace(/[hu]$/, ""));
  if (text.endsWith("u")) return { type: "u32", value };
  if (text.endsWith("h")) return { type: "f16", value };
  return { type: /[.e]/.test(text) ? "f32" : "i32", value };
}

function applied(fn: ScalarFunctionName, args: readonly Expr[]): Expr {
  return fn === "cast" ? { kind: "apply", fn, type: "i32", args } : apply(fn, ...args);
}
