/** Loops of a kernel changed one by one, whatever they stand in. */
import type { Statement } from "./kernel.ts";

export type Loop = Statement & { readonly kind: "for" };

/** The statements with what stands in the place of each loop, the innermost first; the list itself where nothing has changed. */
export function changeLoops(
  list: readonly Statement[],
  change: (loop: Loop) => readonly Statement[],
): readonly Statement[] {
  let changed = false;
  const next = list.flatMap((statement): readonly Statement[] => {
    const now = inStatement(statement, change);
    changed ||= now.length !== 1 || now[0] !== statement;
    return now;
  });
  return changed ? next : list;
}

function inStatement(
  statement: Statement,
  change: (loop: Loop) => readonly Statement[],
): readonly Statement[] {
  if (statement.kind === "for") {
    const body = changeLoops(statement.body, change);
    return change(body === statement.body ? statement : { ...statement, body });
  }
  if (statement.kind !== "if") return [statement];
  const [then, otherwise] = [changeLoops(statement.then, change), changeLoops(statement.else, change)];
  return then === statement.then && otherwise === statement.else
    ? [statement]
    : [{ ...statement, then, else: otherwise }];
}
