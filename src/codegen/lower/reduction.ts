/**
 * Reductions as loops over accumulators.
 *
 *     sum k<24. %x[i, k] * %c[j, k]     at i, i + 1        ⟶     var sum = 0; var sum_1 = 0
 *                                                                for k = 0 .. 24 step 4 { sum = sum + x[…] * c[…] … }
 *
 * It is written at the depth of what it depends on, for all side-by-side points at once: their loops are one, and what
 * two points load alike is loaded once. That is register tiling, wherever the points come from.
 */
import { constantExtent } from "../../ir/extent.ts";
import type { Comprehension, Expr } from "../../ir/ir.ts";
import { indicesIn, postorder } from "../../ir/traverse.ts";
import { add, integer, invocation, less, local, mul } from "../build.ts";
import type { KernelExpr } from "../kernel.ts";
import type { Slabs } from "./stage.ts";
import { type Emission, type Instance, type Point, variable, type Variable } from "./emission.ts";
import { accumulatorFor, combine, type Lower } from "./accumulator.ts";
import { combinations, sequence } from "./lists.ts";
import { inSlabs, placeInSlab, slabsAt } from "./fill.ts";
import { withGuardedFactors } from "./guarded.ts";
import { split } from "./points.ts";
import { isRun } from "./runs.ts";
import { addsInMemory } from "./segments.ts";
import { combineLanes, sharedTurns } from "./share.ts";
import { atDepth, block, branch, depthOf, freshName, known, nameHere, remember, write } from "./scopes.ts";

/** The value of the reduction at a point; of `argmax` and `argmin` the position, or with `best` the value there. */
export function reduce(
  emission: Emission,
  instance: Instance,
  best: boolean,
  point: Point,
  lower: Lower,
): KernelExpr {
  const { scopes } = emission;
  const keyAt = ({ key, variables }: Instance, at: Point, part: "value" | "best"): string =>
    `${part} ${key}@${variables.map((name) => at.get(name)!.id).join(",")}`;
  const wanted = keyAt(instance, point, best ? "best" : "value");
  const before = known(scopes, wanted);
  if (before !== undefined) return before;

  const points = sideBySide(emission, instance, point);
  const depth = instance.variables.reduce(
    (deepest, name) => Math.max(deepest, depthOf(scopes, point.get(name)!.base)),
    // Never outside of the points of a phase, where every invocation would do it.
    Math.max(scopes.floor, 1),
  );
  const outside = emission.context;
  const wasAhead = emission.isAhead;
  const left = emission.loops.findIndex((loop) => loop.depth > depth);
  const aside = left < 0 ? [] : emission.loops.splice(left);
  // A point beside the one that is wanted may be one that a condition keeps out.
  emission.isAhead ||= aside.length > 0 || points.length > 1;
  atDepth(scopes, depth, () => {
    const slabs = slabsAt(emission, instance, depth);
    const together = slabs?.reductions ?? [withOwnGuards(emission, instance)];
    const sums = together.flatMap((of) =>
      (of.key === instance.key ? points : sideBySide(emission, of, point)).map((at) => ({
        of,
        at,
        sum: accumulatorFor(emission, of, at, lower),
      })),
    );
    const isShared = overAxes(
      emission,
      together[0]!,
      sums.map(({ at }) => at),
      lower,
      (at, i) => sums[i]!.sum.take(at),
      slabs,
    );
    for (const { of, at, sum } of sums) {
      const value = isShared ? combinedOver(emission, of, sum.value) : sum.value;
      remember(scopes, keyAt(of, at, "value"), value, depth);
      if (sum.best !== null) remember(scopes, keyAt(of, at, "best"), sum.best, depth);
    }
  });
  emission.loops.push(...aside);
  emission.isAhead = wasAhead;
  emission.context = outside;
  return known(scopes, wanted)!;
}

/** In a block, conditions that stand around a product stand at its factors: one test for each row or column, not for each of their pairs. */
function withOwnGuards(emission: Emission, instance: Instance): Instance {
  if (emission.sides === null) return instance;
  const guarded = withGuardedFactors(emission, instance, emission.sides);
  if (guarded === instance) return instance;
  for (const expr of postorder(guarded.body)) if (expr.kind === "select") emission.shared.add(expr);
  return guarded;
}

