/**
 * The statements of a kernel as lines of WGSL.
 *
 *     for k = invocation .. n - 1 step 64 { … }   ⟶   let t0 = n - 1;  for (var k: i32 = invocation_index; k < t0; k += 64) { … }
 */
import { bare, infix } from "../ir/wgsl-text.ts";
import { withOffset } from "./build.ts";
import type { BuiltinName, KernelExpr, Statement } from "./kernel.ts";
import { blocksOf, expressionsOf, postorder } from "./traverse.ts";
import { type PrintedExpressions, printExpressions } from "./wgsl-expression.ts";
import type { Memory } from "./wgsl-memory.ts";
import type { Names } from "./wgsl-names.ts";

/** What the statements of a kernel refer to. */
export interface StatementPlace {
  readonly names: Names;
  readonly memory: Memory;
  readonly builtin: (name: BuiltinName) => string;
  /** What is added to the bounds of loops: a zero that the driver does not know for one, or nothing. */
  readonly unknownZero: () => string | null;
  /** Does a driver that runs on a CPU compile it? */
  readonly isSoftware: boolean;
}

/** The body of a kernel, a line each. */
export function printStatements(body: readonly Statement[], place: StatementPlace): string[] {
  const { names, memory } = place;
  const variables = variablesOf(body);
  const barriers = hasDeviceExchange(body)
    ? ["workgroupBarrier();", "storageBarrier();"]
    : ["workgroupBarrier();"];
  const print = (...roots: readonly KernelExpr[]): PrintedExpressions =>
    printExpressions(roots, {
      names,
      builtin: place.builtin,
      load: ({ space, array, type }, index) => memory.load(space, array, type, index),
    });
  const block = (statements: readonly Statement[]): string[] =>
    statements.flatMap((statement) => lines(statement));
  const inner = (statements: readonly Statement[]): string[] => block(statements).map((line) => `  ${line}`);

  const lines = (statement: Statement): string[] => {
    switch (statement.kind) {
      case "let": {
        const { lets, texts } = print(statement.value);
        return [...lets, `let ${names.of("local", statement.name)} = ${bare(texts[0] ?? "")};`];
      }
      case "var": {
        const { lets, texts } = print(statement.init);
        const name = names.of("local", statement.name);
        return [...lets, `var ${name}: ${statement.type} = ${bare(texts[0] ?? "")};`];
      }
      case "assign": {
        const { lets, texts } = print(statement.value);
        return [...lets, `${names.of("local", statement.name)} = ${bare(texts[0] ?? "")};`];
      }
      case "array":
        return [`var ${names.of("array", statement.name)}: array<${statement.type}, ${statement.length}>;`];
      case "store": {
        const { lets, texts } = print(statement.index, statement.value);
        const [index = "", value = ""] = texts;
        return [...lets, memory.store(statement.space, statement.array, index, value)];
      }
      case "loads": {
        const [base, further] = inVectors(statement.index, place.isSoftware);
        const { lets, texts } = print(base);
        const own = statement.names.map((name) => names.of("local", name));
        return [...lets, ...memory.loadFour(statement, texts[0] ?? "", further, own, names.temporary)];
      }
      case "stores": {
        const { lets, texts } = print(statement.index, ...statement.values);
        const [index = "", ...values] = texts;
        return [...lets, ...memory.storeFour(statement, index, values)];
      }
      case "broadcast":
      case "exchange": {
        const { lets, texts } = print(statement.value);
        const own = bare(texts[0] ?? "");
        const value =
          statement.kind === "broadcast"
            ? `subgroupBroadcast(${own}, ${statement.lane}u)`
            : `subgroupShuffleXor(${own}, ${statement.mask}u)`;
        return [...lets, `let ${names.of("local", statement.name)} = ${value};`];
      }
      case "for": {
        const { lets, texts } = print(statement.from, statement.to);
        const [from = "", to = ""] = texts;
        const index = names.of("local", statement.index);
        // WGSL evaluates the condition in every turn; the kernel's bound stands for the whole loop.
        const zero = place.unknownZero();
        const isFixed = zero === null && isUnchanging(statement.to, variables);
        const bound = isFixed ? to : names.temporary();
        const step = statement.step === 1 ? `${index}++` : `${index} += ${statement.step}`;
        return [
          ...lets,
          ...(isFixed ? [] : [`let ${bound} = ${bare(zero === null ? to : infix(to, "+", zero))};`]),
          `for (var ${index}: i32 = ${bare(from)}; ${index} < ${bound}; ${step}) {`,
          ...inner(statement.body),
          "}",
        ];
      }
      case "if": {
        const { lets, texts } = print(statement.condition);
        const otherwise = statement.else.length === 0 ? [] : ["} else {", ...inner(statement.else)];
        return [...lets, `if (${bare(texts[0] ?? "")}) {`, ...inner(statement.then), ...otherwise, "}"];
      }
      case "barrier":
        return barriers;
    }
  };
  return block(body);
}

/**
 * An index without a constant that it adds, and the vectors of four that this is: the number of the vector at the rest is worked out once for
 * neighbours. Software drivers have it in one.
 */
function inVectors(index: KernelExpr, isWhole: boolean): readonly [base: KernelExpr, further: number] {
  const [base, offset] = withOffset(index);
  return isWhole || base.kind === "const" || offset % 4 !== 0 ? [index, 0] : [base, offset / 4];
}

/** Has the expression one value throughout a loop, at no cost? */
function isUnchanging(expr: KernelExpr, variables: ReadonlySet<string>): boolean {
  return (
    expr.kind === "const" || expr.kind === "builtin" || (expr.kind === "local" && !variables.has(expr.name))
  );
}

/** The names of the locals that can be assigned to. */
function variablesOf(body: readonly Statement[]): ReadonlySet<string> {
  return new Set(
    allStatements(body).flatMap((statement) => (statement.kind === "var" ? [statement.name] : [])),
  );
}

/** Is device memory that the kernel writes also read in it, so that barriers must cover it? */
function hasDeviceExchange(body: readonly Statement[]): boolean {
  const statements = allStatements(body);
  const written = new Set(
    statements.flatMap((statement) =>
      (statement.kind === "store" || statement.kind === "stores") && statement.space === "device"
        ? [statement.array]
        : [],
    ),
  );
  if (written.size === 0) return false;
  if (statements.some((s) => s.kind === "loads" && s.space === "device" && written.has(s.array))) return true;
  return statements.some((statement) =>
    postorder(...expressionsOf(statement)).some(
      (expr) => expr.kind === "load" && expr.space === "device" && written.has(expr.array),
    ),
  );
}

/** All statements, those inside others included. */
function allStatements(body: readonly Statement[]): Statement[] {
  return body.flatMap((statement) => [statement, ...blocksOf(statement).flatMap(allStatements)]);
}
