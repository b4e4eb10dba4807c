/**
 * Dimensions as polynomials with integer coefficients.
 *
 *     (h + 2*p - 3) // 2 + 1     is     p + 1 + floor((h - 3) / 2)      (normalised: p + floor((h + 1) / 2) - 1)
 *
 * A polynomial's unknowns are *atoms*: a function's dimension variables, unknowns of inference (metas), and what is no
 * polynomial: floor division, remainder, exact division. Two dimensions are equal for all values when their normal forms are.
 */

export type Atom =
  | { readonly kind: "variable"; readonly name: string }
  /** An unknown of inference; `Metas` says what it stands for. */
  | { readonly kind: "meta"; readonly id: number }
  | { readonly kind: "floor" | "mod" | "exact"; readonly left: Dim; readonly right: Dim };

export interface Monomial {
  readonly coefficient: number;
  /** Sorted by key; an atom to the power two stands twice. */
  readonly atoms: readonly Atom[];
}

/** A sum of monomials by key; no coefficient is 0. */
export interface Dim {
  readonly monomials: ReadonlyMap<string, Monomial>;
}

const keys = new WeakMap<Dim, string>();

/** A text that is equal for two dimensions exactly when they have one normal form. */
export function dimKey(dim: Dim): string {
  let key = keys.get(dim);
  if (key === undefined) {
    key = [...dim.monomials]
      .map(([k, m]) => `${m.coefficient}·${k}`)
      .sort()
      .join("+");
    keys.set(dim, key);
  }
  return key;
}

function atomKey(atom: Atom): string {
  switch (atom.kind) {
    case "variable":
      return atom.name;
    case "meta":
      return `?${atom.id}`;
    default:
      return `${atom.kind}(${dimKey(atom.left)},${dimKey(atom.right)})`;
  }
}

/** Thrown by arithmetic whose result is beyond what a program could mean. */
export class DimensionOverflow extends Error {}

const mostTerms = 1000;

function fromMonomials(list: Iterable<Monomial>): Dim {
  const monomials = new Map<string, Monomial>();
  for (const m of list) {
    const key = m.atoms.map(atomKey).join("*");
    const coefficient = (monomials.get(key)?.coefficient ?? 0) + m.coefficient;
    if (coefficient === 0) monomials.delete(key);
    else monomials.set(key, { coefficient, atoms: m.atoms });
    if (monomials.size > mostTerms || Math.abs(coefficient) > Number.MAX_SAFE_INTEGER)
      throw new DimensionOverflow();
  }
  return { monomials };
}

/** A dimension that is one monomial. */
export function ofMonomial(monomial: Monomial): Dim {
  return fromMonomials([monomial]);
}

/** A dimension that is one atom. */
export function ofAtom(atom: Atom): Dim {
  return ofMonomial({ coefficient: 1, atoms: [atom] });
}

/** A number. */
export function dimNumber(value: number): Dim {
  return fromMonomials(value === 0 ? [] : [{ coefficient: value, atoms: [] }]);
}

/** A dimension variable. */
export function dimVariable(name: string): Dim {
  return ofAtom({ kind: "variable", name });
}

/** The number if the dimension is one, else null. */
export function asNumber(dim: Dim): number | null {
  if (dim.monomials.size === 0) return 0;
  if (dim.monomials.size > 1) return null;
  const [m] = dim.monomials.values();
  return m!.atoms.length === 0 ? m!.coefficient : null;
}

export function addDims(a: Dim, b: Dim): Dim {
  return fromMonomials([...a.monomials.values(), ...b.monomials.values()]);
}

export function scaleDim(a: Dim, factor: number): Dim {
  return fromMonomials([...a.monomials.values()].map((m) => ({ ...m, coefficient: m.coefficient * factor })));
}

/** The dimension with every coefficient divided by a number, or null when one does not divide. */
export function dividedBy(a: Dim, divisor: number): Dim | null {
  const list = [...a.monomials.values()];
  if (list.some((m) => m.coefficient % divisor !== 0)) return null;
  return fromMonomials(list.map((m) => ({ ...m, coefficient: m.coefficient / divisor })));
}

