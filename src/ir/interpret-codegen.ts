/**
 * A comprehension as a JavaScript loop nest over typed arrays. `for i<2. sum k<3. 2.0 * %x[i, k]` becomes
 *
 *     let o = 0;
 *     for (let i0 = 0; i0 < 2; i0++) {
 *       const o1 = Math.imul(i0, 3);
 *       let acc = 0;
 *       for (let i1 = 0; i1 < 3; i1++) { const v1 = r0[(o1 + i1) | 0]; const v2 = (2 * v1); acc = acc + v2; }
 *       out[o++] = acc;
 *     }
 *
 * Every subexpression becomes one constant, in the block of the outermost loop where its index variables are known. What
 * only sides of selects use stands in the innermost side around all its uses; a read there may then happen beyond the
 * side that guards it, and gives an `undefined` that nobody uses. With `checked` reads are tested, each where it is
 * used and in the innermost loop, so that only what the meaning of the graph asks for is read.
 */
import { structuralKey } from "./affine.ts";
import {
  type Comprehension,
  type Expr,
  type ReductionAxis,
  type ScalarType,
  type ValueName,
  definitions,
  typeOf,
} from "./ir.ts";
import { printExpr } from "./print.ts";
import { scalarFunctions } from "./scalar.ts";
import { expressionsOf, operands, postorder } from "./traverse.ts";

/** A loop nest: the text of a function of (out, best, the tensors it reads, the outer loops' variables, fail). */
export interface LoopNest {
  readonly source: string;
  /** The tensors, in the order of the arguments. */
  readonly reads: readonly ValueName[];
  /** The outer loops' variables, in the order of the arguments. */
  readonly outer: readonly string[];
  /** With `checked`: what is told when read number n is out of bounds. */
  readonly checks: readonly string[];
}

/** What is written down of one `{ … }` of the text. */
interface Block {
  readonly lines: string[];
  /** Names of what has been computed here, by key. */
  readonly names: Map<string, string>;
  readonly parent: Block | null;
}

/** A side of a select, as a place where expressions are needed; null is the place that is always reached. */
interface Side {
  readonly parent: Side | null;
  readonly depth: number;
}

