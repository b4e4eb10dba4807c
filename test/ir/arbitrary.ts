/** Random expressions and graphs for properties, and the plainest evaluation of the former. */
import fc from "fast-check";
import { apply, cast, index, integer } from "../../src/ir/build.ts";
import {
  type Comprehension,
  type Expr,
  type Graph,
  type ScalarType,
  type ValueType,
  f32,
  i32,
} from "../../src/ir/ir.ts";
import { type ScalarFunctionName, runtimeFunctions, scalarFunctions } from "../../src/ir/scalar.ts";

/** The index variables of the random expressions: axes of `sizes`. */
export const variables = ["i", "j", "k"] as const;
export const sizes = [4, 3, 6] as const;

/** Every value of the variables, the last changing fastest. */
export const points: readonly (readonly number[])[] = sizes.reduce<number[][]>(
  (outer, size) => outer.flatMap((point) => Array.from({ length: size }, (_, at) => [...point, at])),
  [[]],
);

/** The value at a point, by the table alone. */
export function evaluate(expr: Expr, point: readonly number[]): number {
  switch (expr.kind) {
    case "const":
      return expr.value;
    case "index":
      return point[variables.findIndex((name) => name === expr.name)]!;
    case "select":
      return evaluate(evaluate(expr.condition, point) !== 0 ? expr.yes : expr.no, point);
    case "apply": {
      const key = `${expr.fn} ${expr.type}`;
      const compiled = compiledFunctions.get(key) ?? compileFunction(expr.fn, expr.type);
      compiledFunctions.set(key, compiled);
      return compiled(runtimeFunctions, ...expr.args.map((arg) => evaluate(arg, point)));
    }
    case "read":
      throw new Error("no reads here");
  }
}

type Compiled = (f: typeof runtimeFunctions, ...args: number[]) => number;
const compiledFunctions = new Map<string, Compiled>();

function compileFunction(fn: ScalarFunctionName, type: ScalarType): Compiled {
  return new Function(
    "f",
    "a",
    "b",
    "c",
    `return ${scalarFunctions[fn].js(["a", "b", "c"], type)}`,
  ) as Compiled;
}

/** An integer expression over the variables: what index arithmetic is made of. */
export const integerExpr: fc.Arbitrary<Expr> = fc.letrec<{ expr: Expr; condition: Expr }>((tie) => ({
  expr: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(...variables).map(index),
    fc.integer({ min: -9, max: 9 }).map(integer),
    fc
      .tuple(
        fc.constantFrom("add" as const, "sub" as const, "min" as const, "max" as const),
        tie("expr"),
        tie("expr"),
      )
      .map(([fn, a, b]) => apply(fn, a, b)),
    fc.tuple(tie("expr"), fc.integer({ min: -4, max: 7 })).map(([a, c]) => apply("mul", a, integer(c))),
    fc
      .tuple(
        fc.constantFrom("floor_div" as const, "mod" as const),
        tie("expr"),
        fc.integer({ min: 1, max: 8 }),
      )
      .map(([fn, a, c]) => apply(fn, a, integer(c))),
    fc.tuple(tie("expr"), tie("expr")).map(([a, b]) => apply("mul", a, b)),
    fc.tuple(tie("expr"), tie("expr"), tie("expr")).map(([a, b, c]) => apply("clamp", a, b, c)),
    fc
      .tuple(tie("condition"), tie("expr"), tie("expr"))
      .map(([condition, yes, no]): Expr => ({ kind: "select", condition, yes, no })),
    tie("expr").map((a) => apply("neg", a)),
    tie("expr").map((a) => apply("abs", a)),
  ),
  condition: fc.oneof(
    { maxDepth: 3 },
    fc
      .tuple(
        fc.constantFrom(
          "lt" as const,
          "le" as const,
          "gt" as const,
          "ge" as const,
          "eq" as const,
          "ne" as const,
        ),
        tie("expr"),
        tie("expr"),
      )
      .map(([fn, a, b]) => apply(fn, a, b)),
    fc
      .tuple(fc.constantFrom("and" as const, "or" as const), tie("condition"), tie("condition"))
      .map(([fn, a, b]) => apply(fn, a, b)),
    tie("condition").map((a) => apply("not", a)),
  ),
})).expr;

/** A comparison of two of them, or a connective of those. */
export const conditionExpr: fc.Arbitrary<Expr> = fc
  .tuple(
    fc.constantFrom("lt" as const, "le" as const, "eq" as const, "ne" as const),
    integerExpr,
    integerExpr,
    fc.boolean(),
  )
  .map(([fn, a, b, negated]) => (negated ? apply("not", apply(fn, a, b)) : apply(fn, a, b)));

