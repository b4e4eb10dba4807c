/**
 * Statements over four elements taken apart into statements over one: what they mean.
 *
 *     let (a, b, c, d) = device x[i ..]     ⟶     let a = device x[i]; let b = device x[i + 1]; …
 *
 * Whatever looks at kernels without caring how fast they are looks at them in this form.
 */
import { add, integer, load } from "./build.ts";
import type { Kernel, Statement } from "./kernel.ts";

/** The kernel with one element a statement. */
export function withoutVectors(kernel: Kernel): Kernel {
  return { ...kernel, body: apart(kernel.body) };
}

/** The statements with one element each. Stores come after all of their values have been computed. */
function apart(list: readonly Statement[]): readonly Statement[] {
  return list.flatMap((statement): readonly Statement[] => {
    switch (statement.kind) {
      case "loads":
        return statement.names.map((name, n) => ({
          kind: "let",
          name,
          value: load(statement.space, statement.array, add(statement.index, integer(n)), statement.type),
        }));
      case "stores":
        return statement.values.map((value, n) => ({
          kind: "store",
          space: statement.space,
          array: statement.array,
          index: add(statement.index, integer(n)),
          value,
        }));
      case "for":
        return [{ ...statement, body: apart(statement.body) }];
      case "if":
        return [{ ...statement, then: apart(statement.then), else: apart(statement.else) }];
      default:
        return [statement];
    }
  });
}
