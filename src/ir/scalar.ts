/**
 * The scalar functions: one entry each, over which the checker, the interpreter, differentiation and the docs iterate.
 *
 * To add one, add its entry. Its name is callable from the language unless `operator` or `internal` is set.
 */
import { erf } from "./erf.ts";
import { type Expr, isFloat, type ScalarType } from "./ir.ts";
import { apply, constant, select } from "./build.ts";
import { call, infix } from "./wgsl-text.ts";

/** Which types an argument may have. All arguments that are not of a fixed type have one and the same type. */
export type TypeClass = "float" | "number" | "integer" | "any" | "bool" | "u32";

/** The names of the table; the compiler holds the two to each other. */
export type ScalarFunctionName =
  | "add" | "sub" | "mul" | "div" | "floor_div" | "mod" | "neg" | "pow"
  | "eq" | "ne" | "lt" | "le" | "gt" | "ge" | "and" | "or" | "not"
  | "exp" | "log" | "log1p" | "expm1" | "sqrt" | "rsqrt" | "abs" | "sign" | "floor" | "ceil" | "round"
  | "sin" | "cos" | "tan" | "tanh" | "sigmoid" | "erf" | "min" | "max" | "clamp" | "fma" | "isnan"
  | "bit_and" | "bit_or" | "bit_xor" | "shift_left" | "shift_right" | "mul_high"
  | "cast" | "stop_gradient";

export interface ScalarFunction {
  /** One line for the docs and the editor. */
  readonly doc: string;
  readonly params: readonly TypeClass[];
  /** `same`: the common type of the arguments. `target`: the type that the expression names (`cast`). */
  readonly result: "same" | "target" | "bool";
  /**
   * JavaScript for the value in double precision; integer types wrap as 32-bit integers. `from` is the type of the first argument, which
   * conversion asks for, and takes to be a float if it is not given.
   */
  readonly js: (args: readonly string[], type: ScalarType, from?: ScalarType) => string;
  /**
   * WGSL for the value, with the `js` one's meaning in single precision. `type` is the result's, `from` that of the first
   * argument; a boolean is a `bool`, `f16` has been widened. Texts are as in `wgsl-text.ts`; they may call `wgsl-functions.ts`.
   */
  readonly wgsl: (args: readonly string[], type: ScalarType, from: ScalarType) => string;
  /**
   * The partial derivative with respect to each argument, or null where it is zero everywhere; `self` is the value.
   * A function without the entry carries no gradient.
   */
  readonly derivative?: (args: readonly Expr[], self: Expr) => readonly (Expr | null)[];
  /** Rough cost, in floating-point operations. */
  readonly cost: number;
  /** The operator of the language that stands for it; it is then not called by name, unless `isCallable`. */
  readonly operator?: string;
  readonly isCallable?: true;
  /** Made by the compiler only. */
  readonly internal?: true;
  /** Its value or its slope may be infinite: where it is not wanted, it must not be multiplied by 0 but left out. */
  readonly isUnbounded?: true;
}

const wrap = (code: string, type: ScalarType): string =>
  type === "i32" ? `(${code} | 0)` : type === "u32" ? `((${code}) >>> 0)` : `(${code})`;

const math =
  (name: string) =>
  ([x]: readonly string[]): string =>
    `Math.${name}(${x})`;

/** A function of WGSL or of `wgsl-functions.ts`. */
const named =
  (name: string): ScalarFunction["wgsl"] =>
  (args) =>
    call(name, ...args);

const operation =
  (operator: string): ScalarFunction["wgsl"] =>
  ([a, b]) =>
    infix(a!, operator, b!);

/** `fecit_…` with the type in its name. */
const typed =
  (name: string): ScalarFunction["wgsl"] =>
  (args, type) =>
    call(`${name}_${type === "f16" ? "f32" : type}`, ...args);

