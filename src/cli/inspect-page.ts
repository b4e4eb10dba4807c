/**
 * The inspector's page: one HTML file that needs nothing else. Kernels, what each reads and writes, its WGSL beside the lines of the
 * source that it computes, buffers, and the planner's decisions.
 *
 *     ┌ kernels ─────┬ source ──────────────┐
 *     │ cluster  ▇▇▇ │ 12 ▌let m = …        │      a click on a kernel marks its lines, one on a line finds its kernels
 *     │ linear   ▇   │ 13 ▌let a = argmax … │
 *     └──────────────┴──────────────────────┘
 */
import type { SourceFile } from "../lang/source.ts";
import type { BufferReport, KernelReport, ProgramReport, Traffic } from "../kernel-report.ts";
import { formatBytes } from "../runtime/errors.ts";
import { figures } from "./ceilings-text.ts";
import { pageScript } from "./inspect-script.ts";
import { pageStyle } from "./inspect-style.ts";
import { showCount } from "./table.ts";

/** What the page shows. */
export interface Inspection extends ProgramReport {
  readonly function: string;
  readonly dims: Readonly<Record<string, number>>;
  readonly adapter: string;
  readonly fuse: string;
  readonly sources: readonly SourceFile[];
  /** The plan as text. */
  readonly plan: string;
}

/** The page's text. */
export function inspectionPage(shown: Inspection): string {
  const dims = Object.entries(shown.dims).map(([name, size]) => `${name} = ${size}`);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(shown.function)} · fecit</title>
<style>${pageStyle}</style>
<header>
  <h1>${escaped(shown.function)}</h1>
  <p>${dims.map((dim) => `<code>${escaped(dim)}</code>`).join(" ")}
    <span class="quiet">fusion ${escaped(shown.fuse)}, ${shown.adapter === "none" ? "for a GPU as most are" : `for ${escaped(shown.adapter)}`}</span></p>
  <div class="cards">${cards(shown)}</div>
</header>
<main>
  <section class="pair">
    <div><h2>Kernels</h2>${kernelList(shown.kernels)}</div>
    <div><h2>Source</h2>${sourcePanels(shown)}</div>
  </section>
  <section>${shown.kernels.map(kernelDetails).join("")}</section>
  <section><h2>Memory</h2>${bufferTable(shown.buffers)}</section>
  <section><h2>Decisions</h2>${decisionTable(shown)}</section>
  <section><details><summary><h2>Plan</h2></summary><pre class="code">${escaped(shown.plan)}</pre></details></section>
