/** The order in which functions are checked: callees before callers, so that a long chain of calls needs no deep stack. */
import type { FunctionInfo, ModuleInfo } from "./program.ts";

/** The module's functions, each after those that its text names; within a circle in any order. */
export function inCallOrder(module: ModuleInfo): FunctionInfo[] {
  const ordered: FunctionInfo[] = [];
  const seen = new Set<FunctionInfo>();
  for (const root of module.exports.values()) {
    if (root.kind !== "function" || seen.has(root)) continue;
    seen.add(root);
    const path = [{ info: root, callees: calleesOf(module, root) }];
    for (let last = path.at(-1); last !== undefined; last = path.at(-1)) {
      const next = last.callees.pop();
      if (next === undefined) {
        ordered.push(last.info);
        path.pop();
      } else if (!seen.has(next)) {
        seen.add(next);
        path.push({ info: next, callees: calleesOf(module, next) });
      }
    }
  }
  return ordered;
}

/** The functions of the module that a function's text names; a local of the same name counts too, which does no harm. */
function calleesOf(module: ModuleInfo, info: FunctionInfo): FunctionInfo[] {
  const callees = new Set<FunctionInfo>();
  const pending: object[] = [info.decl];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if ("kind" in node && node.kind === "name" && "name" in node && typeof node.name === "string") {
      const top = module.exports.get(node.name);
      if (top?.kind === "function") callees.add(top);
    }
    for (const [key, value] of Object.entries(node)) {
      if (typeof value === "object" && value !== null && !/span|head/i.test(key)) pending.push(value);
    }
  }
  return [...callees];
}