/** The loop nest of a comprehension; `shapeOf` gives the shapes of what it reads. */
export function loopNest(
  node: Comprehension,
  shapeOf: (tensor: ValueName) => readonly number[],
  checked: boolean,
): LoopNest {
  const keyed = new Map(node.keys.map((key) => [key.axis, key.at]));
  const iterated = node.axes.filter((axis) => !keyed.has(axis.name));
  const reduced = node.reduction?.axes ?? [];
  const levels = new Map([...iterated, ...reduced].map((axis, i) => [axis.name, i + 1]));
  const innermost = levels.size;

  const roots = expressionsOf(node);
  const { sides, places } = placesOf(roots);
  const levelOf = levelsOf(roots, levels);

  const reads: ValueName[] = [];
  const outer: string[] = [];
  const checks: string[] = [];
  const top: Block = { lines: [], names: new Map(), parent: null };
  const blocks: Block[] = [top];
  /** The block that is open for a side of a select. */
  const sideBlocks = new Map<Side, Block>();
  let counter = 0;
  const fresh = (prefix: string): string => `${prefix}${++counter}`;

  /** The first number of a list that an item stands at, after putting it there if it is new. */
  const numberIn = (list: string[], item: string): number => {
    const at = list.indexOf(item);
    return at < 0 ? list.push(item) - 1 : at;
  };

  const variable = (name: string): string => {
    const level = levels.get(name);
    return level === undefined ? `p${numberIn(outer, name)}` : `i${level - 1}`;
  };

  const lookup = (key: string, block: Block): string | undefined => {
    for (let b: Block | null = block; b !== null; b = b.parent) {
      const name = b.names.get(key);
      if (name !== undefined) return name;
    }
    return undefined;
  };

  /** Where the constant of an expression stands that is wanted in a block. */
  const homeOf = (key: string, wantedIn: Block): Block => {
    if (checked) return wantedIn;
    const side = places.get(key) ?? null;
    return side === null ? blocks[levelOf(key)]! : sideBlocks.get(side)!;
  };

  /** The text for the value of an expression: a name or a literal. */
  const value = (expr: Expr, block: Block): string => {
    if (expr.kind === "const") return literal(expr.value);
    if (expr.kind === "index") return variable(expr.name);
    const key = structuralKey(expr);
    const known = lookup(key, block);
    if (known !== undefined) return known;
    const home = homeOf(key, block);
    const name =
      expr.kind === "select"
        ? chosen(expr, home)
        : constant(expr.kind === "read" ? element(expr, home) : applied(expr, home), home);
    home.names.set(key, name);
    return name;
  };

  const constant = (text: string, block: Block): string => {
    const name = fresh("v");
    block.lines.push(`const ${name} = ${text};`);
    return name;
  };

  const applied = (expr: Expr & { kind: "apply" }, block: Block): string => {
    const args = expr.args.map((arg) => value(arg, block));
    return scalarFunctions[expr.fn].js(args, expr.type, typeOf(expr.args[0]!));
  };

  const chosen = (expr: Expr & { kind: "select" }, block: Block): string => {
    const condition = value(expr.condition, block);
    const [yesSide, noSide] = sides.get(structuralKey(expr))!;
    const within = (side: Side, result: Expr): { lines: string[]; name: string } => {
      const inner: Block = { lines: [], names: new Map(), parent: block };
      sideBlocks.set(side, inner);
      return { name: value(result, inner), lines: inner.lines };
    };
    const yes = within(yesSide, expr.yes);
    const no = within(noSide, expr.no);
    if (yes.lines.length === 0 && no.lines.length === 0)
      return constant(`${condition} ? ${yes.name} : ${no.name}`, block);
    const name = fresh("v");
    block.lines.push(
      `let ${name}; if (${condition}) {`,
      ...yes.lines,
      `${name} = ${yes.name}; } else {`,
      ...no.lines,
      `${name} = ${no.name}; }`,
    );
    return name;
  };

  const element = (expr: Expr & { kind: "read" }, block: Block): string => {
    const shape = shapeOf(expr.tensor);
    const tensor = `r${numberIn(reads, expr.tensor)}`;
    if (checked) {
      expr.indices.forEach((index, axis) => {
        const at = value(index, block);
        const slot =
          checks.push(
            `%${node.name}: %${expr.tensor} is read outside axis ${axis} of size ${shape[axis]}, at ${printExpr(index)} =`,
          ) - 1;
        block.lines.push(`if (!(${at} >= 0 && ${at} < ${shape[axis]})) fail(${slot}, ${at});`);
      });
    }
    return `${tensor}[${offset(expr.indices, shape, block)}]`;
  };

  /** The flat offset of indices in a shape. What index variables contribute is added up in the loops that set them. */
  const offset = (indices: readonly Expr[], shape: readonly number[], block: Block): string => {
    let start = 0;
    const byLevel = new Map<number, Map<string, number>>();
    const others: string[] = [];
    const add = (expr: Expr, factor: number, depth: number): void => {
      if (expr.kind === "const") {
        start += factor * expr.value;
        return;
      }
      if (expr.kind === "index") {
        const level = checked ? innermost : (levels.get(expr.name) ?? 0);
        const terms = byLevel.get(level) ?? new Map<string, number>();
        byLevel.set(level, terms.set(variable(expr.name), (terms.get(variable(expr.name)) ?? 0) + factor));
        return;
      }
      const [a, b] = expr.kind === "apply" ? expr.args : [];
      // Sums are taken apart only so far: shared ones could be large as trees.
      if (expr.kind === "apply" && depth < 6) {
        if (expr.fn === "add" || expr.fn === "sub") {
          add(a!, factor, depth + 1);
          add(b!, expr.fn === "add" ? factor : -factor, depth + 1);
          return;
        }
        if (expr.fn === "mul" && (a!.kind === "const" || b!.kind === "const")) {
          const [scale, rest] =
            a!.kind === "const" ? [a!.value, b!] : [(b as Expr & { kind: "const" }).value, a!];
          add(rest, factor * scale, depth + 1);
          return;
        }
      }
      others.push(product(value(expr, block), factor));
    };
    let stride = 1;
    for (let axis = indices.length - 1; axis >= 0; axis--) {
      add(indices[axis]!, stride, 0);
      stride *= shape[axis]!;
    }

    let flat = start === 0 ? "" : `${start}`;
    for (const level of [...byLevel.keys()].sort((x, y) => x - y)) {
      const terms = [...byLevel.get(level)!]
        .filter(([, factor]) => factor !== 0)
        .map(([name, factor]) => product(name, factor));
      const text = [...(flat === "" ? [] : [flat]), ...terms].join(" + ");
      const home = checked ? block : blocks[level]!;
      const known = lookup(`@${text}`, home);
      flat = known ?? (/^\w*$/.test(text) ? text : constant(`(${text}) | 0`, home));
      if (known === undefined) home.names.set(`@${text}`, flat);
    }
    const all = [...(flat === "" ? [] : [flat]), ...others];
    return all.length === 0 ? "0" : all.length === 1 ? all[0]! : `(${all.join(" + ")}) | 0`;
  };

  const open = (): Block => {
    const block: Block = { lines: [], names: new Map(), parent: blocks.at(-1)! };
    blocks.push(block);
    return block;
  };

  /** Puts the innermost open loop, with what stands in it, into the one around it. */
  const close = (head: string): void => {
    const block = blocks.pop()!;
    blocks.at(-1)!.lines.push(`${head} {`, ...block.lines, "}");
  };

  iterated.forEach(open);
  const accumulators = blocks.at(-1)!;
  const heads: string[] = [];
  if (node.reduction !== null && keyed.size === 0) accumulators.lines.push(...initial(node));
  reduced.forEach(({ lo, hi }: ReductionAxis, i) => {
    const block = blocks.at(-1)!;
    const [from, to, name] = [value(lo, block), value(hi, block), `i${iterated.length + i}`];
    heads.push(`${i === 0 ? "red: " : ""}for (let ${name} = ${from}; ${name} < ${to}; ${name}++)`);
    // What an argmax over something gives where no body is better than the worst.
    if (node.reduction!.op.startsWith("arg")) block.lines.push(`let at = ${from} < ${to} ? ${from} : 0;`);
    open();
  });

  const body = blocks.at(-1)!;
  // Operands first: an unrolled fold is deeper than recursion can go. Indices are left out, they may become parts of offsets.
  const always = checked
    ? []
    : distinct(roots).filter((expr) => places.get(structuralKey(expr)) === null && typeOf(expr) !== "i32");
  for (const expr of always) value(expr, body);
  if (keyed.size > 0) {
    const inside = node.keys.map((key) => {
      const size = node.axes.find((axis) => axis.name === key.axis)!.size;
      const at = value(key.at, body);
      return `${at} >= 0 && ${at} < ${size}`;
    });
    const indices = node.axes.map((axis): Expr => keyed.get(axis.name) ?? { kind: "index", name: axis.name });
    const result = value(node.body, body);
    const target = offset(
      indices,
      node.axes.map((axis) => axis.size),
      body,
    );
    body.lines.push(
      `if (${inside.join(" && ")}) { const o = ${target}; out[o] = ${sum("out[o]", result, node.element.scalar)}; }`,
    );
  } else {
    const result = value(node.body, body);
    body.lines.push(
      ...(node.reduction === null ? [`out[o++] = ${result};`] : step(node, result, `i${innermost - 1}`)),
    );
  }
  for (const head of heads.reverse()) close(head);
  if (node.reduction !== null && keyed.size === 0) accumulators.lines.push(...store(node));
  for (let i = iterated.length - 1; i >= 0; i--)
    close(`for (let i${i} = 0; i${i} < ${iterated[i]!.size}; i${i}++)`);

  const parameters = [
    "out",
    "best",
    ...reads.map((_, i) => `r${i}`),
    ...outer.map((_, i) => `p${i}`),
    "fail",
  ];
  const source = `return function (${parameters.join(", ")}) {\nlet o = 0;\n${top.lines.join("\n")}\n};`;
  return { source, reads, outer, checks };
}

