/** How a kernel may see the values that it touches: in other axes than they have, over the same elements in memory. */
import type { Group } from "../../fusion/plan.ts";
import type { ValueName, ValueType } from "../../ir/ir.ts";

/** A group, and the types of the values that it touches, as it sees them. */
export interface View {
  readonly group: Group;
  readonly types: ReadonlyMap<ValueName, ValueType>;
}
