/**
 * Prints the tensor IR as text that `parse.ts` reads back without loss.
 *
 *     graph softmax(%x: f32[8]) -> (%y) {
 *       %top: f32[] = max i<8. %x[i]
 *       %e: f32[8] = for i<8. exp(%x[i] - %top)
 *       %z: f32[] = sum i<8. %e[i]
 *       %y: f32[8] = for i<8. %e[i] / %z
 *     }
 *
 * Literals show their type: `1.0` f32, `1.0h` f16, `1` i32, `1u` u32. A subexpression that is one object reached more
 * than once is named by a `let`; that is notation for sharing, not evaluation: one that only a side of an `if` uses is
 * evaluated on that side only. Where a node comes from is printed as a comment, on request.
 */
import type {
  Axis,
  Comprehension,
  ElementType,
  Expr,
  Graph,
  Key,
  Loop,
  Node,
  Reduction,
  ReductionAxis,
  ScalarType,
  ValueName,
} from "./ir.ts";
import { definitions } from "./ir.ts";
import { scalarFunctions } from "./scalar.ts";
import { operands, postorder } from "./traverse.ts";

export interface PrintOptions {
  /** Show the source position of each node, as a comment. */
  readonly origins?: boolean;
}

/** How tightly an operator binds; both operands of a comparison or of `^` bind tighter, else the right one does. */
export const binaryPrecedence: Readonly<Record<string, number>> = {
  or: 1,
  and: 2,
  "==": 4,
  "!=": 4,
  "<": 4,
  "<=": 4,
  ">": 4,
  ">=": 4,
  "+": 5,
  "-": 5,
  "*": 6,
  "/": 6,
  "//": 6,
  "%": 6,
  "^": 8,
};

/** How tightly `not` and the negative sign bind, and everything that is closed in itself. */
export const precedence = { select: 0, not: 3, negative: 7, atom: 9 } as const;

/** A line longer than this has its lets on lines of their own. */
const lineWidth = 120;

/** The text of a graph. */
export function printGraph(graph: Graph, options: PrintOptions = {}): string {
  const params = graph.params.map((p) => `%${p.name}: ${printType(p.element, p.shape)}`).join(", ");
  const nodes = graph.nodes.map((node) => `${printNode(node, options, "  ")}\n`).join("");
  return `graph ${graph.name}(${params}) -> ${values(graph.results)} {\n${nodes}}\n`;
}

/** The text of one node, each line of it after `indent`. */
export function printNode(node: Node, options: PrintOptions = {}, indent = ""): string {
  const results = definitions(node)
    .map((d) => `%${d.name}: ${printType(d.element, d.shape)}`)
    .join(", ");
  const head = results === "" ? indent : `${indent}${results} = `;
  const comment =
    options.origins === true && node.origin !== null
      ? `  # ${node.origin.file}:${node.origin.line}:${node.origin.column}`
      : "";
  const block = (nodes: readonly Node[]): string =>
    `{${comment}\n${nodes.map((inner) => `${printNode(inner, options, `${indent}  `)}\n`).join("")}${indent}}`;
  switch (node.kind) {
    case "comprehension":
      return comprehension(node, head, indent) + comment;
    case "loop":
      return `${head}loop ${node.index}<${node.count} ${loopClauses(node)}${block(node.body)}`;
    case "custom": {
      const rule = `rule ${values(node.cotangents)} -> ${values(node.argCotangents)} ${block(node.rule)}`;
      return `${head}custom ${values(node.results.map((r) => r.value))} of ${values(node.args)} ${rule}`;
    }
    case "vjp":
    case "jvp":
      return `${head}${node.kind} ${values(node.of)} at ${values(node.at)} with ${values(node.seeds)}${comment}`;
  }
}

/** The text of an expression, on one line. */
export function printExpr(expr: Expr): string {
  const { lets, text } = printShared(expr, precedence.select);
  return lets.map((line) => `${line} `).join("") + text;
}

/** The text of a tensor type, `idx<4>[49]`. */
export function printType(element: ElementType, shape: readonly number[]): string {
  return `${printElement(element)}[${shape.join(", ")}]`;
}

/** The text of an element type, `f32` or `idx<4>`. */
export function printElement(element: ElementType): string {
  return element.bound === null ? element.scalar : `idx<${element.bound}>`;
}

/** The text of a literal, from which its type and every bit of its value can be read. */
export function printConst(type: ScalarType, value: number): string {
  switch (type) {
    case "bool":
      return value !== 0 ? "true" : "false";
    case "i32":
      return `${value}`;
    case "u32":
      return `${value}u`;
    case "f32":
    case "f16": {
      const suffix = type === "f16" ? "h" : "";
      if (Number.isNaN(value)) return `nan${suffix}`;
      if (Math.abs(value) === Infinity) return `${value < 0 ? "-" : ""}inf${suffix}`;
      const digits = Object.is(value, -0) ? "-0" : `${value}`;
      return (/[.e]/.test(digits) ? digits : `${digits}.0`) + suffix;
    }
  }
}

