import { describe, expect, it } from "vitest";
import { apply, constant, read } from "../../src/ir/build.ts";
import { erf } from "../../src/ir/erf.ts";
import { interpret, tensor } from "../../src/ir/interpret.ts";
import { type Expr, type ScalarType, f32, typeOf } from "../../src/ir/ir.ts";
import {
  type ScalarFunctionName,
  callableScalarFunction,
  runtimeFunctions,
  scalarFunctions,
} from "../../src/ir/scalar.ts";

const names = Object.keys(scalarFunctions) as ScalarFunctionName[];
const parameters = ["a", "b", "c"] as const;
const reads = parameters.map((name) => read(name, f32, []));

/** The value of an expression in a, b and c. */
function evaluate(body: Expr, at: readonly number[]): number {
  const params = parameters.map((name) => ({ name, element: f32, shape: [] }));
  const node = {
    kind: "comprehension" as const,
    name: "y",
    element: { scalar: typeOf(body), bound: null },
    axes: [],
    reduction: null,
    keys: [],
    body,
    origin: null,
  };
  const inputs = Object.fromEntries(parameters.map((name, i) => [name, tensor(f32, [], [at[i] ?? 0])]));
  return interpret({ name: "g", params, nodes: [node], results: ["y"] }, inputs)["y"]!.data[0]!;
}

function applied(fn: ScalarFunctionName): Expr {
  const args = reads.slice(0, scalarFunctions[fn].params.length);
  return fn === "cast" ? { kind: "apply", fn, type: "f16", args } : apply(fn, ...args);
}

describe("derivatives agree with central differences", () => {
  const points: readonly (readonly number[])[] = [
    [0.7, 0.4, 1.3],
    [1.2, 2.3, 0.2],
    [0.3, 1.9, 0.9],
    [2.7, 0.6, 1.1],
  ];
  const signed: readonly (readonly number[])[] = [
    ...points,
    [-0.8, 0.5, 1.5],
    [-1.7, -2.6, 0.4],
    [0.9, -1.4, -0.7],
  ];
  const positiveOnly: readonly ScalarFunctionName[] = ["log", "sqrt", "rsqrt", "pow"];
  const differentiable = names.filter((fn) => scalarFunctions[fn].derivative !== undefined);

  it.each(differentiable)("%s", (fn) => {
    const self = applied(fn);
    const args = reads.slice(0, scalarFunctions[fn].params.length);
    const partials = scalarFunctions[fn].derivative!(args, self);
    expect(partials.length).toBe(args.length);
    for (const point of positiveOnly.includes(fn) ? points : signed) {
      // log1p is defined above -1.
      if (fn === "log1p" && point[0]! <= -1) continue;
      partials.forEach((partial, i) => {
        const step = 1e-5;
        const moved = (by: number): number =>
          evaluate(
            self,
            point.map((x, n) => (n === i ? x + by : x)),
          );
        const difference = (moved(step) - moved(-step)) / (2 * step);
        const slope = partial === null ? 0 : evaluate(partial, point);
        expect(
          Math.abs(slope - difference),
          `d/d${parameters[i]} at ${point.join(", ")}: ${slope}, not ${difference}`,
        ).toBeLessThan(1e-7 * Math.max(1, Math.abs(slope)));
      });
    }
  });

  it("where a choice is made, the first is chosen", () => {
    const slopes = (fn: "min" | "max"): number[] =>
      scalarFunctions[fn].derivative!(reads.slice(0, 2), applied(fn)).map((slope) =>
        evaluate(slope!, [1, 1]),
      );
    expect(slopes("max")).toEqual([1, 0]);
    expect(slopes("min")).toEqual([1, 0]);
    expect(evaluate(scalarFunctions.abs.derivative!([reads[0]!], applied("abs"))[0]!, [0])).toBe(0);
  });

  it("of a power with a constant exponent, at negative bases and at 0", () => {
    const square = apply("pow", reads[0]!, constant(2, "f32"));
    const [slope, none] = scalarFunctions.pow.derivative!([reads[0]!, constant(2, "f32")], square);
    expect([evaluate(slope!, [-3]), evaluate(slope!, [0]), none]).toEqual([-6, 0, null]);
  });
});

