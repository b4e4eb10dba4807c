/**
 * A kernel as the JavaScript of one invocation. `let d = device x[invocation] * 2.0; barrier` becomes
 *
 *     return function* (invocation, workgroup) {
 *       let v0 = 0;
 *       const l0 = fround((fround((a0[v0 = invocation] ?? fault(0, v0))) * 2));
 *       yield 1;
 *     };
 *
 * A barrier is a `yield` of its number, a broadcast two of numbers below 0. Without barriers the function is a plain one. Every subexpression is evaluated once in its
 * statement, both sides of a select as well. Outside of an array JavaScript finds `undefined`. With monitors, each is told of the
 * accesses of its array.
 */
import { type Precision, applied, evaluatedOnce, literal } from "./interpret-scalar.ts";
import type { Kernel, KernelExpr, Space, Statement } from "./kernel.ts";
import { operands, postorder } from "./traverse.ts";

/** The JavaScript of a kernel. */
export interface KernelSource {
  /**
   * The body of a function of (f, fround, privateArray, arrays, monitors, lanes, fail): the scalar runtime functions, `Math.fround`, a
   * maker of private arrays, the device buffers and then the workgroup arrays, their monitors, what the invocations broadcast, and what is called at a fault.
   */
  readonly source: string;
  readonly hasBarriers: boolean;
  /** What `fail(number, index, invocation, workgroup)` is called for, by number. */
  readonly sites: readonly AccessSite[];
}

/** An access that is not allowed: always, by the buffer's access, or with an index out of range. */
export interface AccessSite {
  readonly fault: "out of range" | "write only" | "read only";
  readonly action: "read" | "store";
  readonly space: Space;
  readonly array: string;
  readonly length: number;
}

/** An array as it is reached from a statement. */
interface ArrayEntry {
  /** Its name in the JavaScript. */
  readonly text: string;
  /** The name of its monitor, if it has one. */
  readonly monitor: string | null;
  readonly length: number;
  readonly access: "read" | "write" | "read_write";
}

/** The names that can be seen at a place. */
interface Scope {
  readonly locals: Map<string, string>;
  readonly privates: Map<string, ArrayEntry>;
}

/** A longer text is not written into another. */
const longestText = 300;

