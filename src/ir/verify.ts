/**
 * Finds what is wrong with a graph: names, types, shapes, and reads that are not proved to be in bounds.
 *
 *     verifyGraph(parseGraph("graph g(%x: f32[8]) -> (%y) { %y: f32[7] = for i<7. %x[i - 1] }"))
 *     // ["%y: the read of %x is not proved to be in bounds: axis 0 has size 8, i - 1 is -1 … 5"]
 *
 * Every pass must give a graph without problems; tests hold the passes to it.
 */
import { proveElement, proveReads } from "./bounds.ts";
import {
  type Comprehension,
  type Custom,
  type Derivative,
  type ElementType,
  type Expr,
  type Graph,
  type Loop,
  type Node,
  type Reduction,
  type ScalarType,
  type ValueName,
  type ValueType,
  definitions,
  isFloat,
  typeOf,
} from "./ir.ts";
import { printElement, printExpr, printType } from "./print.ts";
import { type RangeContext, emptyContext, withVariable } from "./ranges.ts";
import { type TypeClass, scalarFunctions } from "./scalar.ts";
import { postorder } from "./traverse.ts";

/** The problems of a graph, each with the name of the node; none when it is well formed. */
export function verifyGraph(graph: Graph): string[] {
  const problems: string[] = [];
  const scope: Scope = {
    types: new Map(),
    names: new Set(),
    ranges: emptyContext,
    report: (problem) => problems.push(problem),
  };
  for (const param of graph.params) define(param, "a parameter", scope);
  verifyNodes(graph.nodes, scope);
  for (const result of graph.results)
    if (!scope.types.has(result)) problems.push(`the result %${result} is not defined`);
  return problems;
}

/** Throws when the graph is not well formed. */
export function assertValid(graph: Graph): void {
  const problems = verifyGraph(graph);
  if (problems.length > 0)
    throw new Error(`the graph ${graph.name} is not well formed:\n  ${problems.join("\n  ")}`);
}

/** What is known where a node stands. */
interface Scope {
  /** The values defined before. */
  readonly types: Map<ValueName, ValueType>;
  /** Every name of the graph so far, those of inner graphs included. */
  readonly names: Set<ValueName>;
  /** The loop variables around. */
  readonly ranges: RangeContext;
  readonly report: (problem: string) => void;
}

const namePattern = /^[A-Za-z_][A-Za-z0-9_']*(\.[A-Za-z0-9_']+)*$/;
/** Words that begin or join expressions in the printed form. */
const reserved = new Set([
  "if",
  "then",
  "else",
  "let",
  "and",
  "or",
  "not",
  "true",
  "false",
  "inf",
  "infh",
  "nan",
  "nanh",
]);

function verifyNodes(nodes: readonly Node[], scope: Scope): void {
  for (const node of nodes) {
    const label = labelOf(node);
    const inner: Scope = { ...scope, report: (problem) => scope.report(`${label}: ${problem}`) };
    switch (node.kind) {
      case "comprehension":
        verifyComprehension(node, inner);
        break;
      case "loop":
        verifyLoop(node, inner);
        break;
      case "custom":
        verifyCustom(node, inner);
        break;
      case "vjp":
      case "jvp":
        verifyDerivative(node, inner);
        break;
    }
    for (const definition of definitions(node)) define(definition, label, scope);
  }
}

function labelOf(node: Node): string {
  const [first] = definitions(node);
  return first === undefined ? `a ${node.kind} without results` : `%${first.name}`;
}

function define(type: ValueType, label: string, { types, names, report }: Scope): void {
  if (!namePattern.test(type.name)) report(`${label}: '${type.name}' is no name for a value`);
  if (names.has(type.name)) report(`${label}: %${type.name} is defined twice`);
  if (!type.shape.every(isNatural))
    report(
      `${label}: the shape of %${type.name}, [${type.shape.join(", ")}], has a size that is no natural number`,
    );
  const { scalar, bound } = type.element;
  if (bound !== null && (scalar !== "i32" || !isNatural(bound)))
    report(`${label}: %${type.name} has a bound on ${scalar}: only i32 below a natural number may`);
  names.add(type.name);
  types.set(type.name, type);
}

function isNatural(size: number): boolean {
  return Number.isInteger(size) && size >= 0 && size <= 2147483647;
}

