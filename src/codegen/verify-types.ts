/**
 * Names and types in a kernel: every local and array is defined once where it can be seen, before its use, and used as what it is.
 *
 *     let a = 1.0; device y[a] = 2        // device y[…] =: the index is f32, not i32; y holds f32, the value is i32
 */
import { type TypeClass, scalarFunctions } from "../ir/scalar.ts";
import { typeOf } from "./build.ts";
import type { Kernel, KernelBuffer, KernelExpr, KernelType, Space, Statement } from "./kernel.ts";
import { printKernelExpr } from "./print.ts";
import { expressionsOf, postorder } from "./traverse.ts";

/** What a name stands for. */
type Definition =
  | { readonly kind: "let" | "var" | "index"; readonly type: KernelType }
  | { readonly kind: Space; readonly type: KernelType; readonly access: KernelBuffer["access"] };

type Scope = ReadonlyMap<string, Definition>;

/** The problems of a kernel's names and types. */
export function verifyTypes(kernel: Kernel): string[] {
  const problems: string[] = [];
  const scope = new Map<string, Definition>();
  for (const { name, type, length, access } of kernel.buffers)
    defineArray(scope, name, length, { kind: "device", type, access }, report(problems, "a buffer"));
  for (const { name, type, length } of kernel.workgroupArrays)
    defineArray(
      scope,
      name,
      length,
      { kind: "workgroup", type, access: "read_write" },
      report(problems, "a workgroup array"),
    );
  verifyBlock(kernel.body, scope, problems);
  return problems;
}

/** What a statement is called in a problem. */
export function labelOf(statement: Statement): string {
  switch (statement.kind) {
    case "let":
    case "var":
      return `${statement.kind} ${statement.name}`;
    case "assign":
      return `${statement.name} =`;
    case "array":
      return `private ${statement.name}`;
    case "store":
      return `${statement.space} ${statement.array}[…] =`;
    case "loads":
      return `let (${statement.names.join(", ")})`;
    case "stores":
      return `device ${statement.array}[… ..] =`;
    case "broadcast":
    case "exchange":
      return `let ${statement.name}`;
    case "for":
      return `for ${statement.index}`;
    case "if":
      return `if ${printKernelExpr(statement.condition)}`;
    case "barrier":
      return "barrier";
  }
}

type Report = (problem: string) => void;

function report(problems: string[], label: string): Report {
  return (problem) => problems.push(`${label}: ${problem}`);
}

function verifyBlock(list: readonly Statement[], outer: Scope, problems: string[]): void {
  const scope = new Map(outer);
  for (const statement of list) {
    const tell = report(problems, labelOf(statement));
    verifyExpressions(expressionsOf(statement), scope, tell);
    verifyStatement(statement, scope, tell, problems);
  }
}

function verifyStatement(
  statement: Statement,
  scope: Map<string, Definition>,
  tell: Report,
  problems: string[],
): void {
  switch (statement.kind) {
    case "let":
      return define(scope, statement.name, { kind: "let", type: typeOf(statement.value) }, tell);
    case "var":
      expect(statement.type, statement.init, "the first value", tell);
      return define(scope, statement.name, { kind: "var", type: statement.type }, tell);
    case "assign": {
      const target = scope.get(statement.name);
      if (target === undefined) return tell(`there is no var ${statement.name}`);
      if (target.kind !== "var")
        return tell(`${statement.name} is ${describe(target)}; only a var is assigned to`);
      return expect(target.type, statement.value, "the value", tell);
    }
    case "array":
      return defineArray(
        scope,
        statement.name,
        statement.length,
        { kind: "private", type: statement.type, access: "read_write" },
        tell,
      );
    case "store": {
      expect("i32", statement.index, "the index", tell);
      const target = arrayIn(scope, statement.space, statement.array, tell);
      if (target === null) return;
      if (target.access === "read") tell(`the buffer ${statement.array} is declared for reading only`);
      return expect(target.type, statement.value, "the value", tell);
    }
    case "for": {
      expect("i32", statement.from, "the lower bound", tell);
      expect("i32", statement.to, "the upper bound", tell);
      if (!Number.isInteger(statement.step) || statement.step <= 0)
        tell(`the step is ${statement.step}; it is a whole number above 0`);
      const inner = new Map(scope);
      define(inner, statement.index, { kind: "index", type: "i32" }, tell);
      return verifyBlock(statement.body, inner, problems);
    }
    case "if":
      expect("bool", statement.condition, "the condition", tell);
      verifyBlock(statement.then, scope, problems);
      return verifyBlock(statement.else, scope, problems);
    case "broadcast":
    case "exchange":
      return define(scope, statement.name, { kind: "let", type: typeOf(statement.value) }, tell);
    case "loads":
    case "stores":
      return tell("four elements at once are verified one by one: `withoutVectors` takes them apart");
    case "barrier":
      return;
  }
}

