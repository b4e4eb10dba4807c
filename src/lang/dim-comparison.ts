/** What holds of dimensions whatever values their variables have. */
import { addDims, type Dim, dimNumber, mentions, ofAtom, subDims, substituteDim } from "./dims.ts";

/** What is known of the equality of two dimensions for all values of their variables. */
export type Verdict = "equal" | "different" | "undecided";

/** Are two dimensions the same for all values of their variables? */
export function compareDims(a: Dim, b: Dim): Verdict {
  const difference = subDims(a, b);
  if (difference.monomials.size === 0) return "equal";
  if (hasNoWholeRoot(difference)) return "different";
  return mentions(difference, (atom) => atom.kind !== "variable") ? "undecided" : "different";
}

/** A sum of multiples of g and a number that is none is never 0: `2*n + 1`. All atoms are whole numbers. */
function hasNoWholeRoot(dim: Dim): boolean {
  let divisor = 0;
  let constant = 0;
  for (const m of dim.monomials.values()) {
    if (m.atoms.length === 0) constant = m.coefficient;
    else divisor = greatestCommonDivisor(divisor, Math.abs(m.coefficient));
  }
  return divisor === 0 ? constant !== 0 : constant % divisor !== 0;
}

function greatestCommonDivisor(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/**
 * Is the dimension at least 0 whatever values of at least 1 its variables have? Shown by writing each variable as
 * 1 + v' and finding no negative coefficient; false may also mean that it could not be shown.
 */
export function alwaysNonNegative(dim: Dim): boolean {
  if (mentions(dim, (atom) => atom.kind !== "variable")) return false;
  const shifted = substituteDim(dim, (atom) => addDims(ofAtom(atom), dimNumber(1)));
  return [...shifted.monomials.values()].every((m) => m.coefficient >= 0);
}
