/**
 * Prints kernels and programs as text for people.
 *
 *     if invocation == 0 {
 *       device y[workgroup] = t0 * t0 where t0 = workgroup partial[0] + 1.0
 *     }
 *
 * A subexpression that is one object reached more than once is named after `where`. `/` of integers is `quotient`, `%` is
 * `remainder`; `//` and `mod` round down.
 */
import { binaryPrecedence, precedence, printConst, printType } from "../ir/print.ts";
import { scalarFunctions } from "../ir/scalar.ts";
import type { Kernel, KernelExpr, KernelFunction, Statement } from "./kernel.ts";
import type { Offset, Program, ProgramStep, ProgramValue } from "./program.ts";
import { operands, postorder } from "./traverse.ts";

/** The text of a kernel. */
export function printKernel(kernel: Kernel): string {
  const buffers = kernel.buffers.map((b) => `${b.access} ${b.name}: ${b.type}[${b.length}]`).join(", ");
  const sizes = `workgroups ${kernel.workgroups}, invocations ${kernel.invocations}`;
  const lanes = kernel.subgroup === undefined ? "" : `, subgroup ${kernel.subgroup}`;
  const arrays = kernel.workgroupArrays.map((a) => `  workgroup ${a.name}: ${a.type}[${a.length}]\n`);
  return `kernel ${kernel.name}<${sizes}${lanes}>(${buffers}) {\n${arrays.join("")}${statements(kernel.body, "  ")}}\n`;
}

/** The text of a program: its values, its steps, then its kernels. */
export function printProgram(program: Program): string {
  const head = `program ${program.name}(${program.inputs.join(", ")}) -> (${program.outputs.join(", ")})`;
  const updated = new Set(program.updated);
  const values = program.values.map((v) => `  ${value(v)}${updated.has(v.name) ? ", updated" : ""}\n`);
  const body = `${values.join("")}\n${program.steps.map((s) => step(s, program, "  ")).join("")}`;
  return [`${head} {\n${body}}\n`, ...program.kernels.map(printKernel)].join("\n");
}

/** The text of an expression, on one line. */
export function printKernelExpr(root: KernelExpr): string {
  const { texts, where } = shared([root]);
  return `${texts[0]}${where}`;
}

/** The texts of expressions that stand together, and what follows them: the names of what they share. */
function shared(roots: readonly KernelExpr[]): { readonly texts: readonly string[]; readonly where: string } {
  const order = postorder(...roots);
  const uses = new Map<KernelExpr, number>();
  const taken = new Set<string>();
  const use = (expr: KernelExpr): unknown => uses.set(expr, (uses.get(expr) ?? 0) + 1);
  roots.forEach(use);
  for (const expr of order) {
    if (expr.kind === "local") taken.add(expr.name);
    operands(expr).forEach(use);
  }
  const names = new Map<KernelExpr, string>();
  const definitions: string[] = [];
  let next = 0;
  for (const expr of order) {
    if (uses.get(expr)! < 2 || isTrivial(expr)) continue;
    while (taken.has(`t${next}`)) next++;
    const name = `t${next++}`;
    definitions.push(`${name} = ${expression(expr, precedence.select, names)}`);
    names.set(expr, name);
  }
  const texts = roots.map((root) => expression(root, precedence.select, names));
  return { texts, where: definitions.length === 0 ? "" : ` where ${definitions.join("; ")}` };
}

/** The operators of the functions that only kernels have; with `%` taken, the tensor IR's `%` goes by its name. */
const kernelOperators: Readonly<Partial<Record<KernelFunction, string | null>>> = {
  quotient: "/",
  remainder: "%",
  mod: null,
};

function operatorOf(fn: KernelFunction): string | null {
  const own = kernelOperators[fn];
  if (own !== undefined || fn === "quotient" || fn === "remainder") return own ?? null;
  return scalarFunctions[fn].operator ?? null;
}

/** Is it as short as a name for it would be? */
function isTrivial(expr: KernelExpr): boolean {
  return expr.kind === "const" || expr.kind === "local" || expr.kind === "builtin";
}

