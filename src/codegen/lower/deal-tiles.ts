/**
 * Points in small tiles, dealt to invocations one after the other.
 *
 *     for first = 0 .. 588 step 64 {
 *       let point = first + invocation
 *       let i = point / 12; let k = point % 12 * 2
 *       …                                                a tile of two points, k and k + 1
 *     }
 */
import { add, integer, invocation, less, local, minimum, mul, workgroup } from "../build.ts";
import type { KernelExpr } from "../kernel.ts";
import { type Emission, type Instance, type Point, variable } from "./emission.ts";
import { clearTogether } from "./keyed.ts";
import type { Dealing, Extent } from "./phase.ts";
import { lowerSideBySide, type PhaseVariable, split } from "./points.ts";
import { arraysStored, type PhaseReads } from "./reads.ts";
import { sequence } from "./lists.ts";
import { block, freshName, nameHere, write } from "./scopes.ts";
import { addsInMemory } from "./segments.ts";
import { chooseTile } from "./tile.ts";

/** Writes instances at all points of their variables. */
export function lowerTiles(
  emission: Emission,
  variables: readonly PhaseVariable[],
  instances: readonly Instance[],
  phaseReads: PhaseReads,
  region: Point,
  dealing: Dealing,
): Extent {
  // A column in memory that a tile folds back onto would be added to twice.
  const adding = instances.filter((instance) => addsInMemory(emission, instance));
  const isExact = adding.length > 0;
  const { leastTiles } = dealing;
  const factors = chooseTile(emission, { variables, instances, phaseReads, leastTiles, isExact });
  const counts = variables.map(({ size }, i) => Math.ceil(size / factors[i]!));
  const tiles = counts.reduce((product, n) => product * n, 1);

  const fill = (at: KernelExpr, guard: KernelExpr | null): void => {
    const places = split(at, counts);
    const lists = variables.map(({ name, size }, i) => {
      const base = nameHere(emission.scopes, mul(places[i]!, integer(factors[i]!)), name);
      const whole = size % (factors[i] ?? 1) === 0;
      return sequence(factors[i]!).map((n) =>
        whole || n === 0
          ? variable(emission, name, base, n)
          : variable(
              emission,
              name,
              nameHere(emission.scopes, minimum(add(base, integer(n)), integer(size - 1)), name),
            ),
      );
    });
    lowerSideBySide(emission, variables, lists, instances, region, () => guard);
  };
  // Reductions have loads to share.
  const isTogether = phaseReads.reductions > 0 && mayRepeat(emission, instances, phaseReads);
  const invocations = invocationsFor(tiles, dealing);
  const isOnePoint = variables.every(({ size }) => size === 1);
  // What reductions read may be overwritten if they are shared through memory: a barrier parts the two (`lowerUnderGuards`).
  const isShared =
    isOnePoint &&
    dealing.sharing !== null &&
    phaseReads.reductions > 0 &&
    !isExact &&
    (dealing.sharing === "memory" || storesNone(emission, instances, phaseReads.arraysInReductions));
  if (dealing.over === "workgroup" && !dealing.isSubgroup && tiles < invocations)
    clearTogether(emission, adding, invocations);
  if (isShared) emission.sharing = { lanes: invocations, through: dealing.sharing! };
  deal(emission, tiles, { ...dealing, invocations }, isTogether || isShared, fill);
  emission.sharing = null;
  return { workgroups: Math.ceil(tiles / invocations), invocations };
}

/** No workgroup has fewer invocations than this. */
const fewestInvocations = 8;

/** The invocations of a workgroup: fewer than is usual where few tiles would leave workgroups idle. */
function invocationsFor(tiles: number, { invocations, leastWorkgroups }: Dealing): number {
  let few = invocations;
  while (few > fewestInvocations && few % 2 === 0 && Math.ceil(tiles / few) < leastWorkgroups) few /= 2;
  return few;
}

/**
 * Has every tile computed by one invocation. Loops run alike in all invocations, and conditions stand only where the last turn has
 * fewer tiles than invocations: what lanes do together costs least. With `isTogether` even there all come along, those that have
 * no tile with the last one, whose results they don't store: so that they can share what they load.
 */
function deal(
  emission: Emission,
  tiles: number,
  { invocations, over }: Dealing,
  isTogether: boolean,
  fill: (tile: KernelExpr, guard: KernelExpr | null) => void,
): void {
  const { scopes } = emission;
  const guarded = (tile: KernelExpr): void => {
    const name = freshName(scopes, "point");
    scopes.depths.set(name, scopes.open.length);
    write(scopes, { kind: "let", name, value: tile });
    const place = local(name, "i32");
    const hasTile = tiles % invocations === 0 ? null : less(place, integer(tiles));
    const body = block(scopes, [name], () => {
      if (hasTile === null || !isTogether) return fill(place, null);
      fill(nameHere(scopes, minimum(place, integer(tiles - 1)), "point"), hasTile);
    });
    if (hasTile === null || isTogether) for (const statement of body) write(scopes, statement);
    else write(scopes, { kind: "if", condition: hasTile, then: body, else: [] });
  };
  if (over === "all") return guarded(add(mul(workgroup, integer(invocations)), invocation));
  if (tiles === 1) {
    const isFirst = less(invocation, integer(1));
    const body = block(scopes, [], () => fill(integer(0), isTogether ? isFirst : null));
    if (isTogether) return body.forEach((statement) => write(scopes, statement));
    write(scopes, { kind: "if", condition: isFirst, then: body, else: [] });
    return;
  }
  if (tiles <= invocations) return guarded(invocation);
  const name = freshName(scopes, "first");
  const body = block(scopes, [name], () => guarded(add(local(name, "i32"), invocation)));
  write(scopes, { kind: "for", index: name, from: integer(0), to: integer(tiles), step: invocations, body });
}

/** May several invocations compute a point, of which one stores it? Not where something that is stored is read or added to. */
export function mayRepeat(
  emission: Emission,
  instances: readonly Instance[],
  { arrays }: PhaseReads,
): boolean {
  return (
    !instances.some((instance) => addsInMemory(emission, instance)) && storesNone(emission, instances, arrays)
  );
}

/** Are none of these arrays stored to? */
function storesNone(
  emission: Emission,
  instances: readonly Instance[],
  arrays: ReadonlySet<string>,
): boolean {
  return [...arraysStored(emission, instances)].every((array) => !arrays.has(array));
}
