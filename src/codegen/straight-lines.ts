/** The straight lines of a kernel, each put in another order: statements that name, load or store, with nothing else between them. */
import type { Kernel, Statement } from "./kernel.ts";
import { isLaneValue, isStoring } from "./traverse.ts";

/** The kernel with each of its straight lines as `reordered` gives it. */
export function inStraightLines(
  kernel: Kernel,
  reordered: (line: readonly Statement[]) => readonly Statement[],
): Kernel {
  const inBlock = (list: readonly Statement[]): readonly Statement[] => {
    const ordered: Statement[] = [];
    let line: Statement[] = [];
    for (const statement of list) {
      if (isStoring(statement) || isNaming(statement)) {
        line.push(statement);
        continue;
      }
      ordered.push(...reordered(line), inStatement(statement));
      line = [];
    }
    return [...ordered, ...reordered(line)];
  };
  const inStatement = (statement: Statement): Statement => {
    if (statement.kind === "for") return { ...statement, body: inBlock(statement.body) };
    if (statement.kind === "if")
      return { ...statement, then: inBlock(statement.then), else: inBlock(statement.else) };
    return statement;
  };
  return { ...kernel, body: inBlock(kernel.body) };
}

function isNaming(statement: Statement): boolean {
  return statement.kind === "let" || statement.kind === "loads" || isLaneValue(statement);
}
