/** `fecit tour`: one program through every stage that there is, with the numbers to show that it is right. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { createColors } from "picocolors";
import type { Tensor, Value } from "../host-value.ts";
import type { Graph } from "../ir/ir.ts";
import { printNode } from "../ir/print.ts";
import { reportOf } from "../kernel-report.ts";
import { portableKernelTarget } from "../kernel-text.ts";
import { type Compiled, loadModule } from "../module.ts";
import { orDiagnose } from "./diagnose.ts";
import { exit, Failure } from "./failure.ts";
import { readSource } from "./files.ts";
import { generate } from "./generate.ts";
import { kernelTable } from "./inspect-table.ts";
import { showValue } from "./show.ts";
import type { Terminal } from "./terminal.ts";

const dims = { n: 49, o: 4, d: 8 } as const;
const seed = 7;

export function addTour(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command("tour")
    .summary("show what fecit does, on one example")
    .description(
      "Takes examples/cluster.fec through every stage: checked, laid out, compiled, differentiated, run, fused.",
    )
    .addHelpText("after", "\nExample:\n  fecit tour")
    .action(() => done(tour(terminal)));
}

function tour(terminal: Terminal): number {
  const { out } = terminal;
  const colors = createColors(terminal.outColors);
  const heading = (title: string): void => out(`\n${colors.bold(colors.cyan(title))}\n`);
  const source = readSource({ ...terminal, directory: packageFolder() }, "examples/cluster.fec");

  heading("1. A program: FEC's clustering, for one image and one head (examples/cluster.fec)");
  out(functionText(source.text, "assign"));
  out(functionText(source.text, "cluster"));

  heading("2. Checked: types and shapes, once, for all dimensions");
  const module = loadModule(source);
  if (module.diagnostics.length > 0)
    throw new Failure(exit.inputWrong, "examples/cluster.fec is not as it was shipped");
  for (const { name, params, result } of module.functions) {
    const shown = params.map((p) => p.type).join(", ");
    out(`   ${name}: (${shown}) -> ${result.length > 40 ? `${result.slice(0, 40)}…` : result}\n`);
  }

  const sizes = Object.entries(dims)
    .map(([name, size]) => `${name}=${size}`)
    .join(",");
  heading(`3. Compiled for ${sizes}: tensor IR, one line a tensor`);
  const cluster = orDiagnose(terminal, () => module.compile("cluster", { dims }));
  showGraph(terminal, cluster.graph, cluster.graph.nodes.length);

  heading("4. Differentiated: the gradient is more of the same IR");
  const vjp = orDiagnose(terminal, () => cluster.vjp());
  showGraph(terminal, vjp.graph, 6);
  out(`   (the last of ${vjp.graph.nodes.length} tensors)\n`);

  heading("5. Run on random points, by the interpreter in double precision");
  const args = vjp.params.map(({ name, shape }) => generate("normal", shape, name, seed));
  const [result] = cluster.interpret(...args.slice(0, -1));
  out(showValue("cluster", cluster.results[0]!.shape, result!));

  heading("6. The gradient against central differences, along random directions");
  const worst = compareGradients(terminal, cluster, vjp, args);
  const isRight = worst < 1e-5;
  out(`   ${isRight ? colors.green("they agree") : colors.red("they do not agree")}\n`);

  heading("7. Fused: the kernels that a GPU would run, and what of them is fused into one");
  for (const compiled of [cluster, vjp]) {
    out(`   ${compiled.name}\n`);
    const made = compiled.kernels();
    const text = kernelTable(reportOf(made, portableKernelTarget.limits));
    out(text.replace(/^(?=.)/gm, "   "));
  }

  heading("To try next");
  out(
    "   npx fecit check examples/*.fec\n" +
      `   npx fecit inspect examples/cluster.fec cluster --dim ${sizes} --stage vjp\n` +
      `   npx fecit inspect examples/cluster.fec cluster --dim ${sizes} --html cluster.html\n` +
      "   npx fecit doctor\n" +
      `   npx fecit run examples/cluster.fec cluster --dim ${sizes} \\\n` +
      "     x=normal v=normal cx=normal cv=normal alpha=1 beta=0\n" +
      "   npx fecit explain E0203\n",
  );
  return isRight ? 0 : exit.inputWrong;
}

/**
 * The folder that holds the examples: beside `dist` when built, two above this file when run from its source.
 */
function packageFolder(): string {
  const folders = ["../", "../../"].map((up) => fileURLToPath(new URL(up, import.meta.url)));
  return folders.find((folder) => existsSync(`${folder}examples/cluster.fec`)) ?? folders[0]!;
}

/** The text of one function, with its doc comment. */
function functionText(text: string, name: string): string {
  const found = text.split(/\n\n/).find((part) => new RegExp(`^fn ${name}\\(`, "m").test(part));
  return `${(found ?? "").trim().replace(/^/gm, "   ")}\n\n`;
}

/** The nodes of a graph, a line each: the last ones of many. */
function showGraph(terminal: Terminal, { nodes }: Graph, most: number): void {
  const short = (text: string): string => (text.length > 106 ? `${text.slice(0, 105)}…` : text);
  if (nodes.length > most) terminal.out("   …\n");
  for (const node of nodes.slice(-most))
    terminal.out(`   ${short(printNode(node).replace(/\s*\n\s*/g, " "))}\n`);
}

/**
 * The largest relative difference between ⟨gradient, direction⟩ and a central difference, over the arguments.
 */
function compareGradients(
  terminal: Terminal,
  cluster: Compiled,
  vjp: Compiled,
  args: readonly Value[],
): number {
  const gradients = vjp.interpret(...args);
  const cotangent = args.at(-1)!;
  const own = args.slice(0, -1);
  const step = 1e-6;
  const loss = (at: readonly Value[]): number => inner(cluster.interpret(...at)[0]!, cotangent);
  const differences = cluster.params.map(({ name, shape }, i) => {
    const direction = generate("normal", shape, `direction.${name}`, seed);
    const along = (distance: number): Value[] => own.with(i, moved(own[i]!, direction, distance));
    const expected = (loss(along(step)) - loss(along(-step))) / (2 * step);
    const found = inner(gradients[i]!, direction);
    const difference = Math.abs(found - expected) / Math.max(1, Math.abs(expected));
    const [a, b] = [found, expected].map((v) => v.toFixed(8).padStart(14));
    terminal.out(
      `   ${name.padEnd(6)} vjp ${a}   differences ${b}   relative ${difference.toExponential(1)}\n`,
    );
    return difference;
  });
  return Math.max(...differences);
}

const numbersOf = (value: Value): ArrayLike<number> =>
  typeof value === "number" ? [value] : (value as Tensor).data;

function inner(a: Value, b: Value): number {
  const other = numbersOf(b);
  return Array.from(numbersOf(a)).reduce((sum, x, i) => sum + x * other[i]!, 0);
}

function moved(value: Value, direction: Value, distance: number): Value {
  const by = numbersOf(direction);
  if (typeof value === "number") return value + distance * by[0]!;
  const { type, shape, data } = value as Tensor;
  return { type, shape, data: Float64Array.from(data, (x, i) => x + distance * by[i]!) };
}