/** One function for floats, where NaN matters, and another for integers. */
const byClass =
  (ofFloats: string, ofIntegers: string): ScalarFunction["wgsl"] =>
  (args, type) =>
    call(type === "f32" || type === "f16" ? ofFloats : ofIntegers, ...args);

const wgslMin = byClass("fecit_min", "min");
const wgslMax = byClass("fecit_max", "max");

const zero = (like: Expr): Expr => constant(0, "f32", like);
const number = (value: number, like: Expr): Expr => constant(value, "f32", like);

/** An elementary function of one float. */
function unary(doc: string, js: ScalarFunction["js"], wgsl: string, cost: number, slope: (x: Expr, self: Expr) => Expr | null): ScalarFunction {
  return { doc, params: ["float"], result: "same", js, wgsl: named(wgsl), cost, derivative: ([x], self) => [slope(x!, self)] };
}

function comparison(operator: string, js: string, doc: string): ScalarFunction {
  const params: TypeClass[] = operator === "==" || operator === "!=" ? ["any", "any"] : ["number", "number"];
  // A driver takes a != b to be false when one is NaN, and a == b too.
  const wgsl: ScalarFunction["wgsl"] = operator === "!=" ? ([a, b]) => `(!${infix(a!, "==", b!)})` : operation(operator);
  return { doc, params, result: "bool", js: ([a, b]) => `(${a} ${js} ${b} ? 1 : 0)`, wgsl, cost: 1, operator };
}