/** What the lanes that shared a reduction have, combined as it combines. */
export function combinedOver(emission: Emission, { node }: Instance, own: KernelExpr): KernelExpr {
  const { op } = node.reduction!;
  if (op === "argmax" || op === "argmin") throw new Error(`the turns of ${op} are not shared`);
  return combineLanes(emission, own, node.name, (a, b) => combine(op, a, b));
}

/**
 * Writes the loops over the reduction axes, and in them, for every side-by-side point and turn, what `take` writes. It is told the
 * point with the turn's variables, and the number of the point it came from. True where lanes have shared the turns, so that each
 * has a part of the result.
 */
export function overAxes(
  emission: Emission,
  instance: Instance,
  points: readonly Point[],
  lower: Lower,
  take: (at: Point, point: number) => void,
  slabs: Slabs | null = null,
): boolean {
  const { scopes } = emission;
  // What is further out than a slab comes one after the other.
  const unrolls = unrollsOf(emission, instance, points.length).map((unroll, level) =>
    level < (slabs?.level ?? 0) ? 1 : unroll,
  );
  const shared = sharedTurns(emission, instance);
  const nest = (level: number, turns: readonly (readonly Variable[])[]): void => {
    emission.context = instance.contexts[level]!;
    const axis = instance.axes[level];
    if (axis === undefined) {
      for (const turn of combinations(turns))
        points.forEach((point, i) => take(withVariables(point, turn), i));
      return;
    }
    // Bounds are the same for all points that are side by side.
    const here = withVariables(
      points[0]!,
      turns.map((list) => list[0]!),
    );
    const from = lower(emission, axis.lo, here);
    const to = lower(emission, axis.hi, here);
    const within = (variables: readonly Variable[]): void => {
      emission.tile.set(axis.name, variables);
      nest(level + 1, [...turns, variables]);
      emission.tile.delete(axis.name);
    };
    const isStaged = slabs !== null && level >= slabs.level;
    /** Turns that follow one another, from one on that is `place` turns after the first of the axis, or of its slab. */
    const turnsFrom = (count: number, base: KernelExpr, place: KernelExpr, after = 0): readonly Variable[] =>
      sequence(count).map((n) => {
        const turn = variable(emission, axis.name, base, n);
        if (isStaged) placeInSlab(emission, turn, place, after + n);
        return turn;
      });
    const loop = (start: KernelExpr, end: KernelExpr, step: number, first?: KernelExpr): void => {
      const index = freshName(scopes, axis.name);
      const turn = local(index, "i32");
      const body = block(scopes, [index], () => {
        if (first === undefined)
          return within(turnsFrom(step, turn, turn, start.kind === "const" ? -start.value : 0));
        // In a slab hardly anything is read by the turn itself.
        const base = isStaged ? add(first, turn) : nameHere(scopes, add(first, turn), axis.name);
        within(turnsFrom(step, base, turn));
      });
      write(scopes, { kind: "for", index, from: start, to: end, step, body });
    };
    const span = (first: KernelExpr, count: number, most: number): void => {
      if (count <= most) return within(turnsFrom(count, first, integer(0)));
      const whole = count - (count % most);
      // Where it begins depends on the point, but not how long it is.
      if (first.kind === "const") loop(first, integer(first.value + whole), most);
      else loop(integer(0), integer(whole), most, first);
      if (whole < count) within(turnsFrom(count - whole, add(first, integer(whole)), integer(whole)));
    };
    const unroll = unrolls[level]!;
    const extent = constantExtent(axis, emission.context);
    if (extent === null) {
      emission.loops.push({ depth: scopes.open.length, context: emission.context });
      loop(from, to, 1);
      emission.loops.pop();
      return;
    }
    if (extent <= 0) return;
    if (level === shared?.level)
      return shared.isFlat ? dealFlat(level, turns, here) : dealTurns(from, extent, unroll, within);
    if (slabs === null || level !== slabs.level) return span(from, extent, unroll);
    inSlabs(emission, slabs, from, here, lower, (first, count) => {
      const isWhole = count * turnsInside(slabs) * points.length <= productsOfSlab;
      span(first, count, isWhole ? count : Math.min(unroll, count));
    });
  };
  /** Each lane takes `unroll` turns that follow one another, then those of the next round. */
  const dealTurns = (
    from: KernelExpr,
    extent: number,
    most: number,
    within: (variables: readonly Variable[]) => void,
  ): void => {
    const { name } = instance.axes[shared!.level]!;
    const { lanes, through } = emission.sharing!;
    // With some left over, a few lanes take as many once more.
    const round = through === "subgroup" ? 1 : lanes;
    const unroll = [4, 2].find((turns) => turns <= most && extent % (turns * round) === 0) ?? 1;
    const at = (first: KernelExpr): readonly Variable[] => {
      const base = nameHere(scopes, add(first, mul(invocation, integer(unroll))), name);
      return sequence(unroll).map((n) => variable(emission, name, base, n));
    };
    const step = lanes * unroll;
    const whole = extent - (extent % step);
    if (whole > 0) {
      const index = freshName(scopes, name);
      const body = block(scopes, [index], () => within(at(add(from, local(index, "i32")))));
      write(scopes, { kind: "for", index, from: integer(0), to: integer(whole), step, body });
    }
    if (whole === extent) return;
    const then = branch(scopes, () => within(at(add(from, integer(whole)))));
    const some = integer((extent - whole) / unroll);
    write(scopes, { kind: "if", condition: less(invocation, some), then, else: [] });
  };
  /** All turns of the axes from `first` on, as if they were one axis: neighbouring lanes take neighbouring turns, round after round. */
  const dealFlat = (first: number, outer: readonly (readonly Variable[])[], point: Point): void => {
    const axes = instance.axes.slice(first);
    const extents = axes.map((axis, i) => constantExtent(axis, instance.contexts[first + i]!)!);
    const count = extents.reduce((product, extent) => product * extent, 1);
    const { lanes } = emission.sharing!;
    const takeTurn = (turn: KernelExpr): void => {
      const places = split(nameHere(scopes, turn, "turn"), extents);
      let here = point;
      const own = axes.map((axis, i): readonly Variable[] => {
        const base = nameHere(scopes, add(lower(emission, axis.lo, here), places[i]!), axis.name);
        const place = variable(emission, axis.name, base);
        here = withVariables(here, [place]);
        emission.tile.set(axis.name, [place]);
        return [place];
      });
      nest(instance.axes.length, [...outer, ...own]);
      for (const { name } of axes) emission.tile.delete(name);
    };
    const most = emission.bodiesInLoop / (bodiesOfRound * points.length);
    const atOnce = [4, 2].find((rounds) => rounds <= most && rounds * lanes <= count) ?? 1;
    const step = lanes * atOnce;
    const whole = count - (count % step);
    if (whole > 0) {
      const index = freshName(scopes, "turn");
      const start = add(local(index, "i32"), invocation);
      const body = block(scopes, [index], () =>
        sequence(atOnce).forEach((round) => takeTurn(add(start, integer(round * lanes)))),
      );
      write(scopes, { kind: "for", index, from: integer(0), to: integer(whole), step, body });
    }
    for (let turn = whole; turn < count; turn += lanes) {
      const left = count - turn;
      if (left >= lanes) {
        // One deeper, so that what is reduced in a turn is not shared itself.
        for (const statement of block(scopes, [], () => takeTurn(add(invocation, integer(turn)))))
          write(scopes, statement);
        continue;
      }
      const then = branch(scopes, () => takeTurn(add(invocation, integer(turn))));
      write(scopes, { kind: "if", condition: less(invocation, integer(left)), then, else: [] });
    }
  };
  nest(0, []);
  return shared !== null;
}