/** In which side of a select every expression is computed, by its key, and the sides of every select. */
function placesOf(roots: readonly Expr[]): {
  places: ReadonlyMap<string, Side | null>;
  sides: ReadonlyMap<string, readonly [Side, Side]>;
} {
  const places = new Map<string, Side | null>();
  const sides = new Map<string, readonly [Side, Side]>();
  const use = (expr: Expr, side: Side | null): void => {
    const key = structuralKey(expr);
    const old = places.get(key);
    places.set(key, old === undefined ? side : commonSide(old, side));
  };
  for (const root of roots) use(root, null);
  for (const expr of distinct(roots).reverse()) {
    const key = structuralKey(expr);
    const place = places.get(key)!;
    if (expr.kind === "select") {
      const below = (): Side => ({ parent: place, depth: (place?.depth ?? 0) + 1 });
      const [yes, no] = [below(), below()];
      sides.set(key, [yes, no]);
      use(expr.condition, place);
      use(expr.yes, yes);
      use(expr.no, no);
    } else {
      for (const operand of operands(expr)) use(operand, place);
    }
  }
  return { places, sides };
}

function commonSide(a: Side | null, b: Side | null): Side | null {
  let [x, y] = [a, b];
  while (x !== y) {
    if ((x?.depth ?? 0) >= (y?.depth ?? 0)) x = x!.parent;
    else y = y!.parent;
  }
  return x;
}