export function subDims(a: Dim, b: Dim): Dim {
  return addDims(a, scaleDim(b, -1));
}

export function mulDims(a: Dim, b: Dim): Dim {
  let result: Dim = dimNumber(0);
  for (const x of a.monomials.values()) {
    for (const y of b.monomials.values()) result = addDims(result, mulMonomials(x, y));
  }
  return result;
}

/** `exact(n, d) * d` is `n`. */
function mulMonomials(x: Monomial, y: Monomial): Dim {
  const atoms = [...x.atoms, ...y.atoms].sort((p, q) => (atomKey(p) < atomKey(q) ? -1 : 1));
  const product: Monomial = { coefficient: x.coefficient * y.coefficient, atoms };
  for (const [i, atom] of atoms.entries()) {
    if (atom.kind !== "exact" || atom.right.monomials.size !== 1) continue;
    const [divisor] = atom.right.monomials.values();
    const quotient = divideMonomial({ ...product, atoms: atoms.toSpliced(i, 1) }, divisor!);
    if (quotient !== null) return mulDims(atom.left, fromMonomials([quotient]));
  }
  return fromMonomials([product]);
}

/** The quotient if `b` divides `a` in coefficient and atoms, else null. */
function divideMonomial(a: Monomial, b: Monomial): Monomial | null {
  if (a.coefficient % b.coefficient !== 0) return null;
  const rest = [...a.atoms];
  for (const atom of b.atoms) {
    const at = rest.findIndex((x) => atomKey(x) === atomKey(atom));
    if (at < 0) return null;
    rest.splice(at, 1);
  }
  return { coefficient: a.coefficient / b.coefficient, atoms: rest };
}

/** `a = quotient * b + rest`, monomial by monomial; with a number `b`, the rest's coefficients are in `0 … b-1`. */
function split(a: Dim, b: Dim): { quotient: Dim; rest: Dim } {
  if (b.monomials.size !== 1) {
    return dimKey(a) === dimKey(b)
      ? { quotient: dimNumber(1), rest: dimNumber(0) }
      : { quotient: dimNumber(0), rest: a };
  }
  const [divisor] = b.monomials.values();
  const quotient: Monomial[] = [];
  const rest: Monomial[] = [];
  for (const m of a.monomials.values()) {
    const whole = divideMonomial(m, divisor!);
    if (whole !== null) {
      quotient.push(whole);
    } else if (divisor!.atoms.length === 0) {
      const q = Math.floor(m.coefficient / divisor!.coefficient);
      quotient.push({ coefficient: q, atoms: m.atoms });
      rest.push({ coefficient: m.coefficient - q * divisor!.coefficient, atoms: m.atoms });
    } else {
      rest.push(m);
    }
  }
  return { quotient: fromMonomials(quotient.filter((m) => m.coefficient !== 0)), rest: fromMonomials(rest) };
}

/** `a // b`; null when `b` is the number 0. */
export function floorDivDims(a: Dim, b: Dim): Dim | null {
  const divisor = asNumber(b);
  if (divisor === 0) return null;
  const { quotient, rest } = split(a, b);
  const left = asNumber(rest);
  if (left === 0) return quotient;
  if (left !== null && divisor !== null) return addDims(quotient, dimNumber(Math.floor(left / divisor)));
  return addDims(quotient, ofAtom({ kind: "floor", left: rest, right: b }));
}

/** `a % b`; null when `b` is the number 0. */
export function modDims(a: Dim, b: Dim): Dim | null {
  const divisor = asNumber(b);
  if (divisor === 0) return null;
  const { rest } = split(a, b);
  const left = asNumber(rest);
  if (left === 0) return rest;
  if (left !== null && divisor !== null) return dimNumber(left - divisor * Math.floor(left / divisor));
  return ofAtom({ kind: "mod", left: rest, right: b });
}

/** `a / b`, exact; null when `b` is 0 or never divides `a`. */
export function exactDivDims(a: Dim, b: Dim): Dim | null {
  const divisor = asNumber(b);
  if (divisor === 0) return null;
  const { quotient, rest } = split(a, b);
  const left = asNumber(rest);
  if (left === 0) return quotient;
  if (left !== null && divisor !== null) return null;
  return addDims(quotient, ofAtom({ kind: "exact", left: rest, right: b }));
}