function verifyComprehension(node: Comprehension, scope: Scope): void {
  const { report } = scope;
  const before = scope.ranges.variables;
  const keyed = new Set(node.keys.map((key) => key.axis));
  const names = [
    ...node.axes.map((axis) => axis.name),
    ...(node.reduction?.axes ?? []).map((axis) => axis.name),
  ];
  for (const name of names) {
    if (!namePattern.test(name) || reserved.has(name)) report(`'${name}' is no name for an index variable`);
    if (before.has(name)) report(`the index variable ${name} is that of a loop around`);
  }
  if (new Set(names).size < names.length) report("an index variable has two axes");

  const bound = new Set([
    ...before.keys(),
    ...node.axes.map((axis) => axis.name).filter((name) => !keyed.has(name)),
  ]);
  let sound = true;
  const check = (expr: Expr, type: ScalarType | null, what: string): void => {
    sound = verifyExpr(expr, bound, scope) && sound;
    if (type !== null && typeOf(expr) !== type) report(`${what} is ${typeOf(expr)}, not ${type}`);
  };
  for (const axis of node.reduction?.axes ?? []) {
    check(axis.lo, "i32", `the lower bound of ${axis.name}`);
    check(axis.hi, "i32", `the upper bound of ${axis.name}`);
    bound.add(axis.name);
  }
  for (const key of node.keys) check(key.at, "i32", `the key of ${key.axis}`);
  check(node.body, null, "the body");
  verifyKeys(node, report);
  if (node.reduction !== null) verifyReduction(node.reduction, typeOf(node.body), report);

  // What follows from the types is only asked for where they are right.
  if (!sound) return;
  const result = resultType(node);
  if (result !== node.element.scalar)
    report(`the value is ${result}, but %${node.name} holds ${printElement(node.element)}`);
  for (const { tensor, axis, index, size, range } of proveReads(node, scope.types, scope.ranges)) {
    const where = range.lo === range.hi ? `${range.lo}` : `${range.lo} … ${range.hi}`;
    report(
      `the read of %${tensor} is not proved to be in bounds: axis ${axis} has size ${size}, ${printExpr(index)} is ${where}`,
    );
  }
  if (!proveElement(node, scope.ranges))
    report(`the elements are not proved to be in ${printElement(node.element)}`);
}

/** The type of a comprehension's elements, as its reduction and its body give it. */
function resultType(node: Comprehension): ScalarType {
  switch (node.reduction?.op) {
    case "argmax":
    case "argmin":
      return "i32";
    case "any":
    case "all":
      return "bool";
    default:
      return typeOf(node.body);
  }
}

function verifyReduction(
  { op, axes, bestValue }: Reduction,
  body: ScalarType,
  report: Scope["report"],
): void {
  const picks = op === "argmax" || op === "argmin";
  if (picks ? axes.length !== 1 : axes.length === 0) report(`${op} has ${axes.length} reduction axes`);
  if (!picks && bestValue !== null) report(`${op} has no second result`);
  const wanted = op === "any" || op === "all";
  if (wanted !== (body === "bool")) report(`${op} of a body that is ${body}`);
}

function verifyKeys({ keys, axes, reduction }: Comprehension, report: Scope["report"]): void {
  if (keys.length === 0) return;
  if (reduction?.op !== "sum") report("only a sum has keys");
  for (const { axis } of keys)
    if (!axes.some(({ name }) => name === axis)) report(`${axis} is keyed, but is no axis`);
  if (new Set(keys.map((key) => key.axis)).size < keys.length) report("an axis has two keys");
}

/** Reports what is wrong with an expression whose variables are `bound`; true when nothing is. */
function verifyExpr(root: Expr, bound: ReadonlySet<string>, { types, report }: Scope): boolean {
  let sound = true;
  const wrong = (problem: string): void => {
    sound = false;
    report(problem);
  };
  for (const expr of postorder(root)) {
    switch (expr.kind) {
      case "const":
        if (!isLiteral(expr.type, expr.value)) wrong(`${expr.value} is no literal of type ${expr.type}`);
        break;
      case "index":
        if (!bound.has(expr.name)) wrong(`the index variable ${expr.name} is not bound here`);
        break;
      case "read": {
        const type = types.get(expr.tensor);
        if (type === undefined) {
          wrong(`%${expr.tensor} is read but not defined before`);
          break;
        }
        if (type.element.scalar !== expr.element.scalar || type.element.bound !== expr.element.bound) {
          wrong(
            `%${expr.tensor} is read as ${printElement(expr.element)}, but holds ${printElement(type.element)}`,
          );
        }
        if (type.shape.length !== expr.indices.length)
          wrong(
            `%${expr.tensor}: ${printType(type.element, type.shape)} is read with ${expr.indices.length} indices`,
          );
        if (expr.indices.some((index) => typeOf(index) !== "i32"))
          wrong(`an index of %${expr.tensor} is no i32`);
        break;
      }
      case "apply": {
        const problem = misapplied(expr);
        if (problem !== null) wrong(problem);
        break;
      }
      case "select": {
        if (typeOf(expr.condition) !== "bool") wrong(`a condition is ${typeOf(expr.condition)}, not bool`);
        if (typeOf(expr.yes) !== typeOf(expr.no))
          wrong(`the sides of an 'if' are ${typeOf(expr.yes)} and ${typeOf(expr.no)}`);
        break;
      }
    }
  }
  return sound;
}

function isLiteral(type: ScalarType, value: number): boolean {
  if (isFloat(type)) return true;
  const [least, most] =
    type === "bool" ? [0, 1] : type === "u32" ? [0, 4294967295] : [-2147483648, 2147483647];
  return Number.isInteger(value) && value >= least && value <= most && !Object.is(value, -0);
}