/** The innermost loop on which an expression depends, from 1; 0 for none of them. */
function levelsOf(roots: readonly Expr[], levels: ReadonlyMap<string, number>): (key: string) => number {
  const found = new Map<string, number>();
  for (const expr of distinct(roots)) {
    const own = expr.kind === "index" ? (levels.get(expr.name) ?? 0) : 0;
    found.set(
      structuralKey(expr),
      Math.max(own, ...operands(expr).map((operand) => found.get(structuralKey(operand))!)),
    );
  }
  return (key) => found.get(key)!;
}

/** Every different expression once, operands first: equal ones are one here, even where they are several objects. */
function distinct(roots: readonly Expr[]): Expr[] {
  const byKey = new Map<string, Expr>();
  for (const expr of postorder(...roots)) {
    const key = structuralKey(expr);
    if (!byKey.has(key)) byKey.set(key, expr);
  }
  return [...byKey.values()];
}

function literal(value: number): string {
  if (Object.is(value, -0)) return "(-0)";
  return value < 0 ? `(${value})` : `${value}`;
}

function product(name: string, factor: number): string {
  return factor === 1 ? name : `Math.imul(${name}, ${factor})`;
}

function sum(a: string, b: string, type: ScalarType): string {
  return scalarFunctions.add.js([a, b], type);
}

/** The type in which a reduction is done. */
function accumulated(node: Comprehension): ScalarType {
  return typeOf(node.body);
}

/** The statements before the loops of a reduction. */
function initial(node: Comprehension): string[] {
  const type = accumulated(node);
  switch (node.reduction!.op) {
    case "sum":
    case "any":
      return ["let acc = 0;"];
    case "prod":
    case "all":
      return ["let acc = 1;"];
    case "max":
    case "argmax":
      return [`let acc = ${type === "i32" ? -2147483648 : type === "u32" ? 0 : -Infinity};`];
    case "min":
    case "argmin":
      return [`let acc = ${type === "i32" ? 2147483647 : type === "u32" ? 4294967295 : Infinity};`];
  }
}

/** What is done with each value of the body. NaN is taken for better than every number, the first one for the best. */
function step(node: Comprehension, value: string, index: string): string[] {
  const type = accumulated(node);
  switch (node.reduction!.op) {
    case "sum":
      return [`acc = ${sum("acc", value, type)};`];
    case "prod":
      return [`acc = ${scalarFunctions.mul.js(["acc", value], type)};`];
    case "max":
    case "min":
      return [`acc = ${scalarFunctions[node.reduction!.op].js(["acc", value], type)};`];
    case "any":
      return [`if (${value}) { acc = 1; break red; }`];
    case "all":
      return [`if (!${value}) { acc = 0; break red; }`];
    case "argmax":
      return [`if (!(${value} <= acc) && acc === acc) { acc = ${value}; at = ${index}; }`];
    case "argmin":
      return [`if (!(${value} >= acc) && acc === acc) { acc = ${value}; at = ${index}; }`];
  }
}

/** The statements after the loops of a reduction. */
function store(node: Comprehension): string[] {
  const { op } = node.reduction!;
  const result = op === "argmax" || op === "argmin" ? "at" : "acc";
  return definitions(node).length === 2
    ? [`best[o] = acc;`, `out[o++] = ${result};`]
    : [`out[o++] = ${result};`];
}