/** A round of turns of several axes, with their places, counts for so many bodies. */
const bodiesOfRound = 16;

/** So many times as many bodies may stand in a loop that is written out because its turns are a run in memory. */
const runBodies = 2;

/** A segment sum loads and stores at every turn: it counts for so many bodies. */
const keyedBodies = 4;

/** So many products of a slab are written out at once: then all places in its tiles are constants, or nearly. */
const productsOfSlab = 512;

/** Turns of the axes inside the one of which a slab has some. */
function turnsInside({ level, extents }: Slabs): number {
  return extents.slice(level + 1).reduce((product, extent) => product * extent, 1);
}

/** How many turns of each axis are written side by side: of the innermost, and of one further out once those inside are whole. */
function unrollsOf(emission: Emission, instance: Instance, points: number): number[] {
  const reads = postorder(instance.body).filter((e) => e.kind === "read");
  const nests = readsReduction(emission, instance.body);
  // Points that cannot share the loop are written one after the other, each with a loop of its own.
  const written = tiledVariables(emission, instance).reduce(
    (n, name) => n * emission.tile.get(name)!.length,
    1,
  );
  const bodies = Math.max(points, written) * Math.max(1, reads.length) * (nests ? 2 : 1);
  const weight = instance.keys.length > 0 ? keyedBodies : 1;
  let room = Math.max(1, Math.floor(emission.bodiesInLoop / (bodies * weight)));
  // Reductions inside a reduction share what they load with those of its neighbouring turns: the rows of a contraction.
  if (nests) room = Math.max(room, Math.floor(emission.nestedSums / Math.max(points, written)));
  const most = nests ? 16 : addsInMemory(emission, instance) ? emission.turnsOfSegments : 4;
  const unrolls = instance.axes.map(() => 1);
  for (let level = instance.axes.length - 1; level >= 0; level--) {
    const extent = constantExtent(instance.axes[level]!, instance.contexts[level]!);
    if (extent === null) break;
    const isWhole =
      emission.runs !== null &&
      extent * Math.max(points, written) <= runBodies * emission.bodiesInLoop &&
      isRun(emission, instance, level, extent);
    if (isWhole) emission.runs! += 1;
    if (isWhole || extent <= Math.min(room, nests ? 16 : 8)) unrolls[level] = Math.max(1, extent);
    else {
      unrolls[level] = [16, 8, 4, 2, 1].find((turns) => turns <= Math.min(room, most))!;
      break;
    }
    // What is written out whole may have taken more than there was.
    room = Math.max(1, Math.floor(room / Math.max(1, extent)));
  }
  return unrolls;
}