/** What is wrong with the types of a scalar function's application, or null. */
function misapplied({ fn, type, args }: Expr & { kind: "apply" }): string | null {
  const { params, result } = scalarFunctions[fn];
  if (args.length !== params.length) return `${fn} has ${args.length} arguments, not ${params.length}`;
  const given = args.map(typeOf);
  const wrong = given.findIndex((argument, i) => !isOfClass(argument, params[i]!));
  if (wrong >= 0) return `argument ${wrong + 1} of ${fn} is ${given[wrong]}, not ${params[wrong]}`;
  if (given.some((argument) => argument !== given[0]))
    return `the arguments of ${fn} have different types: ${given.join(", ")}`;
  const wanted = result === "bool" ? "bool" : result === "same" ? given[0]! : type;
  return type === wanted ? null : `${fn} is said to be ${type}, but is ${wanted}`;
}

function isOfClass(type: ScalarType, wanted: TypeClass): boolean {
  switch (wanted) {
    case "float":
      return isFloat(type);
    case "number":
      return type !== "bool";
    case "integer":
      return type === "i32" || type === "u32";
    case "any":
      return true;
    case "bool":
    case "u32":
      return type === wanted;
  }
}

function verifyLoop(loop: Loop, scope: Scope): void {
  const { report } = scope;
  if (!isNatural(loop.count)) report(`${loop.count} turns are no natural number`);
  if (!namePattern.test(loop.index) || reserved.has(loop.index))
    report(`'${loop.index}' is no name for an index variable`);
  if (scope.ranges.variables.has(loop.index))
    report(`the index variable ${loop.index} is that of a loop around`);
  const ranges = withVariable(scope.ranges, loop.index, { lo: 0, hi: loop.count - 1 });
  const inner: Scope = { ...scope, types: new Map(scope.types), ranges };
  for (const carry of loop.carries) {
    expectType(carry.init, carry, "the value before", scope);
    define({ ...carry, name: carry.param }, "a carried value", inner);
  }
  verifyNodes(loop.body, inner);
  for (const carry of loop.carries) expectType(carry.next, carry, "the value after a turn", inner);
  for (const stack of loop.stacks) expectType(stack.value, stack, "the value kept", inner);
}

function verifyCustom(node: Custom, scope: Scope): void {
  const { report } = scope;
  for (const result of node.results) expectType(result.value, result, "the value copied", scope);
  if (node.cotangents.length !== node.results.length)
    report(`${node.cotangents.length} cotangents for ${node.results.length} results`);
  if (node.argCotangents.length !== node.args.length)
    report(`${node.argCotangents.length} cotangents of ${node.args.length} arguments`);
  const inner: Scope = { ...scope, types: new Map(scope.types) };
  node.cotangents.forEach((name, i) => {
    const result = node.results[i];
    if (result !== undefined) define({ ...result, name }, "a cotangent", inner);
  });
  verifyNodes(node.rule, inner);
  node.args.forEach((name, i) => {
    const type = scope.types.get(name);
    const cotangent = node.argCotangents[i];
    if (type === undefined) report(`the argument %${name} is not defined before`);
    else if (cotangent !== undefined) expectType(cotangent, type, `the cotangent of %${name}`, inner);
  });
}

function verifyDerivative(node: Derivative, scope: Scope): void {
  const { report, types } = scope;
  for (const name of [...node.of, ...node.at, ...node.seeds])
    if (!types.has(name)) report(`%${name} is not defined before`);
  const [seeded, resulting] = node.kind === "vjp" ? [node.of, node.at] : [node.at, node.of];
  if (node.seeds.length !== seeded.length) report(`${node.seeds.length} seeds for ${seeded.length} values`);
  if (node.results.length !== resulting.length)
    report(`${node.results.length} results for ${resulting.length} values`);
  node.seeds.forEach((seed, i) => {
    const type = types.get(seeded[i] ?? "");
    if (type !== undefined) expectType(seed, type, `the seed of %${type.name}`, scope);
  });
  node.results.forEach((result, i) => {
    const type = types.get(resulting[i] ?? "");
    if (type === undefined) return;
    if (!isFloat(type.element.scalar))
      report(`%${type.name} is ${printElement(type.element)}: it has no derivative`);
    if (!sameType(result, type))
      report(
        `%${result.name} is ${printType(result.element, result.shape)}, not ${printType(type.element, type.shape)}`,
      );
  });
}

/** Reports it when a value is not defined, or not of the type. */
function expectType(
  name: ValueName,
  wanted: { element: ElementType; shape: readonly number[] },
  what: string,
  { types, report }: Scope,
): void {
  const type = types.get(name);
  if (type === undefined) report(`${what}, %${name}, is not defined before`);
  else if (!sameType(type, wanted))
    report(
      `${what}, %${name}, is ${printType(type.element, type.shape)}, not ${printType(wanted.element, wanted.shape)}`,
    );
}

function sameType(
  a: { element: ElementType; shape: readonly number[] },
  b: { element: ElementType; shape: readonly number[] },
): boolean {
  return printType(a.element, a.shape) === printType(b.element, b.shape);
}