describe("the table", () => {
  it("has a line of documentation, a cost and a value for each function", () => {
    for (const fn of names) {
      const { doc, cost, params } = scalarFunctions[fn];
      expect(doc.length > 0 && cost >= 0 && params.length > 0, fn).toBe(true);
    }
  });

  it("gives derivatives of the type of the arguments: f16 stays f16", () => {
    const half = parameters.map((name) => read(name, { scalar: "f16", bound: null }, []));
    for (const fn of names.filter(
      (name) => scalarFunctions[name].derivative !== undefined && name !== "cast",
    )) {
      const args = half.slice(0, scalarFunctions[fn].params.length);
      const self = apply(fn as Exclude<ScalarFunctionName, "cast">, ...args);
      for (const partial of scalarFunctions[fn].derivative!(args, self))
        if (partial !== null) expect(typeOf(partial), fn).toBe("f16");
    }
  });

  it("says which functions a program may call", () => {
    expect(callableScalarFunction("exp")).toBe("exp");
    for (const name of ["add", "cast", "stop_gradient", "toString", "gelu"])
      expect(callableScalarFunction(name)).toBe(null);
  });

  it.each<[ScalarFunctionName, ScalarType, number[], number]>([
    ["floor_div", "i32", [-7, 2], -4],
    ["floor_div", "i32", [7, -2], -4],
    ["mod", "i32", [-7, 3], 2],
    ["mod", "i32", [7, -3], -2],
    ["mod", "f32", [-0.5, 2], 1.5],
    ["add", "i32", [2147483647, 1], -2147483648],
    ["mul", "u32", [0xd2511f53, 0xcd9e8d57], Math.imul(0xd2511f53, 0xcd9e8d57) >>> 0],
    ["mul_high", "u32", [0xd2511f53, 0xcd9e8d57], Number((0xd2511f53n * 0xcd9e8d57n) >> 32n)],
    ["mul_high", "u32", [0xffffffff, 0xffffffff], 0xfffffffe],
    ["sub", "u32", [0, 1], 4294967295],
    ["shift_left", "u32", [1, 31], 2147483648],
    ["shift_right", "u32", [2147483648, 31], 1],
    ["bit_xor", "u32", [0xffffffff, 1], 0xfffffffe],
    ["neg", "i32", [-2147483648], -2147483648],
    ["round", "f32", [2.5], 2],
    ["round", "f32", [-1.5], -2],
    ["round", "f32", [0.49999999999999994], 0],
    ["sigmoid", "f32", [-800], 0],
    ["max", "f32", [1, NaN], NaN],
    ["min", "f32", [NaN, 1], NaN],
    ["clamp", "f32", [5, -1, 1], 1],
    ["isnan", "f32", [NaN], 1],
    ["cast", "i32", [-2.7], -2],
    ["cast", "i32", [1e20], 2147483647],
    ["cast", "u32", [-3.5], 0],
    ["cast", "i32", [NaN], 0],
    ["cast", "bool", [0.5], 1],
  ])("%s of %s %j is %d", (fn, type, args, expected) => {
    const text = scalarFunctions[fn].js(
      args.map((arg) => `(${arg})`),
      type,
    );
    expect(
      (new Function("f", `return ${text}`) as (f: typeof runtimeFunctions) => number)(runtimeFunctions),
    ).toBe(expected);
  });
});

describe("erf", () => {
  it.each([
    [0, 0],
    [1e-10, 1.1283791670955126e-10],
    [0.1, 0.1124629160182849],
    [0.5, 0.5204998778130465],
    [1, 0.8427007929497149],
    [1.5, 0.9661051464753108],
    [1.9999, 0.9953201979070294],
    [2, 0.9953222650189527],
    [2.5, 0.999593047982555],
    [3, 0.9999779095030014],
    [4, 0.9999999845827421],
    [6, 1],
    [Infinity, 1],
  ])("of %d is %d", (x, expected) => {
    expect(Math.abs(erf(x) - expected)).toBeLessThan(1e-15);
    expect(erf(-x)).toBe(-erf(x));
  });

  it("spreads NaN", () => expect(erf(NaN)).toBeNaN());
});