/** Does the expression read a reduction that is computed where it is read, be it through other nodes that are? */
function readsReduction(emission: Emission, root: Expr): boolean {
  const seen = new Set<Comprehension>();
  const visit = (expr: Expr): boolean =>
    postorder(expr).some((e) => {
      const node = e.kind === "read" ? emission.computed.get(e.tensor) : undefined;
      if (node === undefined || seen.has(node)) return false;
      seen.add(node);
      return node.reduction !== null || visit(node.body);
    });
  return visit(root);
}

/** The points that are written together with this one: all of the tile that the instance tells apart. */
export function sideBySide(emission: Emission, instance: Instance, point: Point): readonly Point[] {
  if (emission.scopes.floor > 0) return [point];
  if (!isAlike(emission, instance)) return [point];
  const tiled = tiledVariables(emission, instance);
  const lists = tiled.map((name) => emission.tile.get(name)!);
  // A tile of another shape is being written further out.
  if (tiled.some((name, i) => !lists[i]!.includes(point.get(name)!))) return [point];
  return combinations(lists).map((turn) => withVariables(point, turn));
}

/** Do points that are side by side have the same bounds of every reduction axis, so that their loops can be one? */
export function isAlike(emission: Emission, instance: Instance): boolean {
  const bounds = indicesIn(instance.axes.flatMap(({ lo, hi }) => [lo, hi]));
  return !tiledVariables(emission, instance).some((name) => bounds.has(name));
}

function tiledVariables(emission: Emission, instance: Instance): readonly string[] {
  return instance.variables.filter((name) => (emission.tile.get(name)?.length ?? 1) > 1);
}

/** The point with other instances of some variables. */
export function withVariables(point: Point, instances: readonly Variable[]): Point {
  if (instances.length === 0) return point;
  const next = new Map(point);
  for (const instance of instances) next.set(instance.name, instance);
  return next;
}