function verifyExpressions(roots: readonly KernelExpr[], scope: Scope, tell: Report): void {
  for (const expr of postorder(...roots)) {
    switch (expr.kind) {
      case "const": {
        const problem = literalProblem(expr.type, expr.value);
        if (problem !== null) tell(`the literal ${expr.value} is no ${expr.type}: ${problem}`);
        break;
      }
      case "local": {
        const known = scope.get(expr.name);
        if (known === undefined) tell(`${expr.name} is not defined here`);
        else if (known.kind !== "let" && known.kind !== "var" && known.kind !== "index")
          tell(`${expr.name} is ${describe(known)}, not a local`);
        else if (known.type !== expr.type) tell(`${expr.name} is ${describe(known)}, used as ${expr.type}`);
        break;
      }
      case "builtin":
        break;
      case "load": {
        expect("i32", expr.index, `the index of ${expr.array}`, tell);
        const array = arrayIn(scope, expr.space, expr.array, tell);
        if (array === null) break;
        if (array.access === "write") tell(`the buffer ${expr.array} is declared for writing only`);
        if (array.type !== expr.type) tell(`${expr.array} holds ${array.type}, and is read as ${expr.type}`);
        break;
      }
      case "apply":
        verifyApplied(expr, tell);
        break;
      case "select":
        expect("bool", expr.condition, "the condition of a select", tell);
        expect(typeOf(expr.yes), expr.no, "the other side of a select", tell);
        break;
    }
  }
}

const classes: Readonly<Record<TypeClass, readonly KernelType[]>> = {
  float: ["f32"],
  number: ["f32", "i32", "u32"],
  integer: ["i32", "u32"],
  any: ["f32", "i32", "u32", "bool"],
  bool: ["bool"],
  u32: ["u32"],
};

function verifyApplied(expr: KernelExpr & { kind: "apply" }, tell: Report): void {
  const { fn, args, type } = expr;
  const isIndexFunction = fn === "quotient" || fn === "remainder";
  const params = isIndexFunction ? [["i32"], ["i32"]] : scalarFunctions[fn].params.map((p) => classes[p]);
  if (args.length !== params.length) {
    tell(`${fn} takes ${params.length} arguments, not ${args.length}`);
    return;
  }
  const types = args.map(typeOf);
  types.forEach((found, i) => {
    if (!params[i]!.includes(found))
      tell(`argument ${i + 1} of ${fn} is ${found}, not ${params[i]!.join(" or ")}`);
    else if (params[i]!.length > 1 && found !== types[0])
      tell(`the arguments of ${fn} are ${types.join(" and ")}: they have one type`);
  });
  const result = isIndexFunction ? "same" : scalarFunctions[fn].result;
  const wanted = result === "bool" ? "bool" : result === "same" ? types[0] : type;
  if (type !== wanted) tell(`${fn} gives ${wanted}, and is used as ${type}`);
}

const largestFloat = 2 ** 128 - 2 ** 104;

function literalProblem(type: KernelType, value: number): string | null {
  const whole = (least: number, most: number): string | null =>
    Number.isInteger(value) && value >= least && value <= most
      ? null
      : `it is a whole number from ${least} to ${most}`;
  switch (type) {
    case "f32":
      if (Number.isNaN(value)) return "it is finite or an infinity";
      return Math.abs(value) <= largestFloat || Math.abs(value) === Infinity
        ? null
        : "single precision has no number as large";
    case "i32":
      return whole(-(2 ** 31), 2 ** 31 - 1);
    case "u32":
      return whole(0, 2 ** 32 - 1);
    case "bool":
      return whole(0, 1);
  }
}

function define(scope: Map<string, Definition>, name: string, definition: Definition, tell: Report): void {
  const known = scope.get(name);
  if (known !== undefined) tell(`the name ${name} is taken: it is ${describe(known)}`);
  scope.set(name, definition);
}

function defineArray(
  scope: Map<string, Definition>,
  name: string,
  length: number,
  definition: Definition,
  tell: Report,
): void {
  // A tensor may be empty.
  const least = definition.kind === "device" ? 0 : 1;
  if (!Number.isInteger(length) || length < least)
    tell(`${name} has ${length} elements; their number is whole and at least ${least}`);
  define(scope, name, definition, tell);
}

function arrayIn(
  scope: Scope,
  space: Space,
  name: string,
  tell: Report,
): (Definition & { kind: Space }) | null {
  const known = scope.get(name);
  if (known?.kind === space) return known as Definition & { kind: Space };
  tell(
    known === undefined
      ? `there is no ${space} array ${name}`
      : `${name} is ${describe(known)}, not a ${space} array`,
  );
  return null;
}

function expect(type: KernelType, expr: KernelExpr, what: string, tell: Report): void {
  const found = typeOf(expr);
  if (found !== type) tell(`${what} is ${found}, not ${type}`);
}

function describe({ kind, type }: Definition): string {
  switch (kind) {
    case "let":
    case "var":
      return `a ${kind} of type ${type}`;
    case "index":
      return "the index of a loop";
    case "device":
    case "workgroup":
    case "private":
      return `a ${kind} array of ${type}`;
  }
}