/** Does any atom, at any depth, satisfy the test? */
export function mentions(dim: Dim, test: (atom: Atom) => boolean): boolean {
  for (const m of dim.monomials.values()) {
    for (const atom of m.atoms) {
      if (test(atom)) return true;
      if ("left" in atom && (mentions(atom.left, test) || mentions(atom.right, test))) return true;
    }
  }
  return false;
}

/** Replaces atoms, innermost first; `replace` gives null for an atom that stays. */
export function substituteDim(dim: Dim, replace: (atom: Atom) => Dim | null): Dim {
  let result = dimNumber(0);
  for (const m of dim.monomials.values()) {
    let product = dimNumber(m.coefficient);
    for (const atom of m.atoms) product = mulDims(product, substituteAtom(atom, replace));
    result = addDims(result, product);
  }
  return result;
}

function substituteAtom(atom: Atom, replace: (atom: Atom) => Dim | null): Dim {
  const replaced = replace(atom);
  if (replaced !== null) return replaced;
  if (!("left" in atom)) return ofAtom(atom);
  const left = substituteDim(atom.left, replace);
  const right = substituteDim(atom.right, replace);
  const rebuild = { floor: floorDivDims, mod: modDims, exact: exactDivDims }[atom.kind];
  return rebuild(left, right) ?? ofAtom({ kind: atom.kind, left, right });
}

/** The value for given dimensions; null if a variable is missing, a division is not exact, or it is not safe in a double. */
export function evaluateDim(dim: Dim, values: ReadonlyMap<string, number>): number | null {
  const valueOf = (atom: Atom): Dim | null => {
    const value = atom.kind === "variable" ? values.get(atom.name) : undefined;
    return value === undefined ? null : dimNumber(value);
  };
  try {
    return asNumber(substituteDim(dim, valueOf));
  } catch (error) {
    if (error instanceof DimensionOverflow) return null;
    throw error;
  }
}

/** The dimension as a program would write it, highest powers first; unknowns show as `_`. */
export function showDim(dim: Dim): string {
  if (dim.monomials.size === 0) return "0";
  const sorted = [...dim.monomials.values()].sort(
    (a, b) => b.atoms.length - a.atoms.length || Math.sign(b.coefficient) - Math.sign(a.coefficient),
  );
  return sorted.map((m, i) => showSign(m.coefficient, i === 0) + showMonomial(m, i === 0)).join("");
}

function showSign(coefficient: number, isFirst: boolean): string {
  if (isFirst) return coefficient < 0 ? "-" : "";
  return coefficient < 0 ? " - " : " + ";
}

/** Without its sign. */
function showMonomial(m: Monomial, isFirst: boolean): string {
  const size = Math.abs(m.coefficient);
  const [only] = m.atoms;
  if (only !== undefined && m.atoms.length === 1 && size === 1 && !(isFirst && m.coefficient < 0))
    return showAtom(only);
  const factors = m.atoms.map((atom) => ("left" in atom ? `(${showAtom(atom)})` : showAtom(atom)));
  if (size !== 1 || factors.length === 0) factors.unshift(String(size));
  return factors.join(" * ");
}

function showAtom(atom: Atom): string {
  switch (atom.kind) {
    case "variable":
      return atom.name;
    case "meta":
      return "_";
    default:
      return `${showOperand(atom.left)} ${divisionSigns[atom.kind]} ${showOperand(atom.right)}`;
  }
}

const divisionSigns = { floor: "//", mod: "%", exact: "/" } as const;

function showOperand(dim: Dim): string {
  const text = showDim(dim);
  return /^\w+$/.test(text) ? text : `(${text})`;
}

/** The names of the variables that it mentions. */
export function variablesOf(dim: Dim): Set<string> {
  const names = new Set<string>();
  mentions(dim, (atom) => {
    if (atom.kind === "variable") names.add(atom.name);
    return false;
  });
  return names;
}