/** The table, by name. */
export const scalarFunctions: Readonly<Record<ScalarFunctionName, ScalarFunction>> = {
  add: {
    doc: "a + b", params: ["number", "number"], result: "same", operator: "+", cost: 1,
    js: ([a, b], type) => wrap(`${a} + ${b}`, type),
    wgsl: operation("+"),
    derivative: ([a]) => [number(1, a!), number(1, a!)],
  },
  sub: {
    doc: "a - b", params: ["number", "number"], result: "same", operator: "-", cost: 1,
    js: ([a, b], type) => wrap(`${a} - ${b}`, type),
    wgsl: operation("-"),
    derivative: ([a]) => [number(1, a!), number(-1, a!)],
  },
  mul: {
    doc: "a * b", params: ["number", "number"], result: "same", operator: "*", cost: 1,
    js: ([a, b], type) => (type === "f32" || type === "f16" ? `(${a} * ${b})` : wrap(`Math.imul(${a}, ${b})`, type)),
    wgsl: operation("*"),
    derivative: ([a, b]) => [b!, a!],
  },
  div: {
    doc: "a / b, of floats", params: ["float", "float"], result: "same", operator: "/", isUnbounded: true, cost: 4,
    js: ([a, b]) => `(${a} / ${b})`,
    wgsl: operation("/"),
    derivative: ([, b], self) => [apply("div", number(1, b!), b!), apply("neg", apply("div", self, b!))],
  },
  floor_div: {
    doc: "The largest integer not above a / b; the sign follows b.", params: ["number", "number"], result: "same", operator: "//", cost: 4,
    js: ([a, b], type) => wrap(`Math.floor(${a} / ${b})`, type),
    wgsl: typed("fecit_floor_div"),
  },
  mod: {
    doc: "a - b * (a // b): the remainder that has the sign of b.", params: ["number", "number"], result: "same", operator: "%", cost: 4,
    js: ([a, b], type) => wrap(`f.floorMod(${a}, ${b})`, type),
    wgsl: typed("fecit_mod"),
    derivative: ([a, b]) => [number(1, a!), apply("neg", apply("floor_div", a!, b!))],
  },
  neg: {
    doc: "-x", params: ["number"], result: "same", operator: "-", cost: 1,
    js: ([x], type) => wrap(`-${x}`, type),
    wgsl: ([x], type) => (type === "u32" ? infix("0u", "-", x!) : `(-${x})`),
    derivative: ([x]) => [number(-1, x!)],
  },
  pow: {
    doc: "a to the power b; a constant whole b is repeated multiplication, so a may then be negative.",
    params: ["float", "float"], result: "same", operator: "^", isCallable: true, isUnbounded: true, cost: 8,
    js: ([a, b]) => `Math.pow(${a}, ${b})`,
    wgsl: named("fecit_pow"),
    derivative: ([a, b], self) => {
      const lowered = apply("sub", b!, number(1, b!));
      const base = apply("mul", b!, apply("pow", a!, lowered));
      if (b!.kind === "const") return [base, null];
      const atZero = apply("eq", a!, zero(a!));
      return [base, select(atZero, zero(a!), apply("mul", self, apply("log", a!)))];
    },
  },

  eq: comparison("==", "===", "a equals b"),
  ne: comparison("!=", "!==", "a differs from b"),
  lt: comparison("<", "<", "a is less than b"),
  le: comparison("<=", "<=", "a is at most b"),
  gt: comparison(">", ">", "a is greater than b"),
  ge: comparison(">=", ">=", "a is at least b"),
  and: { doc: "both", params: ["bool", "bool"], result: "bool", operator: "and", cost: 1, js: ([a, b]) => `(${a} & ${b})`, wgsl: operation("&") },
  or: { doc: "either", params: ["bool", "bool"], result: "bool", operator: "or", cost: 1, js: ([a, b]) => `(${a} | ${b})`, wgsl: operation("|") },
  not: { doc: "not", params: ["bool"], result: "bool", operator: "not", cost: 1, js: ([a]) => `(1 - ${a})`, wgsl: ([a]) => `(!${a})` },

  exp: { ...unary("e to the power x", math("exp"), "fecit_exp", 8, (_, self) => self), isUnbounded: true },
  log: { ...unary("The natural logarithm.", math("log"), "fecit_log", 8, (x) => apply("div", number(1, x), x)), isUnbounded: true },
  log1p: { ...unary("log(1 + x), exact near 0", math("log1p"), "fecit_log1p", 10, (x) => apply("div", number(1, x), apply("add", number(1, x), x))), isUnbounded: true },
  expm1: { ...unary("exp(x) - 1, exact near 0", math("expm1"), "fecit_expm1", 10, (x, self) => apply("add", self, number(1, x))), isUnbounded: true },
  sqrt: { ...unary("The square root.", math("sqrt"), "sqrt", 4, (x, self) => apply("div", number(0.5, x), self)), isUnbounded: true },
  rsqrt: { ...unary("1 / sqrt(x)", ([x]) => `(1 / Math.sqrt(${x}))`, "inverseSqrt", 4, (x, self) => apply("mul", number(-0.5, x), apply("div", self, x))), isUnbounded: true },
  abs: {
    doc: "The absolute value; its derivative at 0 is 0.", params: ["number"], result: "same", cost: 1,
    js: ([x], type) => wrap(`Math.abs(${x})`, type),
    wgsl: named("abs"),
    derivative: ([x]) => [apply("sign", x!)],
  },
  sign: {
    doc: "-1, 0 or 1", params: ["number"], result: "same", js: math("sign"), cost: 1, derivative: () => [null],
    wgsl: ([x], type) => (type === "u32" ? call("min", x!, "1u") : call(type === "i32" ? "sign" : "fecit_sign", x!)),
  },
  floor: unary("The largest integer not above x.", math("floor"), "floor", 1, () => null),
  ceil: unary("The smallest integer not below x.", math("ceil"), "ceil", 1, () => null),
  round: unary("The nearest integer, halves to the even one.", ([x]) => `f.roundEven(${x})`, "round", 1, () => null),
  sin: unary("The sine of x radians.", math("sin"), "fecit_sin", 10, (x) => apply("cos", x)),
  cos: unary("The cosine of x radians.", math("cos"), "fecit_cos", 10, (x) => apply("neg", apply("sin", x))),
  tan: { ...unary("The tangent of x radians.", math("tan"), "fecit_tan", 12, (x, self) => apply("add", number(1, x), apply("mul", self, self))), isUnbounded: true },
  tanh: unary("The hyperbolic tangent.", math("tanh"), "fecit_tanh", 12, (x, self) => apply("sub", number(1, x), apply("mul", self, self))),
  sigmoid: unary("1 / (1 + exp(-x))", ([x]) => `f.sigmoid(${x})`, "fecit_sigmoid", 12, (x, self) => apply("mul", self, apply("sub", number(1, x), self))),
  erf: unary("The error function, to 1e-6 on every device.", ([x]) => `f.erf(${x})`, "fecit_erf", 20, (x) =>
    apply("mul", number(2 / Math.sqrt(Math.PI), x), apply("exp", apply("neg", apply("mul", x, x)))),
  ),
  min: {
    doc: "The smaller; at a tie the first.", params: ["number", "number"], result: "same", cost: 1, js: ([a, b]) => `f.min(${a}, ${b})`,
    wgsl: wgslMin,
    derivative: ([a, b]) => chosen(apply("le", a!, b!), a!),
  },
  max: {
    doc: "The larger; at a tie the first.", params: ["number", "number"], result: "same", cost: 1, js: ([a, b]) => `f.max(${a}, ${b})`,
    wgsl: wgslMax,
    derivative: ([a, b]) => chosen(apply("ge", a!, b!), a!),
  },
  clamp: {
    doc: "x, but at least lo and at most hi.", params: ["number", "number", "number"], result: "same", cost: 2,
    js: ([x, lo, hi]) => `f.min(f.max(${x}, ${lo}), ${hi})`,
    wgsl: ([x, lo, hi], type, from) => wgslMin([wgslMax([x!, lo!], type, from), hi!], type, from),
    derivative: ([x, lo, hi]) => {
      const one = number(1, x!);
      const none = zero(x!);
      const below = apply("lt", x!, lo!);
      const capped = apply("gt", apply("max", x!, lo!), hi!);
      return [
        select(apply("or", below, capped), none, one),
        select(apply("and", below, apply("not", capped)), one, none),
        select(capped, one, none),
      ];
    },
  },
  fma: {
    doc: "a * b + c", params: ["float", "float", "float"], result: "same", js: ([a, b, c]) => `(${a} * ${b} + ${c})`, cost: 2,
    wgsl: named("fma"),
    derivative: ([a, b]) => [b!, a!, number(1, a!)],
  },
  isnan: { doc: "Is x not a number?", params: ["float"], result: "bool", js: ([x]) => `(${x} !== ${x} ? 1 : 0)`, cost: 1, wgsl: named("fecit_isnan") },

  bit_and: { doc: "Bitwise and of integers.", params: ["integer", "integer"], result: "same", cost: 1, js: ([a, b], type) => wrap(`${a} & ${b}`, type), wgsl: operation("&") },
  bit_or: { doc: "Bitwise or of integers.", params: ["integer", "integer"], result: "same", cost: 1, js: ([a, b], type) => wrap(`${a} | ${b}`, type), wgsl: operation("|") },
  bit_xor: { doc: "Bitwise exclusive or of integers.", params: ["integer", "integer"], result: "same", cost: 1, js: ([a, b], type) => wrap(`${a} ^ ${b}`, type), wgsl: operation("^") },
  shift_left: { doc: "a shifted left by b bits, 0 to 31.", params: ["u32", "u32"], result: "same", cost: 1, js: ([a, b]) => `(${a} << ${b} >>> 0)`, wgsl: operation("<<") },
  shift_right: { doc: "a shifted right by b bits, 0 to 31; zeros come in.", params: ["u32", "u32"], result: "same", cost: 1, js: ([a, b]) => `(${a} >>> ${b})`, wgsl: operation(">>") },
  mul_high: { doc: "The upper 32 bits of the 64-bit product.", params: ["u32", "u32"], result: "same", cost: 6, js: ([a, b]) => `f.mulHigh(${a}, ${b})`, wgsl: named("fecit_mul_high") },

  cast: {
    doc: "Conversion between scalar types; floats are cut toward zero to integers, true is 1.",
    params: ["any"], result: "target", internal: true, cost: 1,
    js: ([x], type, from = "f32") => jsCast(x!, type, from),
    wgsl: ([x], type, from) => wgslCast(x!, type, from),
    derivative: ([x]) => [number(1, x!)],
  },
  stop_gradient: { doc: "x, taken as a constant by differentiation.", params: ["any"], result: "same", internal: true, cost: 0, js: ([x]) => x!, wgsl: ([x]) => x! },
};