/** The text of an expression where only what binds at least as tightly as `minimum` stands without parentheses. */
function expression(expr: KernelExpr, minimum: number, names: ReadonlyMap<KernelExpr, string>): string {
  const name = names.get(expr);
  if (name !== undefined) return name;
  const inner = (operand: KernelExpr, least: number = precedence.select): string =>
    expression(operand, least, names);
  const within = (own: number, text: string): string => (own < minimum ? `(${text})` : text);
  switch (expr.kind) {
    case "const": {
      const text = printConst(expr.type, expr.value);
      return text.startsWith("-") ? within(precedence.negative, text) : text;
    }
    case "local":
    case "builtin":
      return expr.name;
    case "load":
      return `${expr.space} ${expr.array}[${inner(expr.index)}]`;
    case "select": {
      const text = `if ${inner(expr.condition)} then ${inner(expr.yes)} else ${inner(expr.no)}`;
      return within(precedence.select, text);
    }
    case "apply": {
      // Only where it is wanted: else each operand would be printed twice, those of deep sums exponentially often.
      const list = (): string => expr.args.map((arg) => inner(arg)).join(", ");
      if (expr.fn === "cast") return `${expr.type}(${list()})`;
      const operator = operatorOf(expr.fn);
      const [first, second] = expr.args;
      if (operator === null || first === undefined) return `${expr.fn}(${list()})`;
      if (second === undefined) {
        if (operator === "not") return within(precedence.not, `not ${inner(first, precedence.not)}`);
        // `-1` is a literal, the negative of a literal is `-(1)`.
        const operand = first.kind === "const" ? `(${inner(first)})` : inner(first, precedence.atom);
        return within(precedence.negative, `-${operand}`);
      }
      const own = binaryPrecedence[operator]!;
      const left = inner(first, own === 4 || own === 8 ? own + 1 : own);
      return within(own, `${left} ${operator} ${inner(second, own + 1)}`);
    }
  }
}

function statements(list: readonly Statement[], indent: string): string {
  return list.map((s) => `${indent}${statement(s, indent)}\n`).join("");
}

function statement(of: Statement, indent: string): string {
  const block = (list: readonly Statement[]): string => `{\n${statements(list, `${indent}  `)}${indent}}`;
  switch (of.kind) {
    case "let":
      return `let ${of.name} = ${printKernelExpr(of.value)}`;
    case "var":
      return `var ${of.name}: ${of.type} = ${printKernelExpr(of.init)}`;
    case "assign":
      return `${of.name} = ${printKernelExpr(of.value)}`;
    case "array":
      return `private ${of.name}: ${of.type}[${of.length}]`;
    case "store": {
      const { texts, where } = shared([of.index, of.value]);
      return `${of.space} ${of.array}[${texts[0]}] = ${texts[1]}${where}`;
    }
    case "loads":
      return `let (${of.names.join(", ")}) = ${of.space} ${of.array}[${printKernelExpr(of.index)} ..]`;
    case "stores": {
      const { texts, where } = shared([of.index, ...of.values]);
      return `${of.space} ${of.array}[${texts[0]} ..] = (${texts.slice(1).join(", ")})${where}`;
    }
    case "broadcast":
      return `let ${of.name} = ${printKernelExpr(of.value)} of lane ${of.lane}`;
    case "exchange":
      return `let ${of.name} = ${printKernelExpr(of.value)} of lane invocation ^ ${of.mask}`;
    case "for": {
      const by = of.step === 1 ? "" : ` step ${of.step}`;
      return `for ${of.index} = ${enclosed(of.from)} .. ${enclosed(of.to)}${by} ${block(of.body)}`;
    }
    case "if": {
      const otherwise = of.else.length === 0 ? "" : ` else ${block(of.else)}`;
      return `if ${enclosed(of.condition)} ${block(of.then)}${otherwise}`;
    }
    case "barrier":
      return "barrier";
  }
}

/** An expression that a `{` or a word follows: selects and `where` in parentheses. */
function enclosed(expr: KernelExpr): string {
  const { texts, where } = shared([expr]);
  return expr.kind === "select" || where !== "" ? `(${texts[0]}${where})` : texts[0]!;
}

function value({ role, name, element, shape, order, data }: ProgramValue): string {
  const elements = data === null ? "" : ` = ${preview(data)}`;
  const stored = order === undefined ? "" : ` by axes ${order.join(", ")}`;
  return `${role} ${name}: ${printType(element, shape)}${stored}${elements}`;
}

/** The first elements of a constant. */
function preview(data: NonNullable<ProgramValue["data"]>): string {
  const shown = [...data.subarray(0, 8)].join(", ");
  return data.length > 8 ? `[${shown}, …]` : `[${shown}]`;
}

function step(of: ProgramStep, program: Program, indent: string): string {
  switch (of.kind) {
    case "dispatch": {
      const name = program.kernels[of.kernel]?.name ?? `#${of.kernel}`;
      return `${indent}dispatch ${name}(${of.values.join(", ")})\n`;
    }
    case "copy": {
      const [from, to] = [offset(of.fromOffset), offset(of.toOffset)];
      return `${indent}copy ${of.length} elements of ${of.from} from ${from} to ${of.to} from ${to}\n`;
    }
    case "loop": {
      const inner = of.steps.map((s) => step(s, program, `${indent}  `)).join("");
      return `${indent}for ${of.turn} = 0 .. ${of.count} {\n${inner}${indent}}\n`;
    }
  }
}

function offset({ constant, turn, perTurn }: Offset): string {
  if (turn === null) return `${constant}`;
  const moved = perTurn === 1 ? turn : `${perTurn} * ${turn}`;
  return constant === 0 ? moved : `${constant} + ${moved}`;
}
