/** The names of a kernel's locals, for what is to have another one. */
import type { Statement } from "./kernel.ts";
import { blocksOf } from "./traverse.ts";

/** Gives a name that nothing has, near the one that is given. */
export type Fresh = (name: string) => string;

/** Names that nothing in these statements has: what is asked for, or with a number. */
export function freshIn(body: readonly Statement[]): Fresh {
  const taken = namesIn(body);
  return (name) => {
    let own = name;
    for (let n = 1; taken.has(own); n++) own = `${name}_${n}`;
    taken.add(own);
    return own;
  };
}

function namesIn(list: readonly Statement[], found: Set<string> = new Set()): Set<string> {
  for (const statement of list) {
    if ("name" in statement) found.add(statement.name);
    if (statement.kind === "loads") for (const name of statement.names) found.add(name);
    if (statement.kind === "for") found.add(statement.index);
    for (const block of blocksOf(statement)) namesIn(block, found);
  }
  return found;
}