/** Conversion: floats out of range saturate, NaN gives 0; between integers the 32 bits are kept. */
function jsCast(x: string, type: ScalarType, from: ScalarType): string {
  return isFloat(from) || (type !== "i32" && type !== "u32") ? `f.${type}(${x})` : wrap(x, type);
}

/** Conversion as the `js` column does it. */
function wgslCast(x: string, type: ScalarType, from: ScalarType): string {
  const isFromFloat = isFloat(from);
  switch (type) {
    case "f32":
    case "f16":
      return isFromFloat ? x : call(from === "u32" ? "fecit_u32_to_f32" : "f32", x);
    case "i32":
      if (isFromFloat) return call("fecit_f32_to_i32", x);
      return from === "i32" ? x : call("i32", x);
    case "u32":
      if (isFromFloat) return call("fecit_f32_to_u32", x);
      return from === "u32" ? x : call("u32", x);
    case "bool":
      return from === "bool" ? x : `(!${infix(x, "==", isFromFloat ? "0.0" : from === "u32" ? "0u" : "0")})`;
  }
}

function chosen(first: Expr, like: Expr): readonly Expr[] {
  const one = number(1, like);
  const none = zero(like);
  return [select(first, one, none), select(first, none, one)];
}

/** The name of the scalar function if there is one that a program may call. */
export function callableScalarFunction(name: string): ScalarFunctionName | null {
  if (!Object.hasOwn(scalarFunctions, name)) return null;
  const entry = scalarFunctions[name as ScalarFunctionName];
  const isHidden = (entry.operator !== undefined && entry.isCallable !== true) || entry.internal === true;
  return isHidden ? null : (name as ScalarFunctionName);
}