/** The JavaScript of a kernel. `monitored`: arrays that may be stored to tell their monitors. */
export function kernelSource(kernel: Kernel, precision: Precision, monitored: boolean): KernelSource {
  const device = new Map<string, ArrayEntry>();
  const shared = new Map<string, ArrayEntry>();
  for (const [i, { name, length, access }] of kernel.buffers.entries()) {
    const monitor = monitored && access !== "read" ? `m${i}` : null;
    device.set(name, { text: `a${i}`, monitor, length, access });
  }
  for (const [i, { name, length }] of kernel.workgroupArrays.entries()) {
    const at = kernel.buffers.length + i;
    const monitor = monitored ? `m${at}` : null;
    shared.set(name, { text: `a${at}`, monitor, length, access: "read_write" });
  }

  const sites: AccessSite[] = [];
  const lines: string[] = [];
  /** Private arrays are made once and filled with zeros where they stand. */
  const preamble: string[] = [];
  let barriers = 0;
  let fresh = 0;
  let mostTemporaries = 0;

  const rounded = (text: string): string => (precision === "f32" ? `fround(${text})` : text);

  const arrayEntry = (space: Space, name: string, scope: Scope): ArrayEntry => {
    const entry = { device, workgroup: shared, private: scope.privates }[space].get(name);
    if (entry === undefined) throw new Error(`kernel ${kernel.name}: there is no ${space} array ${name}`);
    return entry;
  };

  /** What is evaluated in place of an access that is not allowed. */
  const fault = (
    kind: AccessSite["fault"],
    action: "read" | "store",
    space: Space,
    array: string,
    index: string,
    scope: Scope,
  ): string => {
    const { length } = arrayEntry(space, array, scope);
    return `fault(${sites.push({ fault: kind, action, space, array, length }) - 1}, ${index})`;
  };

  const localText = (name: string, scope: Scope): string => {
    const text = scope.locals.get(name);
    if (text === undefined) throw new Error(`kernel ${kernel.name}: there is no local ${name}`);
    return text;
  };

  /**
   * The texts of expressions, after the lines that they need. What is used once is written where it is used, which keeps the
   * JavaScript small enough for its compiler; `named` ones are names or literals.
   */
  const evaluate = (
    roots: readonly KernelExpr[],
    scope: Scope,
    named: ReadonlySet<KernelExpr> = new Set(),
  ): string[] => {
    const order = postorder(...roots);
    const uses = usesOf(roots, order);
    const kept = new Set([...named, ...order.flatMap(evaluatedOnce)]);
    const texts = new Map<KernelExpr, string>();
    let temporaries = 0;
    const temporary = (): string => `v${temporaries++}`;
    const textOf = (expr: KernelExpr): string => {
      switch (expr.kind) {
        case "const":
          return literal(expr.type === "f32" && precision === "f32" ? Math.fround(expr.value) : expr.value);
        case "local":
          return localText(expr.name, scope);
        case "builtin":
          return expr.name === "zero" ? "0" : expr.name;
        case "load": {
          const { text, monitor, access } = arrayEntry(expr.space, expr.array, scope);
          const index = texts.get(expr.index)!;
          if (access === "write") return fault("write only", "read", expr.space, expr.array, index, scope);
          const own = temporary();
          const outside = fault("out of range", "read", expr.space, expr.array, own, scope);
          const element =
            monitor === null
              ? `${text}[${own} = ${index}] ?? ${outside}`
              : `${monitor}.read(${own} = ${index}, invocation), ${text}[${own}] ?? ${outside}`;
          // What the caller gives may have more digits than the kernel's type.
          return expr.space === "device" && expr.type === "f32" ? rounded(`(${element})`) : `(${element})`;
        }
        case "apply":
          return applied(
            expr,
            expr.args.map((arg) => texts.get(arg)!),
            rounded,
          );
        case "select":
          return `(${texts.get(expr.condition)} ? ${texts.get(expr.yes)} : ${texts.get(expr.no)})`;
      }
    };
    for (const expr of order) {
      const text = textOf(expr);
      const isShort = uses.get(expr) === 1 && text.length < longestText && !kept.has(expr);
      if (isShort || expr.kind === "const" || expr.kind === "local" || expr.kind === "builtin") {
        texts.set(expr, text);
        continue;
      }
      const name = temporary();
      lines.push(`${name} = ${text};`);
      texts.set(expr, name);
    }
    mostTemporaries = Math.max(mostTemporaries, temporaries);
    return roots.map((root) => texts.get(root)!);
  };

  const block = (list: readonly Statement[], outer: Scope): void => {
    const scope: Scope = { locals: new Map(outer.locals), privates: new Map(outer.privates) };
    for (const statement of list) emit(statement, scope);
  };

  const define = (name: string, keyword: "const" | "let", text: string, scope: Scope): void => {
    const own = `l${fresh++}`;
    lines.push(`${keyword} ${own} = ${text};`);
    scope.locals.set(name, own);
  };

  const emit = (statement: Statement, scope: Scope): void => {
    switch (statement.kind) {
      case "let":
        return define(statement.name, "const", evaluate([statement.value], scope)[0]!, scope);
      case "var":
        return define(statement.name, "let", evaluate([statement.init], scope)[0]!, scope);
      case "assign": {
        const [value] = evaluate([statement.value], scope);
        lines.push(`${localText(statement.name, scope)} = ${value};`);
        return;
      }
      case "array": {
        const text = `p${fresh++}`;
        const { length } = statement;
        preamble.push(`const ${text} = privateArray("${statement.type}", ${length});`);
        lines.push(`${text}.fill(0);`);
        scope.privates.set(statement.name, { text, monitor: null, length, access: "read_write" });
        return;
      }
      case "store": {
        const { space, array } = statement;
        const { text, monitor, access, length } = arrayEntry(space, array, scope);
        const [index, value] = evaluate(
          [statement.index, statement.value],
          scope,
          new Set([statement.index]),
        );
        if (access === "read") lines.push(`${fault("read only", "store", space, array, index!, scope)};`);
        const outside = fault("out of range", "store", space, array, index!, scope);
        lines.push(`if (!(${index} >= 0 && ${index} < ${length})) ${outside};`);
        // The value is read before the store is told of.
        if (monitor === null) lines.push(`${text}[${index}] = ${value};`);
        else
          lines.push(
            `{ const value = ${value}; ${monitor}.store(${index}, invocation); ${text}[${index}] = value; }`,
          );
        return;
      }
      case "for": {
        const [from, to] = evaluate([statement.from, statement.to], scope);
        const [index, end] = [`l${fresh++}`, `l${fresh++}`];
        lines.push(`const ${end} = ${to};`);
        lines.push(`for (let ${index} = ${from}; ${index} < ${end}; ${index} += ${statement.step}) {`);
        block(statement.body, { ...scope, locals: new Map(scope.locals).set(statement.index, index) });
        lines.push("}");
        return;
      }
      case "if": {
        const [condition] = evaluate([statement.condition], scope);
        lines.push(`if (${condition}) {`);
        block(statement.then, scope);
        lines.push("} else {");
        block(statement.else, scope);
        lines.push("}");
        return;
      }
      case "broadcast":
      case "exchange": {
        // All put their values side by side, then all take that of one.
        const [value] = evaluate([statement.value], scope);
        lines.push(`lanes[invocation] = ${value};`, `yield ${-++barriers};`);
        const lane = statement.kind === "broadcast" ? statement.lane : `invocation ^ ${statement.mask}`;
        define(statement.name, "const", `lanes[${lane}]`, scope);
        lines.push(`yield ${-++barriers};`);
        return;
      }
      case "barrier":
        lines.push(`yield ${++barriers};`);
        return;
      case "loads":
      case "stores":
        throw new Error("statements over four elements are taken apart before");
    }
  };

  block(kernel.body, { locals: new Map(), privates: new Map() });
  const count = device.size + shared.size;
  const bindings = Array.from(
    { length: count },
    (_, i) => `const a${i} = arrays[${i}], m${i} = monitors[${i}];`,
  );
  const temporaries = Array.from({ length: mostTemporaries }, (_, i) => `v${i} = 0`);
  const source = [
    ...bindings,
    `return function${barriers > 0 ? "*" : ""} (invocation, workgroup) {`,
    "const fault = (site, index) => fail(site, index, invocation, workgroup);",
    ...(mostTemporaries > 0 ? [`let ${temporaries.join(", ")};`] : []),
    ...preamble,
    ...lines,
    "};",
  ].join("\n");
  return { source, hasBarriers: barriers > 0, sites };
}

/** How often an expression is used by others, or as a root. */
function usesOf(roots: readonly KernelExpr[], order: readonly KernelExpr[]): ReadonlyMap<KernelExpr, number> {
  const uses = new Map<KernelExpr, number>();
  for (const expr of [...roots, ...order.flatMap(operands)]) uses.set(expr, (uses.get(expr) ?? 0) + 1);
  return uses;
}