function values(names: readonly ValueName[]): string {
  return `(${names.map((name) => `%${name}`).join(", ")})`;
}

function loopClauses(loop: Loop): string {
  const carries = loop.carries.map((c) => `%${c.param} = %${c.init} -> %${c.next}`).join(", ");
  const carry = carries === "" ? "" : `carry (${carries}) `;
  const stack = loop.stacks.length === 0 ? "" : `stack ${values(loop.stacks.map((s) => s.value))} `;
  return carry + stack;
}

function comprehension(node: Comprehension, head: string, indent: string): string {
  const start =
    head +
    (node.axes.length === 0 ? "" : `for ${node.axes.map(axis).join(", ")}. `) +
    reduction(node.reduction, node.keys);
  const { lets, text } = printShared(node.body, precedence.select);
  const line = [start.trimEnd(), ...lets, text].join(" ");
  if (lets.length === 0 || line.length <= lineWidth) return line;
  return [start.trimEnd(), ...[...lets, text].map((part) => `${indent}    ${part}`)].join("\n");
}

function axis(of: Axis): string {
  return `${of.name}<${of.size}`;
}

function reduction(of: Reduction | null, keys: readonly Key[]): string {
  if (of === null) return "";
  const at =
    keys.length === 0 ? "" : ` at ${keys.map((key) => `${key.axis} = ${enclosed(key.at)}`).join(", ")}`;
  return `${of.op} ${of.axes.map(reductionAxis).join(", ")}${at}. `;
}

function reductionAxis({ name, lo, hi }: ReductionAxis): string {
  const fromZero = lo.kind === "const" && lo.value === 0;
  if (fromZero && hi.kind === "const") return `${name}<${hi.value}`;
  return `${name} in ${enclosed(lo)} .. ${enclosed(hi)}`;
}

/** An expression in the head of a comprehension: lets and selects in parentheses. */
function enclosed(expr: Expr): string {
  const { lets, text } = printShared(expr, precedence.select + 1);
  return lets.length === 0 ? text : `(${lets.join(" ")} ${text})`;
}

/** Is it as short as a name for it would be? Such a subexpression is repeated rather than named. */
function isTrivial(expr: Expr): boolean {
  if (expr.kind === "const" || expr.kind === "index") return true;
  return expr.kind === "read" && expr.indices.every((at) => at.kind === "const" || at.kind === "index");
}

/** The text of an expression, and the lets that stand before it. */
function printShared(root: Expr, minimum: number): { lets: string[]; text: string } {
  const order = postorder(root);
  const uses = new Map<Expr, number>();
  const taken = new Set<string>();
  for (const expr of order) {
    if (expr.kind === "index") taken.add(expr.name);
    for (const operand of operands(expr)) uses.set(operand, (uses.get(operand) ?? 0) + 1);
  }

  const names = new Map<Expr, string>();
  const lets: string[] = [];
  let next = 0;
  for (const expr of order) {
    if ((uses.get(expr) ?? 0) < 2 || isTrivial(expr)) continue;
    while (taken.has(`t${next}`)) next++;
    const name = `t${next++}`;
    lets.push(`let ${name} = ${print(expr, precedence.select, names)};`);
    names.set(expr, name);
  }
  return { lets, text: print(root, minimum, names) };
}

/** The text of an expression where only what binds at least as tightly as `minimum` stands without parentheses. */
function print(expr: Expr, minimum: number, names: ReadonlyMap<Expr, string>): string {
  const name = names.get(expr);
  if (name !== undefined) return name;
  const inner = (operand: Expr, least: number = precedence.select): string => print(operand, least, names);
  const list = (exprs: readonly Expr[]): string => exprs.map((e) => inner(e)).join(", ");
  const within = (own: number, text: string): string => (own < minimum ? `(${text})` : text);
  switch (expr.kind) {
    case "const": {
      const text = printConst(expr.type, expr.value);
      return text.startsWith("-") ? within(precedence.negative, text) : text;
    }
    case "index":
      return expr.name;
    case "read":
      return expr.indices.length === 0 ? `%${expr.tensor}` : `%${expr.tensor}[${list(expr.indices)}]`;
    case "select": {
      const text = `if ${inner(expr.condition)} then ${inner(expr.yes)} else ${inner(expr.no)}`;
      return within(precedence.select, text);
    }
    case "apply": {
      if (expr.fn === "cast") return `${expr.type}(${list(expr.args)})`;
      const { operator } = scalarFunctions[expr.fn];
      const [first, second] = expr.args;
      if (operator === undefined || first === undefined) return `${expr.fn}(${list(expr.args)})`;
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
