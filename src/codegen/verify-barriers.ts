/**
 * Barriers stand where all invocations of a workgroup come to them together: at the top level, and in loops nested at the top
 * level whose bounds depend on constants, `workgroup`, and the indices of such loops.
 *
 *     for k = invocation .. 64 { barrier }        // for k: a barrier stands in a loop whose bounds differ between invocations
 */
import type { Kernel, Statement } from "./kernel.ts";
import { blocksOf, contains, isLaneValue } from "./traverse.ts";
import { isUniform } from "./uniform.ts";
import { labelOf } from "./verify-types.ts";

/** The problems of a kernel's barriers. */
export function verifyBarriers(kernel: Kernel): string[] {
  return inUniform(kernel.body, new Set(), kernel);
}

/** A list of statements that all invocations go through together; `uniform` names the locals that are the same in all of them. */
function inUniform(list: readonly Statement[], outer: ReadonlySet<string>, kernel: Kernel): string[] {
  const problems: string[] = [];
  const uniform = new Set(outer);
  for (const statement of list) {
    if (statement.kind === "let") {
      if (isUniform(statement.value, uniform)) uniform.add(statement.name);
      else uniform.delete(statement.name);
    } else if (isLaneValue(statement)) {
      uniform.delete(statement.name);
      problems.push(...laneProblems(statement, kernel));
    } else if (
      statement.kind === "for" &&
      isUniform(statement.from, uniform) &&
      isUniform(statement.to, uniform)
    ) {
      problems.push(...inUniform(statement.body, new Set(uniform).add(statement.index), kernel));
    } else if (blocksOf(statement).some(meetsInside)) {
      const kinds = ["barrier", "broadcast", "exchange"] as const;
      const what = kinds.find((kind) =>
        blocksOf(statement).some((block) => contains(block, (inner) => inner.kind === kind)),
      )!;
      const where =
        statement.kind === "for"
          ? "a loop whose bounds may differ between invocations or depend on data"
          : "an if";
      problems.push(
        `${labelOf(statement)}: ${what === "exchange" ? "an" : "a"} ${what} stands in ${where}; it stands at the top level, or in loops there whose bounds depend on constants and workgroup alone`,
      );
    }
  }
  return problems;
}

function laneProblems(
  statement: Extract<Statement, { kind: "broadcast" | "exchange" }>,
  { subgroup }: Kernel,
): string[] {
  if (subgroup === undefined)
    return [`${labelOf(statement)}: ${article(statement.kind)} in a kernel that has no subgroup`];
  const lane = statement.kind === "broadcast" ? statement.lane : statement.mask;
  const isLane = Number.isInteger(lane) && lane >= 0 && lane < subgroup;
  return isLane ? [] : [`${labelOf(statement)}: there is no lane ${lane} in a subgroup of ${subgroup}`];
}

const article = (kind: "broadcast" | "exchange"): string =>
  kind === "broadcast" ? "a broadcast" : "an exchange";

function meetsInside(list: readonly Statement[]): boolean {
  return contains(list, (statement) => statement.kind === "barrier" || isLaneValue(statement));
}