const tensors: readonly ValueType[] = [
  { name: "x", element: f32, shape: [4, 3] },
  { name: "h'", element: { scalar: "f16", bound: null }, shape: [6] },
  { name: "n.0", element: i32, shape: [] },
  { name: "at", element: { scalar: "i32", bound: 5 }, shape: [3] },
  { name: "key", element: { scalar: "u32", bound: null }, shape: [2] },
  { name: "flag", element: { scalar: "bool", bound: null }, shape: [4] },
];

function literal(type: ScalarType): fc.Arbitrary<Expr> {
  const value: Record<ScalarType, fc.Arbitrary<number>> = {
    f32: fc.double(),
    f16: fc.double(),
    i32: fc.integer(),
    u32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    bool: fc.constantFrom(0, 1),
  };
  return value[type].map((v) => ({ kind: "const", type, value: v }));
}

/** Well-typed expressions of a type with shared subexpressions: each step uses what the steps before have made. */
export const typedExpr: fc.Arbitrary<Expr> = fc.infiniteStream(fc.nat()).chain((choices) => {
  const types: readonly ScalarType[] = ["f32", "f16", "i32", "u32", "bool"];
  return fc
    .tuple(fc.tuple(...types.map(literal)), fc.integer({ min: 0, max: 25 }))
    .map(([literals, steps]) => {
      const choose = <T>(of: readonly T[]): T => of[choices.next().value! % of.length]!;
      const made = new Map<ScalarType, Expr[]>(types.map((type, i) => [type, [literals[i]!]]));
      const integers = made.get("i32")!;
      integers.push(...variables.map(index));
      let last: Expr = literals[0]!;
      for (let step = 0; step < steps; step++) {
        last = grow(choose, made);
        const type =
          last.kind === "read"
            ? last.element.scalar
            : last.kind === "apply"
              ? last.type
              : last.kind === "select"
                ? sideType(last)
                : "i32";
        made.get(type)!.push(last);
      }
      return last;
    });
});

function sideType(expr: Expr): ScalarType {
  if (expr.kind === "select") return sideType(expr.yes);
  return expr.kind === "index" ? "i32" : expr.kind === "read" ? expr.element.scalar : expr.type;
}

function grow(choose: <T>(of: readonly T[]) => T, made: ReadonlyMap<ScalarType, readonly Expr[]>): Expr {
  const some = (type: ScalarType): Expr => choose(made.get(type)!);
  const names = Object.keys(scalarFunctions) as ScalarFunctionName[];
  switch (choose(["apply", "apply", "apply", "read", "select", "cast"])) {
    case "read": {
      const tensor = choose(tensors);
      return {
        kind: "read",
        tensor: tensor.name,
        element: tensor.element,
        indices: tensor.shape.map(() => some("i32")),
      };
    }
    case "select": {
      const type = choose<ScalarType>(["f32", "f16", "i32", "u32", "bool"]);
      return { kind: "select", condition: some("bool"), yes: some(type), no: some(type) };
    }
    case "cast": {
      const x = some(choose<ScalarType>(["f32", "i32", "u32", "bool"]));
      const type = choose<ScalarType>(["f32", "f16", "i32", "u32", "bool"]);
      return { kind: "apply", fn: "cast", type, args: [x] };
    }
    default: {
      const fn = choose(names.filter((name) => name !== "cast")) as Exclude<ScalarFunctionName, "cast">;
      const free: Record<string, readonly ScalarType[]> = {
        float: ["f32", "f16"],
        number: ["f32", "f16", "i32", "u32"],
        integer: ["i32", "u32"],
        any: ["f32", "i32", "bool"],
        bool: ["bool"],
        u32: ["u32"],
      };
      const { params } = scalarFunctions[fn];
      const type = choose(free[params[0]!]!);
      return apply(fn, ...params.map(() => some(type)));
    }
  }
}

/** A graph of one comprehension over the tensors above, with a random body, bounds and reduction. Not always valid. */
export const someGraph: fc.Arbitrary<Graph> = fc
  .tuple(typedExpr, integerExpr, fc.nat({ max: 3 }))
  .map(([body, bound, form]) => {
    const [i, j, k] = variables.map((name, n) => ({ name, size: sizes[n]! }));
    const whole = { name: "k", lo: integer(0), hi: integer(6) };
    const node: Comprehension = {
      kind: "comprehension",
      name: "y",
      element: { scalar: sideType(body), bound: null },
      axes: form === 0 ? [i!, j!, k!] : [i!, j!],
      reduction:
        form === 0
          ? null
          : form === 1
            ? { op: "sum", axes: [whole], bestValue: null }
            : form === 2
              ? { op: "argmax", axes: [{ name: "k", lo: cast("i32", bound), hi: bound }], bestValue: "best" }
              : { op: "sum", axes: [whole], bestValue: null },
      keys: form === 3 ? [{ axis: "j", at: bound }] : [],
      body,
      origin: null,
    };
    return { name: "random", params: tensors, nodes: [node], results: ["y"] };
  });
