/** What is the same in all invocations of a workgroup. */
import type { KernelExpr } from "./kernel.ts";
import { postorder } from "./traverse.ts";

/** Is it made of constants, `workgroup` and the locals in `uniform` alone? A load may give what another invocation changes: it is not. */
export function isUniform(root: KernelExpr, uniform: ReadonlySet<string>): boolean {
  return postorder(root).every((expr) => {
    switch (expr.kind) {
      case "const":
      case "apply":
      case "select":
        return true;
      case "builtin":
        return expr.name !== "invocation";
      case "local":
        return uniform.has(expr.name);
      case "load":
        return false;
    }
  });
}
