/** Equations between dimensions that could not be decided when they came up, until the end of a function's check. */
import type { Diagnostic } from "./diagnostic.ts";
import { dimKey } from "./dims.ts";
import type { Dim } from "./dims.ts";
import { isOpen, type Metas } from "./metas.ts";
import type { Verdict } from "./dim-comparison.ts";
import type { Condition } from "./program.ts";

interface Equation {
  readonly about: Condition["about"];
  readonly left: Dim;
  readonly right: Dim;
  readonly report: () => Diagnostic;
}

export class Equations {
  private waiting: Equation[] = [];

  constructor(private readonly metas: Metas) {}

  /** Makes two dimensions equal if that can be done now; keeps the equation if it is undecided. */
  require(left: Dim, right: Dim, report: () => Diagnostic, about: Condition["about"] = "shapes"): Verdict {
    const verdict = this.metas.unify(left, right);
    if (verdict === "undecided") this.waiting.push({ about, left, right, report });
    return verdict;
  }

  /** Runs something whose undecided equations are of no interest. */
  without<Result>(run: () => Result): Result {
    const before = this.waiting.length;
    const result = run();
    this.waiting.length = before;
    return result;
  }

  /** Gives every equation its verdict: those that fail are reported, those that depend on dimensions to be given returned. */
  settle(diagnostics: Diagnostic[]): Condition[] {
    this.decide(diagnostics, (left, right) => this.metas.unify(left, right));
    this.decide(diagnostics, (left, right) => this.metas.unifyByDivision(left, right));
    const conditions = new Map<string, Condition>();
    for (const equation of this.waiting) {
      const left = this.metas.resolve(equation.left);
      const right = this.metas.resolve(equation.right);
      const key = `${dimKey(left)}=${dimKey(right)}`;
      if (isOpen(left) || isOpen(right) || conditions.has(key)) continue;
      conditions.set(key, { about: equation.about, left, right, diagnostic: equation.report() });
    }
    return [...conditions.values()];
  }

  /** Goes through the equations again and again while some of them are decided. */
  private decide(diagnostics: Diagnostic[], unify: Metas["unify"]): void {
    let before: number;
    do {
      before = this.waiting.length;
      this.waiting = this.waiting.filter((equation) => {
        const verdict = unify(equation.left, equation.right);
        if (verdict === "different") diagnostics.push(equation.report());
        return verdict === "undecided";
      });
    } while (this.waiting.length < before);
  }
}
