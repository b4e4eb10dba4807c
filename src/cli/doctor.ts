/** `fecit doctor`: which adapters there are, what they can do, and what to install where something is missing. */
import type { Command } from "commander";
import type { AdapterDescription } from "../runtime/adapter.ts";
import type { Ceilings } from "../runtime/ceilings.ts";
import type { Device } from "../runtime/device.ts";
import { AdapterError, formatBytes } from "../runtime/errors.ts";
import { ceilingsText } from "./ceilings-text.ts";
import { adapterInWords } from "./device.ts";
import { exit } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** What came of a choice of adapter. */
interface Finding {
  readonly choice: string;
  readonly adapter: AdapterDescription | null;
  /** What was tried where there is none. */
  readonly tried: readonly string[];
  /** What to install; null where nothing is missing. */
  readonly help: string | null;
  /** What was measured of it, now or before; null when nothing was. */
  readonly ceilings: Ceilings | null;
}

interface Options {
  readonly device?: string;
  readonly measure?: boolean;
  readonly json?: boolean;
}

export function addDoctor(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command("doctor")
    .summary("show the adapters, and what is missing")
    .description(
      "Shows the adapters of this machine with their limits, and what to install where one is missing.",
    )
    .option("--device <name>", "look at this one only: gpu, software, or part of an adapter's name")
    .option("--measure", "measure what it reaches at most, a few seconds, and keep it for plans and `bench`")
    .option("--json", "print one JSON object")
    .addHelpText("after", "\nExample:\n  fecit doctor --measure")
    .action(async ({ device, measure = false, json }: Options) => {
      // A software driver is looked for last: where there is none, SwiftShader takes the process over.
      const choices = device === undefined ? ["gpu", "software"] : [device];
      const findings: Finding[] = [];
      for (const choice of choices) findings.push(await examine(terminal, choice, measure));
      const system = { node: process.version, platform: process.platform, architecture: process.arch };
      if (json === true) terminal.out(`${JSON.stringify({ ...system, adapters: findings })}\n`);
      else {
        terminal.out(`Node ${process.version} on ${process.platform}, ${process.arch}\n`);
        for (const finding of findings) terminal.out(`\n${textOf(finding)}`);
        terminal.out(`\n${verdict(findings)}\n`);
      }
      done(findings.some(({ adapter }) => adapter !== null) ? 0 : exit.deviceCannot);
    });
}

async function examine(terminal: Terminal, choice: string, isMeasured: boolean): Promise<Finding> {
  const { openDevice } = await import("../node.ts");
  const { ceilingsOf } = await import("../runtime/node-ceilings.ts");
  let device: Device;
  try {
    device = await openDevice({ adapter: choice, measured: false });
  } catch (error) {
    if (!(error instanceof AdapterError)) throw error;
    return { choice, adapter: null, tried: error.tried, help: error.advice, ceilings: null };
  }
  try {
    const { adapter } = device;
    const ceilings = isMeasured
      ? await measured(terminal, device)
      : ceilingsOf(adapter, terminal.environment);
    return { choice, adapter, tried: [], help: null, ceilings };
  } finally {
    device.close();
  }
}

/** Measures a device and keeps what came of it; null for one that runs nothing. */
async function measured(terminal: Terminal, device: Device): Promise<Ceilings | null> {
  const { adapter } = device;
  if (adapter.kind === "null") {
    terminal.err(`fecit: ${adapter.name} runs nothing: there is nothing to measure\n`);
    return null;
  }
  const { measureCeilings } = await import("../runtime/measure-ceilings.ts");
  const { keepCeilings } = await import("../runtime/node-ceilings.ts");
  terminal.err(`fecit: measuring ${adapter.name}, a few seconds\n`);
  const ceilings = await measureCeilings(device);
  const file = await keepCeilings(adapter, ceilings, terminal.environment);
  terminal.err(
    `fecit: ${file === null ? "no cache folder can be written: it is not kept" : `kept in ${file}`}\n`,
  );
  return ceilings;
}

function textOf({ choice, adapter, tried, help, ceilings }: Finding): string {
  if (adapter === null) {
    const lines = [...tried.map((line) => `tried ${line}`), ...(help === null ? [] : [`help: ${help}`])];
    return `${choice}: none\n${lines.map((line) => `  ${line}\n`).join("")}`;
  }
  const { driver, vendor, features, limits, subgroupSizes } = adapter;
  const rows: readonly (readonly [string, string])[] = [
    ["driver", driver],
    ["vendor", vendor],
    ["features", features.join(", ") || "none that fecit uses"],
    ["subgroups", subgroupSizes === null ? "none" : `${[...new Set(subgroupSizes)].join(" to ")} lanes`],
    [
      "workgroup",
      `${limits.maxComputeInvocationsPerWorkgroup} invocations, ${formatBytes(limits.maxComputeWorkgroupStorageSize)}`,
    ],
    ["buffer", formatBytes(limits.maxBufferSize)],
    [
      "binding",
      `${formatBytes(limits.maxStorageBufferBindingSize)}, ${limits.maxStorageBuffersPerShaderStage} in a kernel`,
    ],
  ];
  const lines = rows.map(([name, value]) => `  ${name.padEnd(10)} ${value}\n`);
  return `${choice}: ${adapterInWords(adapter)}\n${lines.join("")}${ceilingsText(adapter, ceilings)}`;
}

function verdict(findings: readonly Finding[]): string {
  const found = findings.find(({ adapter }) => adapter !== null);
  if (found === undefined) {
    const [asked] = findings;
    return findings.length === 1
      ? `No adapter for \`--device ${asked!.choice}\`; \`fecit doctor\` shows which there are.`
      : "No adapter: programs run with `--device interpreter` only.";
  }
  return `\`--device auto\` is ${found.adapter?.name ?? ""}.`;
}