</main>
<script>${pageScript}</script>
</html>
`;
}

/** A text as HTML shows it, also within quotes. */
function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character);
}

function bytesIn(traffic: readonly Traffic[]): number {
  return traffic.reduce((total, { bytes }) => total + bytes, 0);
}

function trafficOf({ reads, writes, dispatches }: KernelReport): number {
  return dispatches * (bytesIn(reads) + bytesIn(writes));
}

function cards({ kernels, peakBytes, intermediateBytes }: Inspection): string {
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
  const facts: readonly (readonly [string, string])[] = [
    ["kernels", String(kernels.length)],
    ["operations", showCount(sum(kernels.map(({ flops, dispatches }) => flops * dispatches)))],
    ["read and written", formatBytes(sum(kernels.map(trafficOf)))],
    ["memory in all", formatBytes(peakBytes)],
    ["for intermediates", formatBytes(intermediateBytes)],
  ];
  return facts.map(([name, value]) => `<div class="card"><b>${value}</b><span>${name}</span></div>`).join("");
}

/** A bar of a share between 0 and 1. */
function bar(share: number, kind: string): string {
  return `<i class="bar ${kind}" style="width:${(100 * Math.max(0, Math.min(1, share))).toFixed(1)}%"></i>`;
}

function kernelList(kernels: readonly KernelReport[]): string {
  const most = Math.max(1, ...kernels.map(({ flops, dispatches }) => flops * dispatches));
  const mostBytes = Math.max(1, ...kernels.map(trafficOf));
  const mostMs = Math.max(...kernels.flatMap(timesOf));
  const isMeasured = kernels.some(({ measuredMs }) => measuredMs != null);
  const items = kernels.map((kernel, i) => {
    const { name, flops, dispatches, barriers, nodes } = kernel;
    const times = dispatches === 1 ? "" : ` <span class="quiet">× ${dispatches}</span>`;
    return `<li><button data-kernel="${i}"><span class="name">${escaped(name)}${times}</span>
      <span class="quiet">${new Set(nodes).size} nodes, ${barriers} barriers</span>
      <span class="bars" title="operations">${bar((flops * dispatches) / most, "work")}<em>${showCount(flops * dispatches)}</em></span>
      <span class="bars" title="bytes read and written">${bar(trafficOf(kernel) / mostBytes, "traffic")}<em>${formatBytes(trafficOf(kernel))}</em></span>
      ${timeBars(kernel, mostMs)}
    </button></li>`;
  });
  const keys =
    '<i class="key work"></i> operations <i class="key traffic"></i> bytes read and written <i class="key predicted"></i> predicted time' +
    (isMeasured ? ' <i class="key measured"></i> measured time' : "");
  return `<p class="quiet">${keys}</p><ol class="kernels">${items.join("")}</ol>`;
}

/** Milliseconds of all its dispatches: predicted, and measured where that is known. */
function timesOf({ predictedMs, measuredMs, dispatches }: KernelReport): number[] {
  return [predictedMs, ...(measuredMs == null ? [] : [measuredMs])].map((ms) => ms * dispatches);
}

function timeBars(kernel: KernelReport, most: number): string {
  return timesOf(kernel)
    .map((ms, i) => {
      const kind = i === 0 ? "predicted" : "measured";
      return `<span class="bars" title="${kind} time">${bar(ms / most, kind)}<em>${figures(ms)} ms</em></span>`;
    })
    .join("");
}

/** Every file that a kernel computes something of; each line knows its kernels. */
function sourcePanels({ sources, kernels }: Inspection): string {
  const panels = sources.flatMap((file) => {
    const users = new Map<number, number[]>();
    kernels.forEach(({ source }, number) => {
      for (const line of new Set(source.filter((at) => at.file === file.name).map((at) => at.line)))
        users.set(line, [...(users.get(line) ?? []), number]);
    });
    if (users.size === 0) return [];
    const lines = file.text
      .trimEnd()
      .split("\n")
      .map((text, i) => {
        const numbers = users.get(i + 1);
        const mark = numbers === undefined ? "" : ` class="used" data-kernels="${numbers.join(" ")}"`;
        return `<li${mark}><code>${escaped(text) || " "}</code></li>`;
      });
    return [
      `<details open><summary>${escaped(file.name)}</summary><ol class="lines">${lines.join("")}</ol></details>`,
    ];
  });
  return `<div class="source">${panels.join("")}</div>`;
}

function kernelDetails(kernel: KernelReport, number: number): string {
  const { name, nodes, grid, workgroupSize, workgroupBytes, barriers, reads, writes, flops, wgsl } = kernel;
  const { measuredMs } = kernel;
  const bytes = bytesIn(reads) + bytesIn(writes);
  const facts: readonly (readonly [string, string])[] = [
    ["grid", grid.join(" × ")],
    ["workgroup", `${workgroupSize[0]} invocations, ${formatBytes(workgroupBytes)}`],
    ["barriers", String(barriers)],
    ["operations", showCount(flops)],
    ["operations a byte", bytes === 0 ? "–" : String(Number((flops / bytes).toPrecision(3)))],
    ["predicted", `${figures(kernel.predictedMs)} ms`],
    ...(measuredMs == null ? [] : [["measured", `${figures(measuredMs)} ms`] as const]),
  ];
  return `<article class="kernel" data-kernel="${number}"><h2>${escaped(name)}</h2>
  <dl>${facts.map(([term, value]) => `<div><dt>${term}</dt><dd>${value}</dd></div>`).join("")}</dl>
  <p class="nodes">${[...new Set(nodes)].map((node) => `<code>${escaped(node)}</code>`).join(" ")}</p>
  <div class="traffics">${trafficList("reads", reads)}${trafficList("writes", writes)}</div>
  <details open><summary>WGSL</summary><pre class="code wgsl">${highlighted(wgsl)}</pre></details></article>`;
}

function trafficList(title: string, traffic: readonly Traffic[]): string {
  const rows = traffic.map(
    ({ tensor, bytes }) =>
      `<li><code>${escaped(tensor)}</code> <span class="quiet">${formatBytes(bytes)}</span></li>`,
  );
  return `<div><h3>${title}</h3><ul>${rows.join("")}</ul></div>`;
}

function bufferTable(buffers: readonly BufferReport[]): string {
  const most = Math.max(1, ...buffers.map(({ bytes }) => bytes));
  const rows = [...buffers]
    .sort((a, b) => b.bytes - a.bytes)
    .map(
      ({ name, bytes, role, order }) =>
        `<tr><td><code>${escaped(name)}</code>${order === undefined ? "" : ` by axes ${order.join(", ")}`}</td><td><span class="role ${role}">${role}</span></td>` +
        `<td class="number">${formatBytes(bytes)}</td><td class="wide">${bar(bytes / most, role)}</td></tr>`,
    );
  return `<table><thead><tr><th>tensor</th><th>role</th><th class="number">size</th><th></th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function decisionTable({ decisions }: Inspection): string {
  const rows = decisions.map(
    ({ producer, consumer, fused, placement, reason }) =>
      `<tr data-fused="${fused}"><td><code>${escaped(producer)}</code></td><td>${fused ? "with" : "apart from"}</td>` +
      `<td><code>${escaped(consumer)}</code></td><td>${placement}</td><td>${escaped(reason)}</td></tr>`,
  );
  return `<p><label><input type="search" id="filter" placeholder="a name or a reason"></label>
    <label><input type="checkbox" id="apart"> only what was kept apart</label></p>
    <table id="decisions"><thead><tr><th>producer</th><th></th><th>consumer</th><th>lives</th><th>because</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

const wgslWords =
  /(\/\/[^\n]*)|\b(fn|let|var|for|if|else|return|loop|break|continue|while|const|struct|switch|true|false)\b|\b(f32|i32|u32|bool|f16|array|vec[234]|workgroup|storage|uniform|read|read_write)\b|(@\w+)|\b(\d[\w.]*)\b/g;

/** WGSL with its words marked. */
function highlighted(wgsl: string): string {
  let html = "";
  let done = 0;
  for (const found of wgsl.matchAll(wgslWords)) {
    const kinds = ["comment", "word", "type", "attribute", "number"];
    const kind = kinds.find((_, i) => found[i + 1] !== undefined) ?? "word";
    html += `${escaped(wgsl.slice(done, found.index))}<span class="${kind}">${escaped(found[0])}</span>`;
    done = found.index + found[0].length;
  }
  return html + escaped(wgsl.slice(done));
}
