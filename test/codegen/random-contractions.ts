/**
 * Random contractions as text of the tensor IR: rows and columns of any size, several axes of turns, operands with padding, gathers and
 * maps before them, conditions around products, one or two reductions and something after them.
 *
 *     graph f(%a: f32[6, 9], %b: f32[9, 5]) -> (%y) { … sum t0<9. %a[r, t0] * %b[t0, c0] … }
 */
import type { RandomSource } from "../programs/random-source.ts";

interface Axis {
  readonly name: string;
  readonly size: number;
}

/** The text of a graph with a contraction. */
export function randomContraction(random: RandomSource): string {
  const { choose: of, below } = random;
  const between = (least: number, most: number): number => least + below(most - least + 1);
  const axes = (name: string, count: number, least: number, most: number): Axis[] =>
    Array.from({ length: count }, (_, i) => ({ name: `${name}${i}`, size: between(least, most) }));
  const outer = axes("b", of([0, 0, 1]), 2, 3);
  const rows = axes("r", 1, 4, 14);
  const columns = axes("c", of([1, 1, 2]), 3, 9);
  const turns = axes("t", of([1, 1, 2, 3]), of([1, 4]), 9);
  const params: string[] = [];
  const parameter = (type: string, sizes: readonly number[]): string => {
    const name = `%p${params.length}`;
    params.push(`${name}: ${type}[${sizes.join(", ")}]`);
    return name;
  };
  const shuffled = <T>(list: readonly T[]): T[] => {
    const left = [...list];
    return list.map(() => left.splice(below(left.length), 1)[0]!);
  };

  /** Something that depends on all turns and some of the axes. */
  const operand = (side: readonly Axis[]): string => {
    const own = shuffled([...side, ...turns, ...(of([true, false]) ? outer : [])]);
    const kind = of(["read", "read", "padded", "gathered", "strided"]);
    const moved = of(side);
    const turn = of(turns);
    const reading = (index: (axis: Axis) => string, sizeOf: (axis: Axis) => number): string =>
      `${parameter("f32", own.map(sizeOf))}[${own.map(index).join(", ")}]`;
    const plainly = ({ name }: Axis): string => name;
    const size = (axis: Axis): number => axis.size;
    switch (kind) {
      case "padded": {
        const at = `${moved.name} + ${turn.name} - 1`;
        const read = reading((axis) => (axis === moved ? at : axis.name), size);
        return `(if ${at} >= 0 and ${at} < ${moved.size} then ${read} else 0.0)`;
      }
      case "gathered": {
        const places = parameter("idx<3>", [moved.size]);
        return reading(
          (axis) => (axis === moved ? `${places}[${axis.name}]` : axis.name),
          (axis) => (axis === moved ? 3 : axis.size),
        );
      }
      case "strided":
        return reading(
          (axis) => (axis === moved ? `2 * ${axis.name} + ${turn.name}` : axis.name),
          (axis) => (axis === moved ? 2 * axis.size + turn.size : axis.size),
        );
      default:
        return reading(plainly, size);
    }
  };
  const mapped = (text: string): string =>
    of([
      text,
      text,
      `max(${text}, 0.0)`,
      `(${text} + 1.5)`,
      `(${text} * ${parameter("f32", [turns[0]!.size])}[t0])`,
    ]);
  const body = (): string => {
    const [a, b] = [mapped(operand(rows)), mapped(operand(columns))];
    const [t] = turns;
    const condition = of([`c0 + t0 < ${columns[0]!.size}`, `r0 < t0`, `t0 < ${t!.size - 1}`, `r0 < c0`]);
    return of([
      `${a} * ${b}`,
      `${b} * ${a}`,
      `(${a} - ${b}) * (${a} - ${b})`,
      `if ${condition} then ${a} * ${b} else 0.0`,
      `${a} * ${b} * ${mapped(operand([of([...rows, ...columns])]))}`,
    ]);
  };

  const points = [...outer, ...shuffled([...rows, ...columns])];
  const listed = (list: readonly Axis[]): string =>
    list.map(({ name, size }) => `${name}<${size}`).join(", ");
  const shape = points.map(({ size }) => size).join(", ");
  const at = points.map(({ name }) => name).join(", ");
  const op = of(["sum", "sum", "sum", "max", "min"]);
  const reductions = Array.from(
    { length: of([1, 1, 2]) },
    (_, n) => `  %s${n}: f32[${shape}] = for ${listed(points)}. ${op} ${listed(turns)}. ${body()}`,
  );
  const sums = reductions.map((_, n) => `%s${n}[${at}]`).join(" * ");
  const after = of([`${sums}`, `1.0 + ${sums}`, `max(${sums}, 0.5)`]);
  return `graph f(${params.join(", ")}) -> (%y) {
${reductions.join("\n")}
  %y: f32[${shape}] = for ${listed(points)}. ${after}
}`;
}