/** What the `js` texts call as `f.…`. */
export const runtimeFunctions = {
  erf,
  // Overflow-free on both sides.
  sigmoid: (x: number): number => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x))),
  floorMod: (a: number, b: number): number => {
    const r = a % b;
    return r !== 0 && r < 0 !== b < 0 ? r + b : r;
  },
  roundEven: (x: number): number => {
    const floor = Math.floor(x);
    const rest = x - floor;
    if (rest !== 0.5) return Math.round(x);
    return floor % 2 === 0 ? floor : floor + 1;
  },
  // The first at a tie; NaN spreads.
  min: (a: number, b: number): number => (a !== a || a <= b ? a : b),
  max: (a: number, b: number): number => (a !== a || a >= b ? a : b),
  mulHigh: (a: number, b: number): number => {
    const a0 = a & 0xffff;
    const a1 = a >>> 16;
    const b0 = b & 0xffff;
    const b1 = b >>> 16;
    const middle = a1 * b0 + ((a0 * b0) >>> 16);
    const low = a0 * b1 + (middle % 0x10000);
    return (a1 * b1 + Math.floor(middle / 0x10000) + Math.floor(low / 0x10000)) >>> 0;
  },
  f32: (x: number): number => x,
  f16: (x: number): number => x,
  // As WGSL converts: values outside the type's range saturate, NaN gives 0.
  i32: (x: number): number => (x !== x ? 0 : Math.max(-2147483648, Math.min(2147483647, Math.trunc(x))) | 0),
  u32: (x: number): number => (x !== x ? 0 : Math.max(0, Math.min(4294967295, Math.trunc(x))) >>> 0),
  bool: (x: number): number => (x !== 0 ? 1 : 0),
};
