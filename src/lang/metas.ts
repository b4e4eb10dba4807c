/**
 * Unknown dimensions of inference, and the equations that tell them.
 *
 *     f32[2 * ?n] = f32[2 * m]     gives     ?n = m
 */
import { compareDims, type Verdict } from "./dim-comparison.ts";
import {
  asNumber,
  type Dim,
  dimNumber,
  dividedBy,
  exactDivDims,
  mentions,
  ofAtom,
  ofMonomial,
  scaleDim,
  subDims,
  substituteDim,
} from "./dims.ts";

/** Does a dimension hold an unknown? */
export function isOpen(dim: Dim): boolean {
  return mentions(dim, (atom) => atom.kind === "meta");
}

/** What the unknowns of one function's inference stand for. */
export class Metas {
  private readonly solutions = new Map<number, Dim>();
  private next = 0;

  /** A new unknown. */
  fresh(): Dim {
    return ofAtom({ kind: "meta", id: this.next++ });
  }

  /** The dimension with every solved unknown replaced. */
  resolve(dim: Dim): Dim {
    if (!mentions(dim, (atom) => atom.kind === "meta" && this.solutions.has(atom.id))) return dim;
    return substituteDim(dim, (atom) => {
      const solution = atom.kind === "meta" ? this.solutions.get(atom.id) : undefined;
      return solution === undefined ? null : this.resolve(solution);
    });
  }

  /**
   * Makes two dimensions equal if an unknown can be chosen for it.
   * `undecided`: it depends on unknowns that have no solution yet, or on the dimensions given later.
   */
  unify(a: Dim, b: Dim): Verdict {
    const difference = this.resolve(subDims(a, b));
    for (const { id, factor, rest } of linearUnknowns(difference)) {
      const divisor = asNumber(factor);
      const quotient = divisor === null ? null : dividedBy(scaleDim(rest, -1), divisor);
      if (quotient === null) continue;
      this.solutions.set(id, quotient);
      return "equal";
    }
    return compareDims(difference, dimNumber(0));
  }

  /** As `unify`, but an unknown may also become an exact quotient: `g * ?i = c` gives `?i = c / g`. */
  unifyByDivision(a: Dim, b: Dim): Verdict {
    const difference = this.resolve(subDims(a, b));
    for (const { id, factor, rest } of linearUnknowns(difference)) {
      if (isOpen(factor) || isOpen(rest)) continue;
      const isNegative = [...factor.monomials.values()].every((m) => m.coefficient < 0);
      const quotient = isNegative
        ? exactDivDims(rest, scaleDim(factor, -1))
        : exactDivDims(scaleDim(rest, -1), factor);
      if (quotient === null) return "different";
      this.solutions.set(id, quotient);
      return "equal";
    }
    return this.unify(a, b);
  }
}

interface LinearUnknown {
  readonly id: number;
  /** What the unknown is multiplied by; the dimension is `factor * unknown + rest`. */
  readonly factor: Dim;
  readonly rest: Dim;
}

/** The unknowns that stand in one monomial only, to the first power. */
function linearUnknowns(dim: Dim): LinearUnknown[] {
  const found: LinearUnknown[] = [];
  for (const [key, m] of dim.monomials) {
    for (const [i, atom] of m.atoms.entries()) {
      if (atom.kind !== "meta") continue;
      const factor = ofMonomial({ coefficient: m.coefficient, atoms: m.atoms.toSpliced(i, 1) });
      const rest: Dim = { monomials: new Map([...dim.monomials].filter(([k]) => k !== key)) };
      const again = [factor, rest].some((d) => mentions(d, (a) => a.kind === "meta" && a.id === atom.id));
      if (!again) found.push({ id: atom.id, factor, rest });
    }
  }
  return found;
}
